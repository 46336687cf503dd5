"""What the tests of the Python package share: a runtime directory a test, other processes, waiting under a watchdog."""

import importlib.util
import os
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

WATCHDOG_S = 120
BIN = os.environ.get("REEL_TEST_BIN", "")  # where `reel` is
PEER = os.environ.get("REEL_TEST_PEER", "")


def wait_until(condition):
    """True once it holds; False when the watchdog's time is over."""
    until = time.monotonic() + WATCHDOG_S
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


class Process:
    """A child with pipes to it, killed when the test is over."""

    def __init__(self, arguments, **options):
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        **options)

    def line(self):
        return self.process.stdout.readline().strip()

    def say(self, text=""):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self):
        """(status, output, errors) once it has ended."""
        output, errors = self.process.communicate(timeout=WATCHDOG_S)
        return self.process.returncode, output, errors

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class StreamTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="reel-python-")
        self.addCleanup(self.directory.cleanup)
        self.runtime = os.path.join(self.directory.name, "runtime")
        os.mkdir(self.runtime, 0o700)
        os.environ["REEL_RUNTIME_DIR"] = self.runtime

    def file(self, name, text):
        path = os.path.join(self.directory.name, name)
        with open(path, "w") as file:
            file.write(textwrap.dedent(text))
        return path

    def start(self, *arguments, **options):
        process = Process(list(arguments), **options)
        self.addCleanup(process.close)
        return process

    def python(self, program, *arguments, **options):
        """Another Python with that program."""
        return self.start(sys.executable, "-c", textwrap.dedent(program), *arguments, **options)

    def peer(self, *arguments):
        return self.start(PEER, *map(str, arguments))

    def reel(self, *arguments, **options):
        return self.start(os.path.join(BIN, "reel"), *arguments, **options)


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def resident_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def need(module):
    """Skips what cannot be tested without it; where nothing may be skipped that is a failure."""
    if importlib.util.find_spec(module) is not None:
        return
    reason = f"{sys.executable} has no module {module}: apps/install-packages test"
    if "REEL_REQUIRE_ALL_TESTS" in os.environ:
        raise AssertionError(reason)
    raise unittest.SkipTest(reason)


def main():
    unittest.main(verbosity=2)
