#!/usr/bin/python3
"""slow_encoder.py BUILD [--short]: an encoder that is slower than its pictures come.

First it is slowed to a third for a time: what waits grows and drains, nothing is lost. Then it stays so: the spool fills, and what is lost is
counted. Each picture shows its number, so that the files themselves tell what is missing: as much as the gaps say, and where they say it.
"""

import os
import time

import soak

try:
    import clips
except ImportError as missing:
    soak.skip(f"{missing} (apps/install-packages build test installs it)")
import files

THIRD = "sleep 120000"  # microseconds for each picture, of which 25 come in a second

PIPELINE = """
version: 1
name: slow-encoder
drain_timeout: 2min
streams:
  raw: {{live: true, lag_frames: 50, history: 100}}
stages:
  raw: {{use: capture, options: {{uri: raw.mkv, live: true}}, out: {{video: raw}}}}
  recorder:
    use: record
    in: {{stream: raw, start: oldest}}
    options: {{directory: {name}, codec: h264, segment: 5s, spool_memory: {spool}}}
  check: {{use: synthetic.verify, in: {{stream: raw, start: oldest}}, options: {{pattern: none}}}}
"""


class Encoder:
    """What stands in place of the recorder's, and does as a file says."""

    def __init__(self, demonstration):
        folder = os.path.join(os.path.abspath(demonstration.options.build), "tests", "faulty_encoder")
        if not os.path.isdir(folder):
            soak.skip(f"no {folder} (target reel_faulty_encoder)")
        self.file = demonstration.path("encoder")
        os.environ.update(GST_PLUGIN_PATH=folder, GST_REGISTRY=demonstration.path("registry"), REEL_FAULTY_ENCODER=self.file)
        self.steer("")

    def steer(self, text):
        with open(self.file + ".new", "w") as file:
            file.write(text + "\n")
        os.replace(self.file + ".new", self.file)


class Recorder:
    def __init__(self, demonstration, name, spool):
        self.pipeline = soak.Pipeline(demonstration, PIPELINE.format(name=name, spool=spool), name)
        self.most = 0

    def waiting(self):
        """Frames in the spool."""
        found = self.pipeline.metric("reel_stage_spool_frames", "recorder") or 0
        self.most = max(self.most, found)
        return found

    def lost(self):
        return self.pipeline.metric("reel_stage_lost_frames_total", "recorder") or 0

    def watch(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.waiting()
            time.sleep(0.2)


def judge(demonstration, recorder, name):
    """(frames in gaps, holes in the numbers that the pictures show)"""
    status = recorder.pipeline.end()
    demonstration.claim(f"{name}: `reel run` ends with status 0", status == 0, status)
    directory = demonstration.path(name)
    found = files.segments(directory)
    summary, beside = recorder.pipeline.summary(), recorder.pipeline.verdicts()["check"]
    published = recorder.pipeline.published(summary, "raw")
    shown = [int(number) for segment in found for number in clips.numbers_shown(segment.path)[0]]
    packets = sum(len(files.packets(segment.path)[0]) for segment in found)
    gaps = [gap["frames"] for segment in found for gap in segment.gaps]
    holes = [later - earlier - 1 for earlier, later in zip(shown, [*shown[1:], published]) if later != earlier + 1]
    if shown[0] != 0:
        holes.insert(0, shown[0])
    demonstration.claim(f"{name}: published = frames in files + frames in gaps",
                        published == beside["frames"] == packets + sum(gaps) and packets == len(shown),
                        f"{published} published (a reader beside took {beside['frames']}), {packets} in {len(found)} files, {sum(gaps)} in gaps")
    files.check_decoding(demonstration, [segment.path for segment in found], f"{name}: ffmpeg decodes every file without a word")
    files.check_verify(demonstration, directory)
    return gaps, holes


def for_a_time(demonstration, encoder):
    recorder = Recorder(demonstration, "for-a-time", "256MB")
    soak.wait_until(lambda: recorder.pipeline.metric("reel_stage_written_bytes_total", "recorder"), "it records")
    time.sleep(2)
    before = recorder.waiting()
    encoder.steer(THIRD)
    recorder.watch(demonstration.options.slow)
    grown = recorder.waiting()
    encoder.steer("")
    demonstration.say(f"slow for {demonstration.options.slow} s: {grown:.0f} frames wait")
    since = time.monotonic()
    soak.wait_until(lambda: recorder.waiting() <= 2, "the spool is empty again")
    demonstration.figure("for a time: frames in the spool before, at most", f"{before:.0f}, {recorder.most:.0f}")
    demonstration.figure("for a time: empty again after", f"{time.monotonic() - since:.1f} s")
    time.sleep(2)
    demonstration.claim("for a time: the spool grows and drains", grown > before + 10 * demonstration.options.slow)
    lost = recorder.lost()
    gaps, holes = judge(demonstration, recorder, "for-a-time")
    demonstration.claim("for a time: no frame is lost", lost == 0 and not gaps and not holes, f"counted {lost:.0f}, gaps {gaps}, holes {holes}")


def for_good(demonstration, encoder):
    encoder.steer(THIRD)
    recorder = Recorder(demonstration, "for-good", f"{demonstration.options.spool}MB")
    soak.wait_until(lambda: recorder.lost() > 0, "frames are lost")
    demonstration.say("the spool is full, frames are lost")
    recorder.watch(demonstration.options.lossy)
    encoder.steer("")  # that it ends in time; what was lost stays lost
    gaps, holes = judge(demonstration, recorder, "for-good")
    counted = next(each["value"] for each in recorder.pipeline.summary()["recorder"]["metrics"] if each["name"] == "lost_frames")
    demonstration.claim("for good: the loss counted is the loss in the gaps and what is missing in the files, gap by gap",
                        counted == sum(gaps) and gaps == holes and counted > 0, f"counted {counted:.0f}, gaps {gaps}, holes {holes}")


def body(demonstration):
    encoder = Encoder(demonstration)
    clips.numbered(demonstration.path("raw.mkv"), 3 * (demonstration.options.slow + demonstration.options.lossy) + 120)
    for_a_time(demonstration, encoder)
    for_good(demonstration, encoder)


if __name__ == "__main__":
    soak.need("ffmpeg", "ffprobe")
    made = soak.Demonstration(__doc__.splitlines()[0], slow=(20, 4, "how long it is slow for a time, s"),
                              spool=(20, 4, "memory of the spool that fills, MB"), lossy=(60, 4, "how long it goes on losing frames, s"))
    made.run(body)
