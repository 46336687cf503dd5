#!/usr/bin/python3
"""kills.py BUILD [--short]: recorders are killed (SIGKILL) again and again at random moments.

Two of them record into one directory: 25 pictures a second with sound, and 10 a second at a low bitrate with sound. Some are killed once
more right after they were started again, while they repair. What a kill cost is measured by the capture time of the last frame that the
repaired file holds, packet by packet as ffprobe finds them, against the moment before the kill.
"""

import os
import random
import signal
import threading
import time

import files
import soak

MOST_LOST_S = 1.5

PIPELINE = """
version: 1
name: kills
streams:
  fast: {{live: true, lag_frames: 50}}
  fast.sound: {{live: true, lag_frames: 100}}
  slow: {{live: true, lag_frames: 50}}
  slow.sound: {{live: true, lag_frames: 100}}
stages:
  camera-fast:
    use: capture
    options: {{uri: "test://smpte?width=640&height=360&fps=25&tone=440"}}
    out: {{video: fast, audio: fast.sound}}
  camera-slow:
    use: capture
    options: {{uri: "test://ball?width=320&height=240&fps=10&tone=1000"}}
    out: {{video: slow, audio: slow.sound}}
  door:
    use: record
    in: [fast, fast.sound]
    options: {{directory: recordings, segment: 5s, container: {container}}}
    restart: always
    restart_limit: 1000000
    restart_delay: 50ms
    restart_delay_max: 200ms
  yard:
    use: record
    in: [slow, slow.sound]
    options: {{directory: recordings, segment: 5s, bitrate: 50000, audio_bitrate: 24000, container: {container}}}
    restart: always
    restart_limit: 1000000
    restart_delay: 50ms
    restart_delay_max: 200ms
"""
STREAMS = {"door": ("fast", "fast.sound"), "yard": ("slow", "slow.sound")}


class Watch(threading.Thread):
    """Notes what each finished file is as soon as it has its name."""

    def __init__(self, directory):
        super().__init__(daemon=True)
        self.directory, self.known, self.over = directory, {}, threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            for path in files.finished_files(self.directory):
                if path not in self.known:
                    self.known[path] = (os.path.getsize(path), files.sha256(path))

    def changed(self):
        return [os.path.basename(path) for path, was in self.known.items()
                if not os.path.exists(path) or (os.path.getsize(path), files.sha256(path)) != was]


class Kill:
    def __init__(self, recorder, opened_ns, stems):
        self.recorder, self.opened_ns, self.stems = recorder, opened_ns, stems
        self.back_s = None
        self.at_ns = time.monotonic_ns()


def stems(directory, recorder):
    """Of the files of that recorder, finished or not."""
    paths = (path for path in files.media_files(directory) if os.path.basename(path).startswith(recorder + "_"))
    return {os.path.splitext(path)[0].removesuffix(".open") for path in paths}


class Killer:
    def __init__(self, demonstration, pipeline, directory):
        self.demonstration, self.pipeline, self.directory = demonstration, pipeline, directory
        self.random = random.Random(20261122)
        self.kills, self.extra = [], 0
        self.lives = {}  # recorder: (process, when it had its first file)

    def wait_for_life(self, recorder, process, before):
        """A process, and a file of its own."""
        soak.wait_until(lambda: stems(self.directory, recorder) - before, f"{recorder} has begun a file")
        self.lives[recorder] = (process, time.monotonic_ns())

    def begin(self):
        for recorder in STREAMS:
            self.wait_for_life(recorder, self.pipeline.wait_for_stage(recorder), set())

    def kill(self):
        recorder = list(STREAMS)[len(self.kills) % len(STREAMS)]
        time.sleep(self.random.uniform(2, 8))
        process, opened_ns = self.lives[recorder]
        before = stems(self.directory, recorder)
        one = Kill(recorder, opened_ns, before)
        os.kill(process, signal.SIGKILL)
        self.kills.append(one)
        process = self.pipeline.wait_for_stage(recorder, process)
        if len(self.kills) % 4 == 3:
            time.sleep(self.random.uniform(0, 0.4))
            os.kill(process, signal.SIGKILL)
            self.extra += 1
            process = self.pipeline.wait_for_stage(recorder, process)
        self.wait_for_life(recorder, process, before)
        one.back_s = (time.monotonic_ns() - one.at_ns) / 1e9


