"""Readers and writers that several threads reach for."""

import threading

import numpy as np

import reel
from support import StreamTest, main, wait_until

PICTURE = reel.Format.video("GRAY8", 8, 8)


class Threads(StreamTest):
    def waiting(self, call):
        """A thread in that call, and the list of what it ended with."""
        result = []

        def run():
            try:
                result.append(call())
            except reel.Error as error:
                result.append(error.code)

        thread = threading.Thread(target=run)
        thread.start()
        return thread, result

    def busy(self, use):
        try:
            use()
        except reel.Error as error:
            return error.code == "in_use"
        return False

    def test_a_reader_is_for_one_thread_at_a_time(self):
        writer, reader = reel.Writer("s", PICTURE), reel.Reader("s")
        thread, result = self.waiting(lambda: reader.read().sequence)
        self.assertTrue(wait_until(lambda: self.busy(lambda: reader.read(0))))
        with self.assertRaisesRegex(reel.Error, "one at a time"):
            reader.prepare_wait()
        writer.write(np.zeros((8, 8), np.uint8))
        thread.join()
        self.assertEqual(result, [1])

    def test_closing_ends_the_read_of_another_thread(self):
        writer, reader = reel.Writer("s", PICTURE), reel.Reader("s")
        thread, result = self.waiting(reader.read)
        self.assertTrue(wait_until(lambda: self.busy(lambda: reader.read(0))))
        reader.close()
        thread.join()
        self.assertEqual(result, ["closed"])
        self.assertTrue(reader.closed)
        self.assertTrue(wait_until(lambda: not writer.readers))

    def test_interrupting_ends_the_loop_of_another_thread_until_resumed(self):
        writer, reader = reel.Writer("s", PICTURE), reel.Reader("s")
        thread, result = self.waiting(lambda: [frame.sequence for frame in reader])
        self.assertTrue(wait_until(lambda: self.busy(lambda: reader.read(0))))
        reader.interrupt()
        thread.join()
        self.assertEqual(result, [[]])
        with self.assertRaises(reel.Error) as caught:
            reader.read()
        self.assertEqual(caught.exception.code, "interrupted")
        reader.resume()
        writer.write(np.zeros((8, 8), np.uint8))
        self.assertEqual(reader.read().sequence, 1)

    def test_a_reader_tells_about_itself_while_another_thread_waits(self):
        reader = reel.Reader("s")
        thread, result = self.waiting(lambda: [frame.sequence for frame in reader])
        self.assertTrue(wait_until(lambda: self.busy(lambda: reader.read(0))))
        self.assertFalse(reader.connected)
        self.assertFalse(reader.request_key_frame())
        for life in range(1, 13):
            with reel.Writer("s", PICTURE) as writer:
                while not writer.readers:
                    (reader.connected, reader.stats, reader.request_key_frame())  # while it connects
                self.assertTrue(wait_until(lambda: reader.connected))
                if life == 1:
                    self.assertTrue(reader.request_key_frame())
                    self.assertTrue(wait_until(writer.take_key_frame_request))
                writer.close()  # not its end: it is waited for
            while reader.connected:
                reader.request_key_frame()
        self.assertEqual(reader.stats["connects"], 12)
        reader.interrupt()
        thread.join()
        self.assertEqual(result, [[]])

    def full(self):
        """A writer whose every slot is taken by a reader that does not read."""
        writer = reel.Writer("s", PICTURE, slots=4, loans=1, grow_for_readers=False, stall_timeout_ms=0)
        reader = reel.Reader("s", policy="lossless", max_pins=1)
        with self.assertRaises(reel.Error):
            while True:
                writer.publish(writer.acquire(timeout_ms=1))
        return writer, reader

    def test_interrupting_or_closing_ends_the_wait_of_a_writer(self):
        for end, code in (("interrupt", "interrupted"), ("close", "closed")):
            writer, reader = self.full()
            thread, result = self.waiting(writer.acquire)
            self.assertTrue(wait_until(lambda: self.busy(lambda: writer.acquire(timeout_ms=0))))
            getattr(writer, end)()
            thread.join()
            self.assertEqual(result, [code])
            writer.close()
            reader.close()

    def test_a_loan_that_is_dropped_while_another_thread_waits_comes_back(self):
        writer = reel.Writer("s", PICTURE, slots=5, loans=2, grow_for_readers=False, stall_timeout_ms=0)
        reader = reel.Reader("s", policy="lossless", max_pins=1)
        loan = writer.acquire()
        kept = loan.array
        writer.publish(loan)  # open for as long as the array is kept
        with self.assertRaises(reel.Error):
            while True:
                writer.publish(writer.acquire(timeout_ms=1))
        thread, result = self.waiting(lambda: writer.acquire() is not None)
        self.assertTrue(wait_until(lambda: self.busy(lambda: writer.acquire(timeout_ms=0))))
        del kept
        while thread.is_alive():
            reader.read(timeout_ms=10)
        self.assertEqual(result, [True])
        first, second = writer.acquire(timeout_ms=0), None
        while second is None:
            reader.read(timeout_ms=0)
            try:
                second = writer.acquire(timeout_ms=10)
            except reel.Error as error:
                self.assertEqual(error.code, "timeout")
        self.assertTrue(first.open)

    def test_a_loan_that_is_dropped_while_another_thread_waits_is_given_back_behind_its_call(self):
        writer = reel.Writer("s", PICTURE, slots=5, loans=2, grow_for_readers=False, stall_timeout_ms=0)
        reader = reel.Reader("s", policy="lossless", max_pins=1)
        unused = [writer.acquire()]
        with self.assertRaises(reel.Error):
            while True:
                writer.publish(writer.acquire(timeout_ms=1))
        thread, result = self.waiting(lambda: writer.acquire().open)
        self.assertTrue(wait_until(lambda: self.busy(lambda: writer.acquire(timeout_ms=0))))
        unused.clear()  # the writer is the other thread's: given back now, its slot would end that one's wait
        thread.join(0.3)
        self.assertTrue(thread.is_alive(), "two threads were in one writer")
        while thread.is_alive():
            reader.read(timeout_ms=10)
        self.assertEqual(result, [True])
        self.assertTrue(writer.acquire(timeout_ms=0).open)  # what was dropped, without a reader's help

    def test_frames_are_dropped_in_any_thread(self):
        writer, reader = reel.Writer("s", PICTURE), reel.Reader("s", max_pins=4)
        for _ in range(50):
            writer.write(np.zeros((8, 8), np.uint8))
            frames = [reader.read()]
            thread = threading.Thread(target=frames.clear)
            thread.start()
            thread.join()
        self.assertEqual(writer.readers[0]["pinned"], 0)


main()
