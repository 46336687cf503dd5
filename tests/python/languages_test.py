"""Python and C++ on one stream, in both directions."""

import json
import zlib

import numpy as np

import reel
from support import StreamTest, main, wait_until

CAPS = "video/x-raw, format=(string)BGR, width=(int)64, height=(int)48, framerate=(fraction)25/1"
FRAMES = 300


class Languages(StreamTest):
    def test_a_reader_in_each_language_gets_every_frame_of_one_stream(self):
        writer = self.peer("write", "s", FRAMES, CAPS, "peer", "python")
        self.assertEqual(writer.line(), "up")
        theirs = self.peer("read", "s", "lossless")
        with reel.Reader("s", name="python", policy="lossless") as reader:
            writer.say()
            numbers = []
            for frame in reader:
                expected = (np.arange(64 * 48 * 3) + len(numbers)) % 251
                np.testing.assert_array_equal(frame.array.reshape(-1), expected)
                self.assertEqual(frame.pts_ns, len(numbers) * 40_000_000)
                faces, text = frame.side_data
                self.assertEqual(faces["detections"][0]["x"], len(numbers))
                self.assertEqual(text["value"], {"n": [1, 2]})
                numbers.append(frame.sequence)
                if len(numbers) == FRAMES:
                    writer.say()
            self.assertEqual(numbers, list(range(1, FRAMES + 1)))
            self.assertEqual(reader.stats["verified"], FRAMES)
        status, output, errors = theirs.end()
        self.assertEqual(status, 0, errors)
        self.assertEqual(len(output.splitlines()), FRAMES + 1)
        self.assertEqual(writer.end()[0], 0)

    def test_what_python_writes_is_read_by_c_plus_plus(self):
        theirs = self.peer("read", "s", "lossless")
        pictures = [np.random.default_rng(i).integers(0, 255, (48, 64, 3), np.uint8) for i in range(20)]
        with reel.Writer("s", reel.Format.video("BGR", 64, 48), wait_for=["peer"]) as writer:
            for i, picture in enumerate(pictures):
                faces = [{"label": "face", "x": 1, "y": 2, "width": 3, "height": 4}] * i
                writer.write(picture if i % 2 else picture[::-1], pts_ns=i,
                             side_data=[{"type": "detections", "name": "p", "detections": faces}])
            writer.end()
            self.assertTrue(writer.drain())
        status, output, errors = theirs.end()
        self.assertEqual(status, 0, errors)
        lines = [line.split() for line in output.splitlines()]
        self.assertEqual(lines.pop(), ["ended"])
        self.assertEqual([(int(sequence), int(pts), int(size), int(faces)) for sequence, pts, size, _, faces in lines],
                         [(i + 1, i, 64 * 48 * 3, i) for i in range(20)])
        self.assertEqual(len({line[3] for line in lines}), 20)

    def test_what_python_writes_is_verified_by_reel(self):
        verify = self.reel("verify", "s", "--frames", "100", "--policy", "lossless", "--json", "--timeout", "60")
        with reel.Writer("s", reel.Format.video("NV12", 64, 48)) as writer:
            self.assertTrue(wait_until(lambda: writer.readers))
            for i in range(100):
                loan = writer.acquire()
                luma, chroma = loan.planes
                luma[:], chroma[:] = i, 255 - i
                del luma, chroma
                writer.publish(loan, pts_ns=i)
            writer.end()
            writer.drain()
        status, output, errors = verify.end()
        self.assertEqual(status, 0, errors)
        verdict = json.loads(output)
        self.assertEqual((verdict["frames"], verdict["verified"]), (100, 100), verdict)

    def test_sound_of_c_plus_plus_is_an_array(self):
        writer = self.peer("write", "s", 3, "audio/x-raw, format=(string)S16LE, layout=(string)interleaved, rate=(int)48000, "
                           "channels=(int)2")
        self.assertEqual(writer.line(), "up")
        with reel.Reader("s") as reader:
            writer.say()
            frame = reader.read()
            self.assertEqual(frame.array.shape, (1024, 2))
            self.assertEqual(zlib.crc32(frame.array.tobytes()), zlib.crc32(frame.data.tobytes()))


main()
