"""examples.py SOURCE BUILD: runs every example that `reel --help` and `reel COMMAND --help` show, as it stands there.

The examples are taken out of the help itself: lines that begin with "Example: ", of which each command has one at least. How each is
run, and what must come of it, is in EXAMPLES below; one that is not there, and an entry that no help shows, fail the test. To add an
example, write it into the command's footer and add its entry:

  whole      run by itself
  running    run while configs/quickstart.yaml runs
  recording  run while configs/record.yaml records
  until_end  started while it runs, must end by itself when that ends
  stopping   ends it; run last

Its check gets what was printed (standard output and error) and the directory it was run in; what it returns is what is wrong.
"""

import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

SKIPPED = 77  # to CTest
WATCHDOG = 120
PORT = 8090  # of the page of configs/quickstart.yaml


def says(*words):
    return lambda said, work: [f"'{word}' is not in what it printed" for word in words if word not in said]


def check_table(said, work):
    wrong = says("pipeline faces:", "overlay")(said, work)
    states = re.findall(r"^(\w+) +(finished|failed|stopped)\b", said, flags=re.M)
    if not states or any(state != "finished" for _, state in states):
        wrong.append(f"these stages ended badly: {states}")
    return wrong


def check_svg(said, work):
    with open(os.path.join(work, "quickstart.svg")) as file:
        return says("<svg", "faces", "annotated")(file.read(), work)


def check_png(said, work):
    with open(os.path.join(work, "now.png"), "rb") as file:
        return says("now.png: frame ")(said, work) + ([] if file.read(8) == b"\x89PNG\r\n\x1a\n" else ["now.png is no PNG"])


def check_ls(said, work):
    names = {stream["name"] for stream in json.loads(said)}
    return [] if {"camera", "microphone", "annotated"} <= names else [f"it lists {names}"]


def check_new_plugin(said, work):
    made = sorted(os.listdir(os.path.join(work, "glow")))
    wanted = ["CMakeLists.txt", "README.md", "acme_glow.cpp", "acme_glow.yaml"]
    return says("reel run glow/acme_glow.yaml")(said, work) + ([] if made == wanted else [f"it made {made}"])


def check_bash_script(said, work):
    done = subprocess.run(["bash", "--norc", "-c", "source ./reel.bash && complete -p reel"], cwd=work, capture_output=True, text=True)
    return [] if "-F _reel reel" in done.stdout else [f"bash says {done.stdout}{done.stderr}"]


def check_trace(said, work):
    with open(os.path.join(work, "trace.json")) as file:
        trace = json.load(file)
    events = trace["traceEvents"] if isinstance(trace, dict) else trace
    return [] if any(event.get("ph") in ("X", "B") for event in events) else ["there is no span in trace.json"]


def check_listed(said, work):
    return says("2 segments", "door_20261122T073136.345Z.mp4")(said, work)


def check_exported(said, work):
    made = os.path.getsize(os.path.join(work, "door.mp4"))
    return says("of 2 segments")(said, work) + ([] if made > 1_000_000 else [f"door.mp4 has {made} bytes"])


def check_events(said, work):
    # A call that has just come may not have reached the recorder.
    return [] if "doorbell" in said or "no events of the recording door" in said else ["there is no list of events"]


