"""A reader in Python that is killed or stopped harms nobody."""

import signal

import numpy as np

import reel
from support import StreamTest, main, wait_until

PICTURE = reel.Format.video("GRAY8", 64, 48)
FRAMES = 200

READER = """
    import sys, reel
    reader = reel.Reader("s", name="victim", policy=sys.argv[1], max_pins=2)
    print("up", flush=True)
    kept = reader.read().array
    print("holds", flush=True)
    sys.stdin.readline()
    del kept
    for frame in reader:
        pass
    print(reader.stats["delivered"], flush=True)
"""


class Survivors(StreamTest):
    def victim(self, policy):
        program = self.python(READER, policy)
        self.assertEqual(program.line(), "up")
        return program

    def write(self, writer, frames, first=0):
        for i in range(first, first + frames):
            writer.write(np.full((48, 64), i % 251, np.uint8), pts_ns=i)

    def goes_on(self, signal_number, live, policy, **options):
        """Frames to a C++ reader and the victim, which is struck while it holds one. The writer publishes on."""
        writer = reel.Writer("s", PICTURE, slots=32, live=live, lag_frames=16 if live else 0, **options)
        other = self.peer("read", "s", "queue" if live else "lossless")
        program = self.victim(policy)
        self.assertTrue(wait_until(lambda: {reader["name"] for reader in writer.readers} == {"victim", "peer"}))
        self.write(writer, 3)
        self.assertEqual(program.line(), "holds")
        program.process.send_signal(signal_number)
        for i in range(3, FRAMES):
            self.write(writer, 1, i)
            # A live writer waits for nobody: what is shown is that the victim does not stand in the way.
            self.assertTrue(wait_until(lambda: self.cursor_of_peer(writer) >= i - 2))
        writer.end()
        status, output, errors = other.end()
        self.assertEqual(status, 0, errors)
        lines = output.splitlines()
        self.assertEqual([int(line.split()[1]) for line in lines[:-1]], list(range(FRAMES)))
        return writer, program

    def cursor_of_peer(self, writer):
        return next((reader["delivered"] for reader in writer.readers if reader["name"] == "peer"), 0)

    def test_killed_while_it_holds_a_frame_of_a_live_stream(self):
        writer, program = self.goes_on(signal.SIGKILL, True, "lossless")
        self.assertEqual([reader for reader in writer.readers if reader["name"] == "victim"], [])
        self.assertEqual(program.end()[0], -signal.SIGKILL)

    def test_stopped_while_it_holds_a_frame_of_a_live_stream(self):
        writer, program = self.goes_on(signal.SIGSTOP, True, "lossless")
        victim = next(reader for reader in writer.readers if reader["name"] == "victim")
        self.assertLessEqual(victim["pinned"], 2)
        program.process.send_signal(signal.SIGCONT)
        program.say()
        status, output, errors = program.end()  # it reads on, without what it missed
        self.assertEqual(status, 0, errors)
        self.assertLess(int(output), FRAMES)

    def test_killed_lossless_reader_of_a_writer_that_waits(self):
        self.goes_on(signal.SIGKILL, False, "lossless")

    def test_stopped_lossless_reader_is_demoted_after_its_time(self):
        writer, program = self.goes_on(signal.SIGSTOP, False, "lossless", stall_timeout_ms=300)
        self.assertEqual(writer.stats["demoted"], 1)
        program.process.send_signal(signal.SIGCONT)
        program.say()
        self.assertEqual(program.end()[0], 0)


main()