def judge_losses(demonstration, killer, found):
    for recorder, streams in STREAMS.items():
        kills = [one for one in killer.kills if one.recorder == recorder]
        for stream in streams:
            end_ns = {segment.stem: segment.kept(stream)[1] for segment in found if segment.manifest["recording"] == recorder}
            # Before its first file was there it had nothing to lose.
            lost_s = [(one.at_ns - max([one.opened_ns, *(end_ns[stem] for stem in one.stems & set(end_ns))])) / 1e9 for one in kills]
            demonstration.claim(f"{stream}: what was recorded plays to within {MOST_LOST_S} s of each kill",
                                all(each <= MOST_LOST_S for each in lost_s),
                                f"{len(lost_s)} kills, lost {max(lost_s, default=0):.3f} s at most, "
                                f"{sum(lost_s) / max(1, len(lost_s)):.3f} s on average")
            demonstration.figure(f"{stream}: lost by each kill, s", " ".join(f"{each:.2f}" for each in lost_s))


def judge_numbers(demonstration, found):
    for recorder, streams in STREAMS.items():
        ours = [segment for segment in found if segment.manifest["recording"] == recorder]
        for stream in streams:
            numbers = [fact["n"] for segment in ours for fact in segment.kept(stream)[0]]
            twice = len(numbers) - len(set(numbers))
            back = sum(later <= earlier for earlier, later in zip(numbers, numbers[1:]))
            demonstration.claim(f"{stream}: no frame is recorded twice, all are in order", twice == 0 and back == 0,
                                f"{len(numbers)} frames, {twice} twice, {back} out of order")
            missing, gaps = numbers[-1] + 1 - len(numbers), files.lost(ours, stream)
            if stream.endswith(".sound"):  # of a block that is there in part nobody can say
                demonstration.figure(f"{stream}: numbers missing; frames in gaps", f"{missing}; {gaps}")
            else:
                demonstration.claim(f"{stream}: the numbers that are missing are those in the gaps", missing == gaps, f"{missing}, {gaps}")
        ends = [(one.manifest["start_ns"], one.manifest["end_ns"], one.name) for one in ours]
        over = [name for (_, end, _), (start, _, name) in zip(ends, ends[1:]) if start < end - 100_000_000]
        demonstration.claim(f"{recorder}: no segment goes back in time", not over, over[:3] or f"{len(ends)} segments")


def body(demonstration):
    container = demonstration.options.container
    directory = demonstration.path("recordings")
    pipeline = soak.Pipeline(demonstration, PIPELINE.format(container=container))
    watch = Watch(directory)
    watch.start()
    killer = Killer(demonstration, pipeline, directory)
    killer.begin()
    for number in range(demonstration.options.kills):
        killer.kill()
        if (number + 1) % 10 == 0 or number + 1 == demonstration.options.kills:
            demonstration.say(f"{number + 1} kills, {len(watch.known)} files finished")
    demonstration.claim("the service is back by itself after each kill", all(one.back_s is not None for one in killer.kills),
                        f"{len(killer.kills)} kills and {killer.extra} more in the middle of the repair")
    time.sleep(2)
    status = pipeline.end()
    watch.over.set()
    watch.join()
    demonstration.claim("`reel run` ends with status 0", status == 0, status)

    found = files.segments(directory)
    states = [segment.manifest["state"] for segment in found]
    back = [one.back_s for one in killer.kills]
    demonstration.figure("segments: finished, repaired, broken", [states.count(each) for each in ("finished", "repaired", "broken")])
    demonstration.figure("recording again after a kill, s: median, longest", f"{sorted(back)[len(back) // 2]:.2f}, {max(back):.2f}")
    demonstration.claim("no file is left open", not files.open_files(directory), files.open_files(directory) or "")
    changed = watch.changed()
    demonstration.claim("every finished segment is what it was when it was finished (size, SHA-256)", not changed,
                        f"{len(watch.known)} files, {len(changed)} changed {changed[:3]}")
    # Killed before the first picture was in it, a file is kept as it is.
    files.check_decoding(demonstration, [segment.path for segment in found if segment.manifest["state"] != "broken"])
    judge_losses(demonstration, killer, found)
    judge_numbers(demonstration, found)
    files.check_index(demonstration, directory)
    files.check_verify(demonstration, directory)


if __name__ == "__main__":
    soak.need("ffmpeg", "ffprobe")
    made = soak.Demonstration(__doc__.splitlines()[0], kills=(50, 4, "how often"), container=("matroska", "matroska", "or mp4"))
    made.run(body)