EXAMPLES = {
    "reel run configs/quickstart.yaml": ("whole", check_table),
    "reel run configs/quickstart.yaml --set camera.uri=$PWD/clip.mp4 --duration 10": ("whole", check_table),
    "reel check configs/quickstart.yaml": ("whole", says("pipeline faces, ", ": fine")),
    "reel graph configs/quickstart.yaml --format svg > quickstart.svg": ("whole", check_svg),
    "reel recordings ls recordings --from 2026-11-22T07:30Z": ("whole", check_listed),
    "reel recordings verify recordings --decode": ("whole", says("2 segments decoded, 0 bad")),
    "reel recordings export recordings --recording door --to now --output door.mp4": ("whole", check_exported),
    "reel recordings retain recordings --max-age 30d --min-free 1MB --dry-run": ("whole", says("would have removed")),
    "reel play recordings --from +5s --speed 0 --stream video=camera --into configs/filters/motion.yaml":
        ("whole", says("pipeline motion", "playback  finished", "> camera")),
    "reel plugins opencv.faces": ("whole", says("opencv.faces: ", "Options", "threshold")),
    "reel plugins acme.glow --new glow": ("whole", check_new_plugin),
    "reel completion bash > reel.bash": ("whole", check_bash_script),
    "reel doctor": ("whole", says("fine     ")),
    "reel ls --json": ("running", check_ls),
    "reel inspect camera": ("running", says("stream       camera", "video/x-raw", "SLOT")),
    "reel verify camera --frames 100": ("running", says("camera: 100 of 100 frames", "100 verified, 0 corrupted")),
    "reel snapshot camera now.png": ("running", check_png),
    "reel trace trace.json --seconds 2": ("running", check_trace),
    "reel restart faces": ("running", says()),
    "reel apply configs/quickstart.yaml": ("running", says("faces: restarted: its options changed\n")),
    'reel event --kind doorbell --note "the postman" --duration 10s': ("recording", says()),
    "reel event door --list": ("recording", check_events),
    "reel top --sort cpu": ("until_end", says("END TO END", "faces", "annotated")),
    "reel logs --follow --stage faces": ("until_end", says("faces: asked to restart", "faces: finished")),
    "reel stop faces --wait": ("stopping", says()),
}


