#!/usr/bin/python3
"""disk.py BUILD [--short]: a small tmpfs as the disk of the recordings.

First with retention: two recorders share the disk, one with `min_free`, one with `max_bytes`, at rates that would fill it several times.
Then without: the disk fills, the newest frames are lost and counted; room is made, and recording goes on. The tmpfs is mounted in a mount
namespace of its own, which ends with the program.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import time

import files
import soak

PIPELINE = """
version: 1
name: disk
streams:
  one: {{live: true, lag_frames: 50, history: 100}}
  two: {{live: true, lag_frames: 50, history: 100}}
stages:
  source-one: {{use: synthetic.source, options: {size}, out: one}}
  source-two: {{use: synthetic.source, options: {size}, out: two}}
  check-one: {{use: synthetic.verify, in: {{stream: one, start: oldest}}}}
  check-two: {{use: synthetic.verify, in: {{stream: two, start: oldest}}}}
  first:
    use: record
    in: {{stream: one, start: oldest}}
    options: {{directory: disk/recordings, codec: mjpeg, segment: {segment}, spool_memory: {spool}, {rules_one}}}
  second:
    use: record
    in: {{stream: two, start: oldest}}
    options: {{directory: disk/recordings, codec: mjpeg, segment: {segment}, spool_memory: {spool}, {rules_two}}}
"""
RECORDERS = {"first": "one", "second": "two"}
SIZE = "{width: 320, height: 240, fps: 25, live: true}"


class Watch(threading.Thread):
    """The least room that was ever seen, and which segments there were."""

    def __init__(self, disk):
        super().__init__(daemon=True)
        self.disk, self.over = disk, threading.Event()
        self.least, self.looks, self.sequences = None, 0, {}

    def run(self):
        while not self.over.wait(0.02):
            facts = os.statvfs(self.disk)
            free = facts.f_bavail * facts.f_frsize
            self.least = free if self.least is None else min(self.least, free)
            self.looks += 1
            if self.looks % 10 == 0:
                self.look_at_segments()

    def look_at_segments(self):
        directory = os.path.join(self.disk, "recordings")
        for path in files.finished_files(directory):
            if path not in self.sequences:
                try:
                    self.sequences[os.path.relpath(path, directory)] = files.Segment(path).manifest["sequence"]
                except (OSError, ValueError):
                    pass  # removed while it was looked at


def own_mounts():
    """Starts this program again where its mounts are nobody else's."""
    if os.environ.get("REEL_SOAK_MOUNTS"):
        return
    way = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    tried = subprocess.run([*way, "sh", "-c", "mount -t tmpfs none /mnt"], capture_output=True, text=True)
    if tried.returncode != 0:
        soak.skip(f"nothing can be mounted here: {tried.stderr.strip()}", forbidden=True)
    os.environ["REEL_SOAK_MOUNTS"] = "1"
    os.execvp(way[0], [*way, "--", sys.executable, *sys.argv])


