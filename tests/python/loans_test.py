"""Slots that are filled in place: what may write to them, and when they come back."""

import gc

import numpy as np

import reel
from support import StreamTest, main

PICTURE = reel.Format.video("GRAY8", 64, 48)


class Loans(StreamTest):
    def test_a_loan_is_filled_in_place(self):
        writer, reader = reel.Writer("s", PICTURE), reel.Reader("s")
        loan = writer.acquire()
        self.assertEqual((loan.array.shape, loan.size, loan.format), ((48, 64), 48 * 64, PICTURE))
        loan.array[:] = np.arange(64, dtype=np.uint8)
        writer.publish(loan, pts_ns=5)
        frame = reader.read()
        np.testing.assert_array_equal(frame.array[47], np.arange(64))
        self.assertEqual(writer.stats["copied"], 0)

    def test_a_published_loan_is_its_readers(self):
        writer, reader = reel.Writer("s", PICTURE), reel.Reader("s")
        loan = writer.acquire()
        array, data = loan.array, loan.data
        array[:] = 1
        writer.publish(loan)
        self.assertFalse(loan.open)
        for view in (array, data):
            with self.assertRaises(ValueError):
                view[0] = 2
        for again in (lambda: writer.publish(loan), lambda: loan.array):
            with self.assertRaises(reel.Error) as caught:
                again()
            self.assertEqual(caught.exception.code, "closed")
        self.assertTrue((reader.read().array == 1).all())

    def test_a_slot_is_not_used_again_while_an_array_of_it_is_kept(self):
        writer = reel.Writer("s", PICTURE)
        loan = writer.acquire()
        array = loan.array
        array[:] = 77
        writer.publish(loan)
        address = array.__array_interface__["data"][0]
        for _ in range(3 * 8):
            other = writer.acquire()
            self.assertNotEqual(other.data.__array_interface__["data"][0], address)
            other.data[:] = 1
            writer.publish(other)
        self.assertTrue((array == 77).all())
        del array
        seen = set()
        for _ in range(3 * 8):
            other = writer.acquire()
            seen.add(other.data.__array_interface__["data"][0])
            writer.publish(other)
        self.assertIn(address, seen)

    def test_open_loans_are_bounded_and_come_back_when_dropped(self):
        writer = reel.Writer("s", PICTURE)
        first, second = writer.acquire(), writer.acquire()
        view = second.array
        with self.assertRaisesRegex(reel.Error, "2 loans are open") as caught:
            writer.acquire()
        self.assertEqual(caught.exception.code, "bad_argument")
        second.cancel()
        with self.assertRaises(reel.Error):
            writer.acquire()  # its array is still there
        del view
        third = writer.acquire()
        del first, third
        gc.collect()
        with writer.acquire() as fourth:
            self.assertTrue(fourth.open)
        self.assertFalse(fourth.open)
        self.assertEqual(writer.stats["published"], 0)

    def test_errors_that_are_kept_keep_no_slot(self):
        writer, reader = reel.Writer("s", PICTURE), reel.Reader("s")
        kept = []
        for wrong in (lambda: writer.write(np.zeros((3, 3), np.uint8)),
                      lambda: writer.write(np.zeros((48, 64), np.uint8), side_data=[{"type": "nothing", "name": ""}]),
                      lambda: writer.write(np.zeros((48, 64), np.uint8), pts_ns="soon")) * 2:
            try:
                wrong()
            except (reel.Error, TypeError) as error:
                kept.append(error)
        self.assertEqual(len(kept), 6)
        writer.write(np.full((48, 64), 5, np.uint8))
        self.assertEqual(reader.read().array[0, 0], 5)

    def test_a_loan_outlives_its_writer(self):
        writer = reel.Writer("s", PICTURE)
        loan = writer.acquire()
        array = loan.array
        writer.close()
        array[:] = 3
        self.assertTrue((array == 3).all())
        with self.assertRaises(reel.Error):
            writer.publish(loan)
        del writer, loan
        gc.collect()
        array[:] = 4
        del array

    def test_a_loan_of_another_writer_is_refused(self):
        writer, other = reel.Writer("s", PICTURE), reel.Writer("t", PICTURE)
        with self.assertRaisesRegex(reel.Error, 'of the stream "t"'):
            writer.publish(other.acquire())

    def test_a_frame_that_varies_says_its_size(self):
        writer, reader = reel.Writer("s"), None
        writer.set_format(reel.Format.from_caps("application/x-thing"))
        reader = reel.Reader("s")
        loan = writer.acquire(100)
        loan.data[:] = 9
        loan.set_size(10)
        writer.publish(loan)
        self.assertEqual(reader.read().array.tobytes(), b"\x09" * 10)
        loan = writer.acquire(100)
        with self.assertRaises(reel.Error) as caught:
            loan.set_size(loan.capacity + 1)
        self.assertEqual(caught.exception.code, "too_large")
        loan.copy_from(b"twelve bytes")
        writer.publish(loan)
        self.assertEqual(reader.read().array.tobytes(), b"twelve bytes")
        with self.assertRaises(reel.Error):
            writer.acquire(1).copy_from(bytes(10 << 20))
        with self.assertRaises((BufferError, ValueError)):
            writer.acquire(64).copy_from(np.zeros((8, 8), np.uint8)[:, ::2])

    def test_a_wait_for_a_slot_has_a_limit_that_names_who_holds_them(self):
        writer = reel.Writer("s", PICTURE, slots=4, grow_for_readers=False, loans=1)
        reader = reel.Reader("s", name="slow", policy="lossless", max_pins=1)
        for limit_ms in (20, 250):  # below and above the slice between two looks for signals
            with self.assertRaises(reel.Error) as caught:
                while True:
                    writer.publish(writer.acquire(timeout_ms=limit_ms))
            self.assertEqual(caught.exception.code, "timeout")
            self.assertIn("slow", caught.exception.message)
        self.assertIsNotNone(reader.read(0))
        writer.publish(writer.acquire(timeout_ms=0))


main()
