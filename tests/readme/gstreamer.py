"""gstreamer.py PART SOURCE BUILD ELEMENTS: runs what plugins/gstreamer/README.md shows.

drop-in  each line of the table "In place of other elements", with a partner: a reader that takes five buffers from a line that
         writes, a writer of twenty pictures (or pieces of sound) and their end for a line that reads
bridges  each pipeline file, whole
python   each program, by Debian's own Python, while a picture of one colour is written: what it prints is that colour
"""

import ast
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile

SKIPPED = 77  # to CTest
WATCHDOG = 60
PYTHON = "/usr/bin/python3"  # the one that Debian's packages are for
COLOUR = (0x12, 0x56, 0xC8)  # red, green, blue
PICTURES = "video/x-raw,format=RGB,width=64,height=48,framerate=50/1"


def blocks(text, language):
    return re.findall(rf"^```{language} (\S+)\n(.*?)^```$", text, flags=re.M | re.S)


class Place:
    """A runtime directory and a registry of this test's own."""

    def __init__(self, work, build, elements):
        self.work, self.build = work, build
        self.environment = dict(os.environ, REEL_RUNTIME_DIR=os.path.join(work, "runtime"), GST_PLUGIN_PATH=elements,
                                GST_REGISTRY=os.path.join(work, "registry"), GST_DEBUG_NO_COLOR="1")
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "REEL_READER"):
            self.environment.pop(name, None)
        os.mkdir(self.environment["REEL_RUNTIME_DIR"], 0o700)
        self.reel = os.path.join(build, "bin", "reel")

    def start(self, command):
        return subprocess.Popen(command, cwd=self.work, env=self.environment, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def launch(self, line, *options):
        return self.start(["gst-launch-1.0", *options, *shlex.split(line)])

    def end(self, process, ask=None):
        """What it printed; its exit status is looked at where it was not asked to end."""
        if ask is not None:
            process.send_signal(ask)
        try:
            said, _ = process.communicate(timeout=WATCHDOG)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            raise SystemExit(f"it does not end: {shlex.join(process.args)}\n{said}")
        if "ERROR" in said or (ask is None and process.returncode != 0):
            raise SystemExit(f"status {process.returncode}: {shlex.join(process.args)}\n{said}")
        return said


def stream_of(line):
    return re.search(r"\bstream=(\S+)", line).group(1)


def run_writer(place, line):
    writer = place.launch(line, "-q")
    try:
        place.end(place.launch(f"reelsrc stream={stream_of(line)} ! fakesink num-buffers=5", "-q"))
    finally:
        place.end(writer, signal.SIGINT)


def run_reader(place, line):
    media = "videotestsrc is-live=true num-buffers=20 ! video/x-raw,format=I420,width=320,height=240,framerate=100/1"
    if "audio" in line:
        media = "audiotestsrc is-live=true num-buffers=20 ! audio/x-raw,format=S16LE,rate=48000,channels=2"
    if "decodebin" in line:
        media += " ! jpegenc"
    # There is no display here, and a sink that says what it got.
    shown = re.sub(r"\b(autovideosink|autoaudiosink|fakesink)\b", "fakesink silent=false", line)
    reader = place.launch(shown, "-v")
    writer = place.launch(f"{media} ! reelsink stream={stream_of(line)} wait-for-readers=1", "-q")
    said = place.end(reader)
    place.end(writer, signal.SIGINT if "num-buffers" in line else None)
    if "chain" not in said:
        raise SystemExit(f"nothing arrived: {line}\n{said}")


def drop_in(place, text):
    rows = re.findall(r"^\| (\w+) \| `([^`]+)` \| `([^`]+)` \|$", text, flags=re.M)
    for theirs, was, line in rows:
        if theirs not in was:
            raise SystemExit(f"the line of a {theirs} has none: {was}")
        print(f"{theirs}: {line}", flush=True)
        if "reelsink" in line:
            run_writer(place, line)
        else:
            run_reader(place, line)
    if len(rows) < 15:
        raise SystemExit(f"{len(rows)} lines found: has the table changed its form?")
    left = os.listdir(place.environment["REEL_RUNTIME_DIR"])
    if left:
        raise SystemExit(f"left in the runtime directory: {left}")


def bridges(place, text):
    files = blocks(text, "yaml")
    for name, body in files:
        with open(os.path.join(place.work, name), "w") as file:
            file.write(body)
        said = place.end(place.start([place.reel, "run", name, "--summary-json", "summary.json"]))
        print(said, flush=True)
        with open(os.path.join(place.work, "summary.json")) as file:
            stages = json.load(file)["stages"]
        states = {stage["name"]: stage["state"] for stage in stages}
        if set(states.values()) != {"finished"}:
            raise SystemExit(f"{name}: {states}\n{said}")
        check = next((stage for stage in stages if stage["name"] == "check"), None)
        if check is not None and check["inputs"][0]["verified"] != 60:
            raise SystemExit(f"{name}: not every frame arrived\n{said}")
    size = os.path.getsize(os.path.join(place.work, "camera.yuv"))
    if size != 60 * 320 * 240 * 3 // 2:
        raise SystemExit(f"60 pictures are not {size} bytes")
    if len(files) != 2:
        raise SystemExit(f"{len(files)} pipelines found, not 2")


def run_program(place, name, body):
    with open(os.path.join(place.work, name), "w") as file:
        file.write(body)
    red, green, blue = COLOUR
    program = place.start([PYTHON, name])
    writer = place.launch(f"videotestsrc is-live=true num-buffers=20 pattern=solid-color "
                          f"foreground-color={0xFF000000 | red << 16 | green << 8 | blue} ! {PICTURES} ! "
                          f"reelsink stream=a wait-for-readers=1", "-q")
    said = place.end(program)
    place.end(writer)
    lines = [line for line in said.splitlines() if line.startswith("(")]
    if not lines:
        raise SystemExit(f"{name} got no picture:\n{said}")
    for line in lines:
        shape, pixel = re.fullmatch(r"(\([^)]*\)) \[(.*)\]", line).groups()
        if ast.literal_eval(shape) != (48, 64, 3) or [int(part) for part in re.findall(r"\d+", pixel)] != [blue, green, red]:
            raise SystemExit(f"{name}: not the picture that was written: {line}")
    print(f"{name}: {len(lines)} pictures", flush=True)


def python(place, text):
    programs = blocks(text, "python")
    if len(programs) != 2:
        raise SystemExit(f"{len(programs)} programs found, not 2")
    for name, body in programs:
        for module in re.findall(r"^import (\w+)", body, flags=re.M):
            there = subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True)
            if there.returncode != 0:
                print(f"Skipped\n{PYTHON} has no module {module}: apps/install-packages test")
                sys.exit(1 if "REEL_REQUIRE_ALL_TESTS" in os.environ else SKIPPED)
        run_program(place, name, body)


def main():
    part, source, build, elements = sys.argv[1:5]
    with open(os.path.join(source, "plugins", "gstreamer", "README.md")) as file:
        text = file.read()
    with tempfile.TemporaryDirectory(prefix="reel-readme-gst-") as work:
        place = Place(work, build, elements)
        {"drop-in": drop_in, "bridges": bridges, "python": python}[part](place, text)


main()