def mount(demonstration, megabytes):
    """A new one, over the last."""
    disk = demonstration.path("disk")
    os.makedirs(disk, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", disk], check=True)
    return disk


def sizes(megabytes, spool):
    return {"size": SIZE, "segment": "5s" if megabytes >= 100 else "1s", "spool": spool}


def counted(found, stream):
    return sum(len(files.packets(segment.path)[segment.index_of(stream)]) for segment in found if segment.index_of(stream) is not None)


def with_retention(demonstration, disk):
    megabytes, seconds = demonstration.options.megabytes, demonstration.options.seconds
    rules = {"rules_one": f"min_free: {megabytes // 3}MB", "rules_two": f"max_bytes: {megabytes // 4}MB"}
    pipeline = soak.Pipeline(demonstration, PIPELINE.format(**sizes(megabytes, "256MB"), **rules), "retention")
    watch = Watch(disk)
    watch.start()
    time.sleep(seconds)
    soak.wait_until(lambda: sum(pipeline.metric("reel_stage_written_bytes_total", name) or 0 for name in RECORDERS) > 1.6 * megabytes * 1e6,
                    "more is written than the disk holds")
    status = pipeline.end()
    watch.over.set()
    watch.join()
    watch.look_at_segments()
    log = pipeline.log()
    summary = pipeline.summary()
    written = {name: next(metric["value"] for metric in summary[name]["metrics"] if metric["name"] == "written_bytes") for name in RECORDERS}
    demonstration.figure("with retention: written, of a disk of",
                         f"{sum(written.values()) / 1e6:.0f} MB in {seconds} s, {megabytes} MB")
    demonstration.claim("with retention, `reel run` ends with status 0", status == 0, status)
    demonstration.claim("more was written than the disk holds", sum(written.values()) > 1.5 * megabytes * 1e6,
                        f"{sum(written.values()) / megabytes / 1e6:.1f} times")
    demonstration.claim("the disk is never full", watch.least > 0 and "is full" not in log,
                        f"least room seen {watch.least / 1e6:.1f} MB of {megabytes}, looked {watch.looks} times; "
                        f"the log says it was full {log.count('is full')} times")
    for name in RECORDERS:
        judge_removals(demonstration, name, log, watch.sequences)
    for name, stream in RECORDERS.items():
        published = pipeline.published(summary, stream)
        taken = summary[name]["inputs"][0]["frames"]
        found = files.segments(disk + "/recordings", name)
        numbers = [fact["n"] for segment in found for fact in segment.facts(stream)]
        demonstration.claim(f"{name}: nothing is lost, the numbers of what is there have no hole",
                            files.lost(found, stream) == 0 and numbers == list(range(numbers[0], numbers[-1] + 1))
                            and len(numbers) == counted(found, stream) and numbers[-1] + 1 == taken == published,
                            f"{published} published, {taken} taken, frames {numbers[0]} to {numbers[-1]} are there")
    files.check_decoding(demonstration, files.finished_files(disk + "/recordings"))
    files.check_verify(demonstration, disk + "/recordings")
    files.check_index(demonstration, disk + "/recordings")


def judge_removals(demonstration, name, log, sequences):
    removed = re.findall(rf" {name}: removed (\S+) \(([^)]*)\): (.*)", log)
    order = [sequences.get(path) for path, _, _ in removed]
    demonstration.claim(f"{name}: the oldest goes first", None not in order and order == sorted(order),
                        f"{len(removed)} removed" + (f", order {order}" if None in order or order != sorted(order) else ""))
    demonstration.claim(f"{name}: the log says why", removed and all(reason for _, _, reason in removed),
                        f'"{removed[-1][2]}"' if removed else "none was removed")


def wait_for_full(pipeline, times):
    soak.wait_until(lambda: all(len(re.findall(rf" {name}: the disk of .* is full: frames wait in the spool", pipeline.log())) >= times
                                for name in RECORDERS), "the log says of both recorders that the disk is full", 1200)


def without_retention(demonstration, disk):
    directory = disk + "/recordings"
    megabytes = demonstration.options.megabytes
    pipeline = soak.Pipeline(demonstration, PIPELINE.format(**sizes(megabytes, f"{max(8, megabytes // 20)}MB"), rules_one="full_spool: lose",
                                                            rules_two="full_spool: lose"), "full")
    wait_for_full(pipeline, 1)
    demonstration.say("the disk is full")
    soak.wait_until(lambda: all(pipeline.metric("reel_stage_working", name) == 0 and pipeline.metric("reel_stage_spool_frames", name)
                                for name in RECORDERS), "the metrics of both say so, and that frames wait")
    waiting = {name: pipeline.metric("reel_stage_spool_frames", name) for name in RECORDERS}
    demonstration.claim("on a full disk frames wait in the spool, and the metrics say so", min(waiting.values()) > 0, f"waiting {waiting}")
    for name in RECORDERS:
        soak.wait_until(lambda: pipeline.metric("reel_stage_lost_frames_total", name), f"{name} counts lost frames")
    demonstration.say("both recorders lose frames")
    time.sleep(demonstration.options.full)
    # As people do: the finished ones are taken away. What was in them counts as recorded.
    gone = {name: files.segments(directory, name) for name in RECORDERS}
    there = {stream: counted(gone[name], stream) for name, stream in RECORDERS.items()}
    gaps = {stream: files.lost(gone[name], stream) for name, stream in RECORDERS.items()}
    segments = {name: pipeline.metric("reel_stage_segments_total", name) for name in RECORDERS}
    status, said = demonstration.reel_says("recordings", "rm", directory, *(one.manifest["path"] for found in gone.values() for one in found))
    assert status == 0, said
    demonstration.say(f"room is made: {sum(map(len, gone.values()))} files removed")
    for name in RECORDERS:
        soak.wait_until(lambda: re.search(rf" {name}: .* has room again", pipeline.log()), f"{name} says that there is room again")
        soak.wait_until(lambda: pipeline.metric("reel_stage_segments_total", name) > segments[name] + 1, f"{name} records again")
    demonstration.claim("when room is made, both record again by themselves", True)
    wait_for_full(pipeline, 2)
    time.sleep(1)
    demonstration.say("the disk is full once more, and recording is ended")
    status = pipeline.end()
    demonstration.claim("without retention, `reel run` ends with status 0", status == 0, status)
    judge_counts(demonstration, pipeline, directory, there, gaps)
    files.check_decoding(demonstration, files.finished_files(directory))
    files.check_verify(demonstration, directory)
    files.check_index(demonstration, directory)


def judge_counts(demonstration, pipeline, directory, there, gaps):
    """With what was in the files that were removed meanwhile."""
    told = re.findall(r"\w+: \d+ frames were lost in the last[^\n]*", pipeline.log())
    demonstration.claim("the log tells of the loss", told, told[0] if told else "it does not")
    summary, verdicts = pipeline.summary(), pipeline.verdicts()
    for name, stream in RECORDERS.items():
        found = files.segments(directory, name)
        recorded, missing = there[stream] + counted(found, stream), gaps[stream] + files.lost(found, stream)
        published = pipeline.published(summary, stream)
        demonstration.claim(f"{name}: published = frames in files + frames in gaps", published == recorded + missing and missing > 0,
                            f"{published} published (a reader beside took {verdicts['check-' + stream]['frames']}, the recorder "
                            f"{summary[name]['inputs'][0]['frames']}), {recorded} in files, {missing} in gaps")
        reasons = {gap["reason"] for segment in found for gap in segment.gaps}
        demonstration.claim(f"{name}: the gaps say why", any("disk was full" in reason for reason in reasons), sorted(reasons))


def body(demonstration):
    for part in (with_retention, without_retention):
        disk = mount(demonstration, demonstration.options.megabytes)
        try:
            part(demonstration, disk)
        finally:
            if not all(holds for _, holds, _ in demonstration.claims):  # the mount ends with this program
                shutil.copytree(disk, demonstration.path("kept-of-" + part.__name__))
            subprocess.run(["umount", "--lazy", disk], check=True)
        demonstration.say(part.__name__.replace("_", " ") + ": done")


if __name__ == "__main__":
    soak.need("ffmpeg", "ffprobe", "unshare", "mount")
    own_mounts()
    made = soak.Demonstration(__doc__.splitlines()[0], megabytes=(200, 32, "size of the disk, MB"), seconds=(600, 12, "with retention"),
                              full=(30, 2, "seconds for which the disk stays full"))
    made.run(body)
