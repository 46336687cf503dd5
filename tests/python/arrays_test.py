"""What a frame looks like as arrays: of every pixel format, of sound, of anything else."""

import numpy as np

import reel
from support import StreamTest, main

SIZES = [(64, 48), (63, 47), (1, 1)]
# What the planes of a picture are: channels, and by how much width and height are divided.
PLANES = {
    "I420": [(1, 1), (1, 2), (1, 2)], "NV12": [(1, 1), (2, 2)], "NV21": [(1, 1), (2, 2)], "Y444": [(1, 1)] * 3,
    "RGB": [(3, 1)], "BGR": [(3, 1)], "RGBx": [(4, 1)], "BGRx": [(4, 1)], "RGBA": [(4, 1)], "BGRA": [(4, 1)],
    "GRAY8": [(1, 1)], "GRAY16_LE": [(1, 1)],
}


def shape_of(width, height, channels, divisor):
    size = (-(-height // divisor), -(-width // divisor))
    return size if channels == 1 else size + (channels,)


class Arrays(StreamTest):
    def through(self, format, planes):
        """The planes as they come out of a stream, copied, and the frame's format."""
        # Without a format it lets nobody in yet: its reader must not wait for that.
        with reel.Writer("s") as writer, reel.Reader("s", start="oldest", connect_timeout_ms=0) as reader:
            writer.write(planes, format=format)
            with reader.read() as frame:
                return [plane.copy() for plane in frame.planes], frame.format, frame.verified

    def test_every_pixel_format_comes_out_as_it_went_in(self):
        random = np.random.default_rng(1)
        for pixel, kinds in PLANES.items():
            for width, height in SIZES:
                with self.subTest(pixel=pixel, width=width, height=height):
                    depth = np.uint16 if pixel == "GRAY16_LE" else np.uint8
                    planes = [random.integers(0, 255, shape_of(width, height, *kind), depth) for kind in kinds]
                    format = reel.Format.video(pixel, width, height, fps=(30, 1))
                    came, its_format, verified = self.through(format, planes)
                    self.assertEqual(its_format, format)
                    self.assertTrue(verified)
                    self.assertEqual(len(came), len(planes))
                    for ours, theirs in zip(planes, came):
                        np.testing.assert_array_equal(ours, theirs)

    def test_pairs_of_pixels_are_two_channels_and_even(self):
        picture = np.arange(4 * 6 * 2, dtype=np.uint8).reshape(4, 6, 2)
        came, format, _ = self.through(reel.Format.video("YUY2", 5, 4), picture)
        np.testing.assert_array_equal(came[0], picture)
        self.assertEqual(format.width, 5)

    def test_sound_is_sample_frames_by_channels(self):
        for sample, kind in (("S16LE", np.int16), ("S32LE", np.int32), ("F32LE", np.float32)):
            sound = (np.arange(480 * 2).reshape(480, 2) - 400).astype(kind)
            came, format, _ = self.through(reel.Format.audio(sample, 48000, 2), sound)
            np.testing.assert_array_equal(came[0], sound)
            self.assertEqual(came[0].dtype, kind)
            self.assertEqual((format.rate_hz, format.channels, format.sample), (48000, 2, sample))

    def test_sound_that_is_not_contiguous_is_copied_all_the_same(self):
        sound = np.arange(480 * 4, dtype=np.int16).reshape(480, 4)[:, ::2]
        came, _, _ = self.through(reel.Format.audio("S16LE", 48000, 2), sound)
        np.testing.assert_array_equal(came[0], sound)

    def test_anything_else_is_its_bytes(self):
        with reel.Writer("s") as writer:
            writer.set_format(reel.Format.from_caps("application/x-thing, version=(int)3"))
            with reel.Reader("s") as reader:
                for payload in (b"some bytes", bytearray(b"more"), b""):
                    writer.write(payload)
                    frame = reader.read()
                    self.assertEqual(frame.array.tobytes(), bytes(payload))
                    self.assertEqual(frame.format.kind, "bytes")
                    del frame

    def test_a_flipped_picture_is_copied_row_by_row(self):
        picture = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
        for view in (picture[::-1], picture[:, ::-1], picture[::2, ::2], picture[..., ::-1]):
            came, _, _ = self.through(None, view)
            np.testing.assert_array_equal(came[0], view)

    def test_the_first_picture_of_a_writer_without_a_format_sets_it(self):
        for shape, kind, pixel in (((4, 6), np.uint8, "GRAY8"), ((4, 6), np.uint16, "GRAY16_LE"), ((4, 6, 3), np.uint8, "BGR"),
                                   ((4, 6, 4), np.uint8, "BGRA")):
            _, format, _ = self.through(None, np.zeros(shape, kind))
            self.assertEqual((format.pixel, format.width, format.height), (pixel, 6, 4))

    def test_an_array_of_another_shape_is_refused_by_name(self):
        writer = reel.Writer("s", reel.Format.video("BGR", 64, 48))
        for wrong in (np.zeros((48, 64), np.uint8), np.zeros((48, 64, 3), np.uint16), np.zeros((64, 48, 3), np.uint8)):
            with self.assertRaises(reel.Error) as caught:
                writer.write(wrong)
            self.assertEqual(caught.exception.code, "bad_argument")
            self.assertIn("uint8 (48, 64, 3)", caught.exception.message)
            del caught
        with self.assertRaises(reel.Error):
            reel.Writer("t").write(np.zeros((2, 3, 5), np.float32))

    def test_a_picture_of_planes_is_no_single_array(self):
        with reel.Writer("s", reel.Format.video("NV12", 64, 48)) as writer, reel.Reader("s") as reader:
            writer.publish(writer.acquire())
            frame = reader.read()
            with self.assertRaisesRegex(reel.Error, "take .planes"):
                frame.array
            self.assertEqual(frame.data.shape, (64 * 48 * 3 // 2,))

    def test_a_result_takes_its_format_from_the_frame_it_was_made_of(self):
        cases = [("RGB", (24, 32, 3), "RGB"), ("RGB", (24, 32), "GRAY8"), ("NV12", (24, 32, 3), "BGR"), ("GRAY8", (48, 64, 3), "BGR")]
        for pixel, shape, result in cases:
            with reel.Writer("a", reel.Format.video(pixel, 64, 48, 25)) as first, reel.Reader("a") as reader:
                first.set_tags("title=x")
                first.publish(first.acquire(), pts_ns=7, capture_ns=8, side_data=[{"type": "motion", "name": "m", "score": 0.5}])
                with reel.Writer("b") as second, reel.Reader("b", start="oldest", connect_timeout_ms=0) as last:
                    second.write(np.zeros(shape, np.uint8), like=reader.read())
                    frame = last.read()
                    self.assertEqual((frame.format.pixel, frame.format.width, frame.format.height, frame.format.fps),
                                     (result, shape[1], shape[0], 25))
                    self.assertEqual((frame.pts_ns, frame.capture_ns, frame.tags), (7, 8, "title=x"))
                    self.assertEqual([entry["name"] for entry in frame.side_data], ["m"])

    def test_times_are_what_was_said_or_none(self):
        with reel.Writer("s", reel.Format.video("GRAY8", 8, 8)) as writer, reel.Reader("s") as reader:
            writer.set_segment(rate=2.0, start_ns=5, monotonic_offset_ns=11)
            writer.publish(writer.acquire(), pts_ns=1, duration_ns=2, offset=3)
            frame = reader.read()
            self.assertEqual((frame.pts_ns, frame.duration_ns, frame.offset), (1, 2, 3))
            self.assertEqual((frame.dts_ns, frame.capture_ns, frame.offset_end), (None, None, None))
            self.assertEqual((frame.segment["rate"], frame.segment["start_ns"], frame.segment["stop_ns"]), (2.0, 5, None))
            self.assertEqual((frame.segment["monotonic_offset_ns"], frame.tags), (11, None))
            self.assertGreater(frame.publish_ns, 0)

    def test_gaps_and_events_are_passed_over_by_iteration_alone(self):
        with reel.Writer("s", reel.Format.video("GRAY8", 8, 8)) as writer:
            with reel.Reader("s") as reader:
                writer.write_gap(10, 20)
                writer.write_event("hello", pts_ns=30)
                writer.publish(writer.acquire())
                gap = reader.read()
                self.assertEqual((gap.kind, gap.pts_ns, gap.duration_ns, gap.text), ("gap", 10, 20, None))
                with self.assertRaisesRegex(reel.Error, "no picture"):
                    gap.array
                del gap
                self.assertEqual(next(reader).kind, "media")
                writer.end()
                self.assertEqual(list(reader), [])

    def test_formats_are_values(self):
        self.assertEqual(str(reel.Format.video("BGR", 8, 8, 29.97).fps), "2997/100")
        self.assertEqual(str(reel.Format.video("BGR", 8, 8, 30000 / 1001).fps), "30000/1001")
        for none in (-1, (1 << 40, 1), (1, 1 << 40)):
            with self.assertRaisesRegex(reel.Error, "frames a second"):
                reel.Format.video("BGR", 8, 8, none)
        self.assertEqual(len({reel.Format.video("BGR", 8, 8), reel.Format.video("BGR", 8, 8), reel.Format()}), 2)
        self.assertEqual(reel.Format.from_caps(reel.Format.video("I420", 8, 6, 5).caps), reel.Format.video("I420", 8, 6, 5))
        for wrong in (lambda: reel.Format.video("YUV", 8, 8), lambda: reel.Format.video("BGR", 0, 8),
                      lambda: reel.Format.audio("U8", 8000, 1), lambda: reel.Format.from_caps("video/x-raw")):
            with self.assertRaises(reel.Error) as caught:
                wrong()
            self.assertEqual(caught.exception.code, "bad_argument")


main()
