"""What a stage in Python costs for each frame beside one in C++ that does the same: pictures turned upside down.

    PYTHONPATH=build/python nice -n -15 /usr/bin/python3 tests/bench/python_stage/run.py build

The same source, pace and size for both, in turns: a pipeline with configs/flip.py's stage, one with flip.cpp's, and so on. Of each
frame: from the moment the source published it to the moment the stage did (hand-off, check of the checksum, flip, checksum of the
result), and the processor time of the stage's process. Medians over all frames of all rounds; nothing is asserted.
"""

import argparse
import collections
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile

import reel

LEFT_OUT = 30  # first frames of a round: until every slot was touched; flip.cpp has the same number
HERE = os.path.abspath(__file__)
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(reel.__file__)))  # stages run in another directory


def processor_us():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return round((used.ru_utime + used.ru_stime) * 1e6)


class Flip(reel.Stage):
    """configs/flip.py, and what it cost."""

    frames = 0

    def process(self, frame, port):
        if self.frames == LEFT_OUT:
            self.started_us = processor_us()
        self.frames += 1
        self.output.write([plane[::-1] for plane in frame.planes], like=frame)

    def stop(self):
        print(f"processor {processor_us() - self.started_us} us of {self.frames - LEFT_OUT} frames")


class Measure(reel.Stage):
    """Reads the stream before the stage and the one behind it."""

    def start(self):
        self.published = {port: collections.OrderedDict() for port in self.inputs}

    def process(self, frame, port):
        self.published[port][frame.offset] = frame.publish_ns

    def stop(self):
        before, behind = self.published["before"], self.published["behind"]
        print("latencies", json.dumps([behind[number] - before[number] for number in behind if number in before]))


PIPELINE = """
version: 1
streams: {{before: {{start_timeout: 1min}}}}
stages:
  camera:
    use: synthetic.source
    options: {{format: {format}, width: {width}, height: {height}, fps: {fps}, frames: {frames}}}
    out: before
  flip: {{{stage}, in: {{stream: before, wait: true}}, out: behind}}
  measure:
    use: exec
    options: {{command: [{python}, {here}, --as, measure]}}
    in: {{before: {{stream: before, wait: true, verify: never}}, behind: {{stream: behind, wait: true, verify: never}}}}
"""


def run(arguments, stage):
    """(latencies in ns, processor time of a frame in us) of one round."""
    text = PIPELINE.format(format=arguments.format, width=arguments.width, height=arguments.height, fps=arguments.fps,
                           frames=arguments.frames, stage=stage, python=sys.executable, here=HERE)
    with tempfile.TemporaryDirectory(prefix="reel-python-bench-") as directory:
        path = os.path.join(directory, "pipeline.yaml")
        with open(path, "w") as file:
            file.write(text)
        runtime = os.path.join(directory, "runtime")
        os.mkdir(runtime, 0o700)
        environment = dict(os.environ, REEL_RUNTIME_DIR=runtime, PYTHONPATH=PACKAGE,
                           REEL_PLUGIN_PATH=os.path.join(arguments.build, "tests", "plugins"))
        ran = subprocess.run([os.path.join(arguments.build, "bin", "reel"), "run", path], capture_output=True, text=True,
                             env=environment)
    said = ran.stdout + ran.stderr
    if ran.returncode != 0:
        raise SystemExit(said)
    cost = next(line.split("processor ")[1].split() for line in said.splitlines() if "processor " in line)
    latencies = json.loads(next(line.split("latencies ")[1] for line in said.splitlines() if "latencies " in line))
    return latencies[LEFT_OUT:], int(cost[0]) / int(cost[3])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--format", default="BGR")
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--fps", type=int, default=60)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.frames <= LEFT_OUT:
        parser.error(f"--frames {arguments.frames}: the first {LEFT_OUT} are left out")
    arguments.build = os.path.abspath(arguments.build)
    stages = {"Python": f"use: exec, options: {{command: [{sys.executable}, {HERE}, --as, flip]}}", "C++": "use: bench.flip"}
    latencies, costs = collections.defaultdict(list), collections.defaultdict(list)
    for number in range(arguments.rounds):
        for name in sorted(stages, reverse=number % 2 == 1):
            came, cost = run(arguments, stages[name])
            latencies[name] += came
            costs[name].append(cost)
    print(f"{arguments.format} {arguments.width} x {arguments.height} at {arguments.fps} fps, {arguments.rounds} rounds of "
          f"{arguments.frames} frames")
    print(f"{'':28}{'C++':>10}{'Python':>10}{'ratio':>8}")
    for title, values in (("published to published, us", {name: statistics.median(all) / 1000 for name, all in latencies.items()}),
                          ("processor time, us", {name: statistics.median(all) for name, all in costs.items()})):
        print(f"{title:28}{values['C++']:10.0f}{values['Python']:10.0f}{values['Python'] / values['C++']:8.2f}")


if sys.argv[1:2] == ["--as"]:
    {"flip": Flip, "measure": Measure}[sys.argv[2]].main()
main()
