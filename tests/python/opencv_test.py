"""OpenCV on frames and loans, without a copy."""

import signal

import numpy as np

import reel
from support import StreamTest, main, need

DRAWS = """
    import cv2, reel
    reader = reel.Reader("s", start="oldest")
    frame = reader.read()
    try:
        cv2.rectangle(frame.array, (1, 1), (20, 20), (255, 255, 255), -1)
        print("drawn")
    except cv2.error:
        print("refused")
"""


class OpenCv(StreamTest):
    def setUp(self):
        super().setUp()
        need("cv2")

    def test_reads_frames_and_writes_loans_in_place(self):
        import cv2

        picture = np.random.default_rng(3).integers(0, 255, (48, 64, 3), np.uint8)
        with reel.Writer("a", reel.Format.video("BGR", 64, 48)) as first, reel.Writer("b", first.format) as second:
            reader, last = reel.Reader("a"), reel.Reader("b")
            first.write(picture)
            frame, loan = reader.read(), second.acquire()
            cv2.flip(frame.array, 0, dst=loan.array)
            second.publish(loan, like=frame)
            np.testing.assert_array_equal(last.read().array, picture[::-1])
            self.assertEqual(second.stats["copied"], 0)

    def test_converts_a_picture_of_planes(self):
        import cv2

        grey = np.full((48, 64), 126, np.uint8)
        for pixel, code, chroma in (("NV12", cv2.COLOR_YUV2BGR_NV12, [np.full((24, 32, 2), 128, np.uint8)]),
                                    ("I420", cv2.COLOR_YUV2BGR_I420, [np.full((24, 32), 128, np.uint8)] * 2)):
            with reel.Writer("s", reel.Format.video(pixel, 64, 48)) as writer, reel.Reader("s") as reader:
                writer.write([grey, *chroma])
                frame = reader.read()
                bgr = cv2.cvtColor(frame.data.reshape(-1, 64), code)
                self.assertEqual(bgr.shape, (48, 64, 3))
                self.assertTrue((abs(bgr.astype(int) - 128) <= 1).all())

    def test_drawing_on_a_frame_hurts_nobody_else(self):
        # OpenCV 4.6 does not look whether an array may be written: the kernel stops it.
        with reel.Writer("s", reel.Format.video("BGR", 64, 48)) as writer:
            reader = reel.Reader("s")
            writer.write(np.full((48, 64, 3), 7, np.uint8))
            status, output, _ = self.python(DRAWS).end()
            self.assertTrue(status == -signal.SIGSEGV or output == "refused\n", (status, output))
            frame = reader.read()
            self.assertTrue(frame.verified)
            self.assertTrue((frame.array == 7).all())


main()
