"""Waits that Ctrl-C ends, and that let other threads run."""

import signal
import threading
import time

import numpy as np

import reel
from support import StreamTest, main

PROGRAM = """
    import sys, reel
    what, stream = sys.argv[1:]
    picture = reel.Format.video("GRAY8", 8, 8)
    if what == "read":
        reader = reel.Reader(stream)
        wait = reader.read
    elif what == "wait_for":
        writer = reel.Writer(stream, picture, wait_for=["nobody"], start_timeout_ms=1_000_000)
        loan = writer.acquire()
        wait = lambda: writer.publish(loan)
    else:
        writer = reel.Writer(stream, picture, slots=4, loans=1, wait_for=["slow"], stall_timeout_ms=0)
        print("writer", flush=True)
        writer.publish(writer.acquire())
        def fill():
            while True:
                writer.publish(writer.acquire())
        if what == "acquire":
            wait = fill
        else:
            writer.end()
            wait = writer.drain
    print("waiting", flush=True)
    try:
        wait()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        if what == "acquire":
            try:  # the writer goes on as before
                writer.acquire(timeout_ms=1)
            except reel.Error as error:
                print(error.code, flush=True)
"""


class Signals(StreamTest):
    def interrupted(self, what):
        program = self.python(PROGRAM, what, "s")
        reader = None
        if what in ("acquire", "drain"):
            self.assertEqual(program.line(), "writer")
            reader = reel.Reader("s", name="slow", policy="lossless")
        self.assertEqual(program.line(), "waiting")
        time.sleep(0.3)  # so that it does wait; were it not there yet, it would be interrupted all the same
        program.process.send_signal(signal.SIGINT)
        status, output, errors = program.end()
        self.assertEqual(status, 0, errors)
        del reader
        return output.splitlines()

    def test_ctrl_c_ends_a_read(self):
        self.assertEqual(self.interrupted("read"), ["interrupted"])

    def test_ctrl_c_ends_the_wait_for_readers(self):
        self.assertEqual(self.interrupted("wait_for"), ["interrupted"])

    def test_ctrl_c_ends_the_wait_for_a_slot_and_leaves_the_writer_as_it_was(self):
        self.assertEqual(self.interrupted("acquire"), ["interrupted", "timeout"])

    def test_ctrl_c_ends_a_drain(self):
        self.assertEqual(self.interrupted("drain"), ["interrupted"])

    def test_other_threads_run_while_one_waits(self):
        writer, reader = reel.Writer("s", reel.Format.video("GRAY8", 8, 8)), reel.Reader("s")
        got = []
        waiting = threading.Thread(target=lambda: got.append(int(reader.read().array[0, 0])))
        waiting.start()
        turns = 0
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            turns += 1  # would not come to this while the other one held the interpreter
        self.assertTrue(waiting.is_alive())
        self.assertGreater(turns, 1000)
        writer.write(np.full((8, 8), 6, np.uint8))
        waiting.join()
        self.assertEqual(got, [6])


main()