def examples_of(reel, *command):
    said = subprocess.run([reel, *command, "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^Example: (.*)$", said, flags=re.M), said


def shown_examples(reel):
    """Every example of every command that the help lists."""
    examples, said = examples_of(reel)
    listed = said[said.index("Subcommands:"):]
    commands = re.findall(r"^  ([a-z]+) ", listed, flags=re.M)
    if len(commands) < 14:
        raise SystemExit(f"{len(commands)} commands found: has the help changed its form?\n{said}")
    for command in commands:
        its, _ = examples_of(reel, command)
        if not its or not all(example.startswith(f"reel {command} ") or example == f"reel {command}" for example in its):
            raise SystemExit(f"`reel {command} --help` has no example of it: a line 'Example: reel {command} ...' in its footer; it has {its}")
        examples += its
    unknown = sorted(set(examples) - set(EXAMPLES))
    if unknown:
        raise SystemExit(f"these examples have no entry in EXAMPLES of {__file__}, and nothing runs them: {unknown}")
    # The parts of Reel that were not built have no help.
    left_out = [example for example in EXAMPLES if example.split()[1] not in commands]
    gone = sorted(set(EXAMPLES) - set(examples) - set(left_out))
    if gone:
        raise SystemExit(f"no help shows these any more: {gone}")
    return list(dict.fromkeys(examples))


def take_the_page_s_port():
    """Moves to a network of our own, where no port is taken; may we not, the page's must be free here."""
    clone_newnet, get_flags, set_flags, up = 0x40000000, 0x8913, 0x8914, 1
    if ctypes.CDLL(None).unshare(clone_newnet) == 0:
        with socket.socket() as any_socket:
            _, flags = struct.unpack_from("16sh", fcntl.ioctl(any_socket, get_flags, struct.pack("16sh22x", b"lo", 0)))
            fcntl.ioctl(any_socket, set_flags, struct.pack("16sh22x", b"lo", flags | up))
        return
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", PORT))
        except OSError as error:
            print(f"examples: Skipped\nport {PORT} is taken ({error.strerror}), and only root may have a network of its own")
            sys.exit(1 if "REEL_REQUIRE_ALL_TESTS" in os.environ else SKIPPED)


class Place:
    """A directory with what the examples name, and a runtime directory."""

    def __init__(self, work, source, build):
        self.work = work
        self.failures = []
        os.symlink(os.path.join(source, "apps"), os.path.join(work, "apps"))
        shutil.copytree(os.path.join(source, "configs"), os.path.join(work, "configs"))
        shutil.copy(os.path.join(source, "apps", "media", "hello.mp4"), os.path.join(work, "clip.mp4"))
        day = os.path.join(work, "recordings", "2026-11-22")
        os.makedirs(day)
        for time_of_day in ("073116", "073136"):
            shutil.copy(os.path.join(work, "clip.mp4"), os.path.join(day, f"door_20261122T{time_of_day}.345Z.mp4"))
        self.environment = dict(os.environ, REEL_RUNTIME_DIR=os.path.join(work, "runtime"), HOME=work,
                                OUT=os.path.join(work, "pictures"), NO_COLOR="1",
                                PATH=f"{os.path.join(build, 'bin')}:{os.environ['PATH']}")
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "REEL_PLUGIN_PATH", "REEL_READER", "XDG_RUNTIME_DIR"):
            self.environment.pop(name, None)
        os.mkdir(self.environment["REEL_RUNTIME_DIR"], 0o700)

    def edit_quickstart(self, before, after):
        path = os.path.join(self.work, "configs", "quickstart.yaml")
        with open(path) as file:
            text = file.read()
        if before not in text:
            raise SystemExit(f"configs/quickstart.yaml has no '{before}' any more")
        with open(path, "w") as file:
            file.write(text.replace(before, after, 1))

    def start(self, command):
        return subprocess.Popen(["bash", "-euo", "pipefail", "-c", command], cwd=self.work, env=self.environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def finish(self, command, process, check):
        try:
            said, _ = process.communicate(timeout=WATCHDOG)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            said += "\nit did not end"
        try:
            wrong = check(said, self.work) if process.returncode == 0 else [f"status {process.returncode}"]
        except (OSError, ValueError, KeyError) as error:
            wrong = [repr(error)]
        print(f"{'FAILED' if wrong else 'ran'}: {command}", flush=True)
        if wrong:
            self.failures.append(command)
            print("\n".join(wrong), said, sep="\n", flush=True)

    def run(self, command):
        self.finish(command, self.start(command), EXAMPLES[command][1])

    def record(self, commands):
        """Runs them while the clip is recorded again and again."""
        if not commands:
            return
        pipeline = self.start("RECORDINGS=$PWD/doorbell reel run configs/record.yaml --set camera.realtime=true --set camera.loop=true")
        try:
            self.wait_for_frames("camera")
            deadline = time.monotonic() + WATCHDOG
            while "door.recording" not in os.listdir(self.environment["REEL_RUNTIME_DIR"]) and time.monotonic() < deadline:
                time.sleep(0.2)
            for command in commands:
                self.run(command)
        finally:
            os.killpg(pipeline.pid, signal.SIGINT)
            pipeline.communicate(timeout=WATCHDOG)

    def wait_for_frames(self, stream):
        deadline = time.monotonic() + WATCHDOG
        while time.monotonic() < deadline:
            seen = subprocess.run(["reel", "inspect", stream], env=self.environment, capture_output=True, text=True).stdout
            if "ready" in seen:
                return
            time.sleep(0.2)
        raise SystemExit(f"no frame of {stream} came")


def main():
    source, build = sys.argv[1:3]
    examples = shown_examples(os.path.join(build, "bin", "reel"))
    take_the_page_s_port()
    by_kind = {kind: [one for one in examples if EXAMPLES[one][0] == kind] for kind in ("whole", "running", "recording", "until_end", "stopping")}
    with tempfile.TemporaryDirectory(prefix="reel-examples-") as work:
        place = Place(work, source, build)
        for command in by_kind["whole"]:
            place.run(command)
        place.record(by_kind["recording"])
        place.edit_quickstart("realtime: true", "realtime: true, loop: true")
        pipeline_line = "reel run configs/quickstart.yaml"
        pipeline = place.start(pipeline_line)
        try:
            place.wait_for_frames("annotated")
            place.edit_quickstart("use: opencv.faces", "use: opencv.faces\n    options: {threshold: 0.8}")  # for `reel apply`
            watching = [(command, place.start(command)) for command in by_kind["until_end"]]
            for command in by_kind["running"]:
                place.run(command)
            place.wait_for_frames("annotated")
            for command in by_kind["stopping"]:
                place.run(command)
            for command, process in watching:
                place.finish(command, process, EXAMPLES[command][1])
            place.finish(pipeline_line, pipeline, check_table)
        finally:
            if pipeline.poll() is None:
                os.killpg(pipeline.pid, signal.SIGKILL)
        left = os.listdir(place.environment["REEL_RUNTIME_DIR"])
        if left:
            place.failures.append(f"left in the runtime directory: {left}")
        if place.failures:
            raise SystemExit(f"failed: {place.failures}")
    print(f"{len(examples)} examples ran")


main()
