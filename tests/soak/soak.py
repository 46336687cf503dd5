"""What the demonstrations share: the command line, a place of their own, `reel run` with its log, claims and how they came out."""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

SKIPPED = 77  # to CTest
WATCHDOG_S = 300


def skip(why, forbidden=False):
    """What is missing may be installed; what is `forbidden` here is nobody's fault."""
    required = "REEL_REQUIRE_ALL_TESTS" in os.environ and not forbidden
    print(f"skipped: {why}" + (", and REEL_REQUIRE_ALL_TESTS is set" if required else ""))
    sys.exit(1 if required else SKIPPED)


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            skip(f"no {program} (apps/install-packages test installs it)")


def wait_until(condition, what, watchdog_s=WATCHDOG_S):
    until = time.monotonic() + watchdog_s
    while not (found := condition()):
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {watchdog_s} s")
        time.sleep(0.01)
    return found


class Demonstration:
    """One run of a program: where it works, what it claims, and its end."""

    def __init__(self, summary, **arguments):
        parser = argparse.ArgumentParser(description=summary)
        parser.add_argument("build", help="the build's directory: its bin/reel is run")
        parser.add_argument("--short", action="store_true", help="what a test has time for")
        parser.add_argument("--keep", action="store_true", help="keep what was made, though all is well")
        parser.add_argument("--work", help="where to work; default: below TMPDIR")
        for name, (full, short, help_text) in arguments.items():
            parser.add_argument("--" + name, type=type(full), help=f"{help_text}; default {full}, with --short {short}")
        self.options = parser.parse_args()
        for name, (full, short, _) in arguments.items():
            if getattr(self.options, name) is None:
                setattr(self.options, name, short if self.options.short else full)
        self.name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
        self.reel = os.path.join(os.path.abspath(self.options.build), "bin", "reel")
        if not os.access(self.reel, os.X_OK):
            sys.exit(f"{self.name}: there is no {self.reel}: give the build's directory")
        if self.options.work:
            os.makedirs(self.options.work, exist_ok=True)
        self.work = tempfile.mkdtemp(prefix=f"reel-soak-{self.name}-", dir=self.options.work)
        os.environ["REEL_RUNTIME_DIR"] = self.path("runtime")
        os.mkdir(self.path("runtime"), 0o700)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("asked to end"))
        self.started = time.monotonic()
        self.figures, self.claims, self.processes = [], [], []

    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def say(self, text):
        print(f"[{time.monotonic() - self.started:6.1f} s] {text}", flush=True)

    def figure(self, what, value):
        self.figures.append((what, str(value)))

    def claim(self, what, holds, found=""):
        self.claims.append((what, bool(holds), str(found)))

    def start(self, arguments, log, **options):
        """A process whose output and errors go to files LOG.out and LOG.log; killed at the end."""
        with open(self.path(log + ".out"), "wb") as out, open(self.path(log + ".log"), "wb") as errors:
            process = subprocess.Popen(arguments, stdout=out, stderr=errors, **options)
        self.processes.append(process)
        return process

    def reel_says(self, *arguments):
        """(status, what it printed)"""
        done = subprocess.run([self.reel, *arguments], capture_output=True, text=True, timeout=WATCHDOG_S)
        return done.returncode, done.stdout + done.stderr

    def run(self, body):
        """Runs it, prints how it came out, and ends the program."""
        try:
            body(self)
        except SystemExit as skipped:
            if skipped.code == SKIPPED:
                raise
            self.claim("the demonstration comes to its end", False, skipped)
        except BaseException as error:  # whatever it was: processes are ended, what was made is kept
            self.claim("the demonstration comes to its end", False, f"{type(error).__name__}: {error}")
            if not isinstance(error, (TimeoutError, AssertionError, KeyboardInterrupt)):
                import traceback
                traceback.print_exc()
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        good = all(holds for _, holds, _ in self.claims) and bool(self.claims)
        self.print_table()
        if good and not self.options.keep:
            shutil.rmtree(self.work, ignore_errors=True)
        else:
            print(f"kept: {self.work}")
        print(f"{self.name}: {'PASS' if good else 'FAIL'}, {time.monotonic() - self.started:.0f} s", flush=True)
        sys.exit(0 if good else 1)

    def print_table(self):
        width = max((len(what) for what, _ in self.figures), default=0)
        print()
        for what, value in self.figures:
            print(f"  {what:{width}}  {value}")
        print()
        for what, holds, found in self.claims:
            print(f"{'PASS' if holds else 'FAIL'}  {what}" + (f": {found}" if found else ""))


class Pipeline:
    """`reel run` on a file of that text, in the demonstration's directory."""

    def __init__(self, demonstration, text, name="pipeline"):
        self.demonstration, self.name = demonstration, name
        with open(demonstration.path(name + ".yaml"), "w") as file:
            file.write(text)
        self.summary_path = demonstration.path(name + ".summary.json")
        self.process = demonstration.start(
            [demonstration.reel, "run", demonstration.path(name + ".yaml"), "--serve", "127.0.0.1:0", "--summary-json",
             self.summary_path], name)
        self.address = wait_until(self._served, "reel run says where it serves")

    def _served(self):
        if self.process.poll() is not None:
            raise AssertionError(f"reel run ended with status {self.process.returncode}: {self.log()}")
        found = re.search(r"serves (http://[^ ]+)/metrics", self.log())
        return found and found.group(1)

    def log(self):
        with open(self.demonstration.path(self.name + ".log"), errors="replace") as file:
            return file.read()

    def metrics(self):
        """{(name, stage, stream): value}; empty while nothing answers."""
        try:
            text = urllib.request.urlopen(self.address + "/metrics", timeout=10).read().decode()
        except OSError:
            return {}
        found = {}
        for name, labels, value in re.findall(r"^(\w+)\{(.*)\} (\S+)$", text, flags=re.M):
            of = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            found[name, of.get("stage", ""), of.get("stream", "")] = float(value)
        return found

    def metric(self, name, stage, stream=""):
        return self.metrics().get((name, stage, stream))

    def stage(self, name):
        """The process of the stage; 0 while it has none."""
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/stat") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if parent == self.process.pid and (b"--name", name.encode()) in zip(words, words[1:]):
                return int(entry)
        return 0

    def wait_for_stage(self, name, before=0):
        return wait_until(lambda: (pid := self.stage(name)) != before and pid, f"stage {name} has a process")

    def end(self):
        """Drains it; its status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(WATCHDOG_S)

    def summary(self):
        """{stage: what the closing table says of it}"""
        with open(self.summary_path) as file:
            return {stage["name"]: stage for stage in json.load(file)["stages"]}

    def published(self, summary, stream):
        """Frames, as their writer counted them."""
        return sum(out["frames"] for stage in summary.values() for out in stage["outputs"] if out["stream"] == stream)

    def verdicts(self):
        """{stage: what a synthetic.verify printed at its end}"""
        found = {}
        with open(self.demonstration.path(self.name + ".out"), errors="replace") as file:
            for line in file:
                if line.startswith('{"stage"'):
                    verdict = json.loads(line)
                    found[verdict["stage"]] = verdict
        return found
