"""What a frame that was read, its arrays, its reader and its writer owe each other."""

import gc
import os
import sys
import weakref

import numpy as np

import reel
from support import StreamTest, descriptors, main, resident_kib

PICTURE = reel.Format.video("GRAY8", 64, 48)


class Lifetimes(StreamTest):
    def pair(self, **options):
        """A writer of small pictures and a reader, both open."""
        return reel.Writer("s", PICTURE), reel.Reader("s", **options)

    def publish(self, writer, value):
        loan = writer.acquire()
        loan.array[:] = value
        writer.publish(loan)

    def test_what_was_read_cannot_be_written(self):
        writer, reader = self.pair()
        self.publish(writer, 3)
        frame = reader.read()
        for array in (frame.array, frame.planes[0], frame.data, frame.array[2:4], np.asarray(frame.array)):
            self.assertFalse(array.flags.writeable)
            with self.assertRaises(ValueError):
                array[0] = 1
            with self.assertRaises(ValueError):
                array.setflags(write=True)
        self.assertTrue(memoryview(frame.array).readonly)

    def test_an_array_is_the_slot_itself(self):
        writer, reader = self.pair()
        self.publish(writer, 3)
        frame = reader.read()
        first, second = frame.array, frame.array[10:]
        self.assertFalse(first.flags.owndata)
        self.assertEqual(second.__array_interface__["data"][0] - first.__array_interface__["data"][0], 10 * 64)

    def test_arrays_outlive_reader_and_writer(self):
        writer, reader = self.pair()
        self.publish(writer, 7)
        part = reader.read().array[10:20, ::2]
        reader.close()
        writer.close()
        del reader, writer
        gc.collect()
        self.assertTrue((part == 7).all())

    def test_frames_that_are_kept_are_bounded_by_max_pins(self):
        writer, reader = self.pair(max_pins=3)
        for value in range(4):
            self.publish(writer, value)
        kept = [reader.read().array for _ in range(3)]
        with self.assertRaisesRegex(reel.Error, "3 frames are held.*frame.array.copy") as caught:
            reader.read()
        self.assertEqual(caught.exception.code, "too_many_held")
        self.assertEqual([int(array[0, 0]) for array in kept], [0, 1, 2])
        kept.pop(0)
        self.assertEqual(reader.read().array[0, 0], 3)

    def test_a_part_of_an_array_keeps_its_frame_pinned_and_gives_it_back(self):
        writer, reader = self.pair()
        self.publish(writer, 1)
        frame = reader.read()
        part = frame.array[5:6].reshape(-1).view(np.int8)
        frame.release()
        self.assertEqual(writer.readers[0]["pinned"], 1)
        self.assertTrue((part == 1).all())
        del part
        self.assertEqual(writer.readers[0]["pinned"], 0)

    def test_a_released_frame_says_so(self):
        writer, reader = self.pair()
        self.publish(writer, 1)
        with reader.read() as frame:
            self.assertIn("GRAY8", repr(frame))
        self.assertEqual(writer.readers[0]["pinned"], 0)
        with self.assertRaises(reel.Error) as caught:
            frame.array
        self.assertEqual(caught.exception.code, "closed")
        self.assertIn("released", repr(frame))

    def test_a_loop_needs_no_more_than_the_default_pins(self):
        writer, reader = self.pair(policy="lossless")
        self.assertIsNone(reader.read(timeout_ms=0))
        values = []
        for value in range(6):
            self.publish(writer, value)
        writer.end()
        for frame in reader:
            before = frame.array
            values.append(int(before[0, 0]))
        self.assertEqual(values, list(range(6)))

    def test_arrays_of_memory_that_the_stream_has_left_stay_readable(self):
        writer, reader = self.pair(max_pins=4)
        self.publish(writer, 9)
        kept = reader.read().array
        writer.write(np.full((480, 640, 3), 5, np.uint8), format=reel.Format.video("BGR", 640, 480))
        self.assertEqual(writer.stats["epochs"], 2)
        self.assertTrue((reader.read().array == 5).all())
        self.assertTrue((kept == 9).all())

    def test_the_end_of_a_stream_is_told_once_and_for_all(self):
        writer, reader = self.pair()
        self.publish(writer, 1)
        writer.end()
        self.assertEqual(len([frame.sequence for frame in reader]), 1)
        with self.assertRaises(reel.Ended) as caught:
            reader.read()
        self.assertEqual((caught.exception.code, caught.exception.where), ("ended", "s"))
        self.assertTrue(writer.drain(timeout_ms=0))

    def test_a_writer_that_goes_away_is_waited_for_or_told(self):
        writer = reel.Writer("s", PICTURE)
        patient, strict = reel.Reader("s"), reel.Reader("s", reconnect=False)
        writer.close()
        with self.assertRaises(reel.Error) as caught:
            next(strict)
        self.assertEqual(caught.exception.code, "closed")
        self.assertIsNone(patient.read(timeout_ms=50))
        with reel.Writer("s", PICTURE) as again:
            while not patient.connected:
                self.assertIsNone(patient.read(timeout_ms=10))
            self.publish(again, 2)
            self.assertEqual(patient.read().array[0, 0], 2)
        self.assertEqual(patient.stats["connects"], 2)

    def test_errors_carry_the_code_of_their_reason(self):
        keep = reel.Writer("s", PICTURE)
        for code, wrong in (("in_use", lambda: reel.Writer("s")), ("not_found", lambda: reel.Reader("none", reconnect=False)),
                            ("bad_argument", lambda: reel.Reader("Not A Name")),
                            ("bad_argument", lambda: reel.Reader("s", policy="all")),
                            ("bad_argument", lambda: reel.Writer("t", slots=1))):
            with self.assertRaises(reel.Error) as caught:
                wrong()
            self.assertEqual(caught.exception.code, code)
        with self.assertRaisesRegex(TypeError, "no option 'slot'"):
            reel.Writer("t", slot=3)
        keep.close()
        for closed in (keep.end, keep.acquire, lambda: keep.stats):
            with self.assertRaises(reel.Error) as caught:
                closed()
            self.assertEqual(caught.exception.code, "closed")

    def test_a_forked_child_is_refused_and_harms_nobody(self):
        writer, reader = self.pair()
        self.publish(writer, 1)
        frame = reader.read()
        loan = writer.acquire()
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            told = []
            for use in (lambda: reader.read(0), lambda: writer.acquire(), lambda: frame.array, lambda: loan.array):
                try:
                    use()
                    told.append("went")
                except reel.Error as error:
                    told.append(error.code)
            del use
            reader.close()
            writer.close()
            del frame, loan, reader, writer
            gc.collect()
            os.write(theirs, " ".join(told).encode())
            os._exit(0)
        os.close(theirs)
        with os.fdopen(ours) as told:
            self.assertEqual(told.read(), "unsupported unsupported unsupported unsupported")
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        loan.array[:] = 2
        writer.publish(loan)
        self.assertTrue((frame.array == 1).all())
        self.assertTrue((reader.read().array == 2).all())

    def test_a_spawned_child_opens_streams_of_its_own(self):
        writer = reel.Writer("s", PICTURE)
        self.publish(writer, 6)
        program = self.file("spawns.py", """
            import multiprocessing, reel

            def look(stream):
                return int(reel.Reader(stream, start="oldest").read().array[0, 0])

            if __name__ == "__main__":
                ours = reel.Reader("s", start="oldest").read()
                with multiprocessing.get_context("spawn").Pool(2) as pool:
                    print(pool.map(look, ["s", "s"]), ours.array[0, 0])
        """)
        status, output, errors = self.start(sys.executable, program).end()
        self.assertEqual((status, output), (0, "[6, 6] 6\n"), errors)

    def test_nothing_of_a_frame_is_left_behind(self):
        writer, reader = self.pair()
        self.publish(writer, 1)
        frame = reader.read()
        array = frame.array
        gone = weakref.ref(array)
        del array, frame
        self.assertIsNone(gone())
        self.assertEqual(writer.readers[0]["pinned"], 0)

    def test_a_thousand_openings_leave_descriptors_and_memory_flat(self):
        def cycle():
            with reel.Writer("s", PICTURE) as writer, reel.Reader("s") as reader:
                self.publish(writer, 4)
                with reader.read() as frame:
                    self.assertEqual(frame.array[1, 1], 4)

        for _ in range(200):
            cycle()
        before, memory_kib = descriptors(), resident_kib()
        for _ in range(1000):
            cycle()
        self.assertEqual(descriptors(), before)
        # 48 slots of these would be a MiB: what stays is the heap's grain.
        self.assertLess(resident_kib() - memory_kib, 2048)

    def test_ten_thousand_frames_leave_memory_and_references_flat(self):
        """All that a frame gives, and a frame made from it: in one process, so that both sides are counted."""
        writer, reader = reel.Writer("s", reel.Format.video("NV12", 64, 48, 30)), reel.Reader("s", policy="lossless", max_pins=4)
        copies = reel.Writer("t")
        said = [{"type": "detections", "name": "n", "detections": [{"label": "l", "score": 0.5, "x": 1, "y": 2, "width": 3, "height": 4}]},
                {"type": "json", "name": "j", "value": {"a": [1, 2]}}]

        def cycle(number):
            loan = writer.acquire()
            for plane in loan.planes:
                plane[:] = number % 256
            writer.publish(loan, pts_ns=number, side_data=said)
            frame = reader.read()
            self.assertEqual(len(frame.side_data), 2)
            (frame.format, frame.segment, frame.tags, frame.data, repr(frame))
            copies.write([plane[::-1] for plane in frame.planes], like=frame)
            with self.assertRaises(reel.Error):
                frame.array  # several planes: an error is no leak either

        for number in range(1000):
            cycle(number)
        gc.collect()
        counted, memory_kib, none = len(gc.get_objects()), resident_kib(), sys.getrefcount(None)
        for number in range(10_000):
            cycle(number)
        gc.collect()
        self.assertLess(abs(len(gc.get_objects()) - counted), 100)
        self.assertLess(abs(sys.getrefcount(None) - none), 100)
        self.assertLess(resident_kib() - memory_kib, 1024)
        self.assertEqual(writer.readers[0]["pinned"], 0)


main()
