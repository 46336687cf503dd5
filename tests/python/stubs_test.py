"""The type stubs: complete, true and good enough for a strict checker."""

import os
import subprocess
import sys

import reel
from support import StreamTest, main, need

PROGRAM = """
    import asyncio
    from typing import List
    import numpy as np
    import reel

    async def sums(stream: str) -> List[int]:
        return [int(frame.array.sum()) async for frame in reel.Reader(stream, policy="latest")]

    class Count(reel.Stage):
        seen: int = 0
        def process(self, frame: reel.Frame, port: str) -> None:
            self.seen += frame.sequence
            self.output.write([plane[::-1] for plane in frame.planes], like=frame, side_data=frame.side_data)

    def main() -> None:
        with reel.Writer("s", reel.Format.video("BGR", 8, 8, fps=30)) as writer:
            loan = writer.acquire(timeout_ms=5)
            loan.array[:] = 0
            writer.publish(loan, pts_ns=1)
        print(asyncio.run(sums("s")), np.zeros(3))
"""
WRONG = """
    import reel
    reel.Reader("s", policy=3).read().array
    reel.Writer("s").publish("no loan")
"""


class Stubs(StreamTest):
    def mypy(self, *arguments):
        # Where it keeps what it found is of the test.
        run = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=self.directory.name,
                             env=dict(os.environ, MYPYPATH=os.path.dirname(os.path.dirname(reel.__file__))))
        return run.returncode, run.stdout + run.stderr

    def setUp(self):
        super().setUp()
        need("mypy")

    def test_say_what_is_there_and_nothing_else(self):
        # pybind11's: its metaclass, and constructors of what is not constructed.
        allowed = self.file("allowed", """
            reel._reel.(Format|Frame|Loan|Reader|Writer)
            reel._reel.(Frame|Loan).__init__
        """)
        status, said = self.mypy("mypy.stubtest", "reel._reel", "--allowlist", allowed)
        self.assertEqual(status, 0, said)

    def test_the_package_and_its_users_pass_a_strict_check(self):
        status, said = self.mypy("mypy", "--strict", self.file("program.py", PROGRAM))
        self.assertEqual(status, 0, said)
        status, said = self.mypy("mypy", "--strict", "-p", "reel")
        self.assertEqual(status, 0, said)

    def test_mistakes_are_found(self):
        status, said = self.mypy("mypy", "--strict", self.file("wrong.py", WRONG))
        self.assertEqual(status, 1, said)
        for found in ('"policy"', '"None"', '"publish"'):
            self.assertIn(found, said)


main()
