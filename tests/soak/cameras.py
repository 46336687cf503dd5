#!/usr/bin/python3
"""cameras.py BUILD [--short]: two RTSP cameras on loopback and a raw stream, recorded in segments.

The first camera (apps/media/hello.mp4, again and again) is kept as it sends picture and sound; the second (vtest.avi) is decoded and encoded
anew; the third stream is raw pictures that show their number, with a click in the sound at each flash, encoded. What was published is counted
by the writers and by readers beside the recorders. Whether a picture or a sound is missing or twice is seen in the pictures and sounds
themselves, and so is how far sound and picture are apart: at the first segment and at the last.
"""

import os
import statistics
import time

import soak

try:
    import numpy

    import clips
except ImportError as missing:
    soak.skip(f"{missing} (apps/install-packages build test installs it)")
import files

MOST_APART_S = 0.040
HERE = os.path.dirname(os.path.abspath(__file__))
HELLO = os.path.join(HERE, "..", "..", "apps", "media", "hello.mp4")
VTEST = "/usr/share/doc/opencv-doc/examples/data/vtest.avi"

PIPELINE = """
version: 1
name: cameras
streams:
  # A camera's first frame waits for nobody: whoever joins a moment later begins with what is kept.
  movie: {{live: true, lag_frames: 60, history: 60}}
  movie.sound: {{live: true, lag_frames: 70, history: 100}}
  vtest: {{live: true, lag_frames: 30, history: 20}}
stages:
  movie: {{use: capture, options: {{uri: "rtsp://127.0.0.1:{port}/movie"}}, out: {{video-encoded: movie, audio-encoded: movie.sound}}}}
  vtest: {{use: capture, options: {{uri: "rtsp://127.0.0.1:{port}/vtest"}}, out: {{video: vtest}}}}
  raw: {{use: capture, options: {{uri: raw.mkv}}, out: {{video: raw, audio: raw.sound}}}}
  record-movie: {{use: record, in: [{{stream: movie, start: oldest}}, {{stream: movie.sound, start: oldest}}],
                 options: {{directory: recordings, name: movie, segment: {segment}s}}}}
  record-vtest: {{use: record, in: {{stream: vtest, start: oldest}}, options: {{directory: recordings, name: vtest, segment: {segment}s}}}}
  record-raw: {{use: record, in: [raw, raw.sound], options: {{directory: recordings, name: raw, segment: {segment}s}}}}
  check-movie: {{use: synthetic.verify, in: {{stream: movie, start: oldest}}, options: {{pattern: none}}}}
  check-movie-sound: {{use: synthetic.verify, in: {{stream: movie.sound, start: oldest}}, options: {{pattern: none}}}}
  check-vtest: {{use: synthetic.verify, in: {{stream: vtest, start: oldest}}, options: {{pattern: none}}}}
  check-raw: {{use: synthetic.verify, in: raw, options: {{pattern: none}}}}
  check-raw-sound: {{use: synthetic.verify, in: raw.sound, options: {{pattern: none}}}}
"""
RECORDINGS = {"movie": ("movie", "movie.sound"), "vtest": ("vtest",), "raw": ("raw", "raw.sound")}


def make_clips(demonstration):
    seconds = demonstration.options.seconds + 60
    clips.looped(HELLO, demonstration.path("movie.mp4"), seconds, 30)
    clips.looped(VTEST, demonstration.path("vtest.mp4"), seconds, 20)
    clips.numbered(demonstration.path("raw.mkv"), seconds)


def serve(demonstration):
    server = demonstration.start(["/usr/bin/python3", os.path.join(HERE, "rtsp_server.py"), "movie=" + demonstration.path("movie.mp4"),
                                  "vtest=" + demonstration.path("vtest.mp4")], "server")

    def port():
        if server.poll() is not None:
            with open(demonstration.path("server.log")) as log:
                raise AssertionError("the RTSP server does not start: " + log.read()[-500:])
        with open(demonstration.path("server.out")) as said:
            return said.read().removeprefix("port ").strip()

    return soak.wait_until(port, "the RTSP server says its port")


def judge_counts(demonstration, pipeline, name, found):
    summary, verdicts = pipeline.summary(), pipeline.verdicts()
    for stream in RECORDINGS[name]:
        published, beside = pipeline.published(summary, stream), verdicts["check-" + stream.replace(".", "-")]
        facts = [fact["n"] for segment in found for fact in segment.facts(stream)]
        packets = sum(len(files.packets(segment.path)[segment.index_of(stream)]) for segment in found)
        # Sound that is encoded anew has its own packets: of it the blocks that were published are counted.
        recorded = len(facts) if stream == "raw.sound" else packets
        demonstration.claim(f"{stream}: as many frames in the files as were published",
                            published == beside["frames"] == recorded and files.lost(found, stream) == 0 and beside["gaps"] == 0,
                            f"{published} published, {beside['frames']} taken by a reader beside, {packets} packets in {len(found)} files")
        demonstration.claim(f"{stream}: numbers go on across {len(found) - 1} seams", facts == list(range(len(facts))), f"{len(facts)} frames")


def judge_movie(demonstration, found):
    """Sums of pictures and packets against those of the clip that the camera sent."""
    clip = demonstration.path("movie.mp4")
    loop = clips.sums(clip + ".once.mp4", "v", True)
    first, right = clips.step([each for segment in found for each in clips.sums(segment.path, "v", True)], loop, True)
    demonstration.claim("movie: every picture is the camera's, bit by bit, none missing or twice at a seam", first is not None, f"{right} pictures")
    sent = clips.sums(clip, "a", False)
    first_sound, right = clips.step([each for segment in found for each in clips.sums(segment.path, "a", False)], sent, False)
    demonstration.claim("movie.sound: every packet is the camera's, bit by bit, none missing or twice at a seam", first_sound is not None,
                        f"{right} packets")
    if first is None or first_sound is None:
        return
    pictures_s, sounds_s = clips.packet_times(clip, "v"), clips.packet_times(clip, "a")
    loop_s = pictures_s[len(loop)]
    offsets = []
    for segment in found:
        times = {kind: clips.packet_times(segment.path, kind) for kind in "va"}
        picture_s = statistics.median(at - pictures_s[(first + i) % len(loop)] - (first + i) // len(loop) * loop_s
                                      for i, at in enumerate(times["v"]))
        sound_s = statistics.median(at - sounds_s[first_sound + i] for i, at in enumerate(times["a"]))
        # Which of the loops it was nobody can tell of pictures: the one that the sound is of.
        offsets.append((sound_s - picture_s + loop_s / 2) % loop_s - loop_s / 2)
        first += len(times["v"])
        first_sound += len(times["a"])
    judge_offsets(demonstration, "movie", offsets)


def judge_raw(demonstration, found):
    shown, offsets, spread = [], [], []
    for segment in found:
        numbers, flashes = clips.numbers_shown(segment.path)
        shown += list(numbers)
        times = clips.packet_times(segment.path, "v")
        clicks = clips.clicks(segment.path)
        apart = []
        for flash in (times[i] for i in numpy.flatnonzero(flashes)):
            near = min(clicks, key=lambda click: abs(click - flash), default=None)
            if near is not None and abs(near - flash) < 0.4:
                apart.append(near - flash)
        if apart:  # the last may be too short for one
            offsets.append(statistics.median(apart))
        spread += apart
    demonstration.claim("raw: every picture that was published is in the files once, by the number that it shows",
                        shown == list(range(len(shown))), f"{len(shown)} pictures")
    flashes = sum(number % clips.FPS == clips.FLASH for number in shown)
    demonstration.claim("raw.sound: each flash has its click", flashes - 1 <= len(spread) <= flashes, f"{len(spread)} of {flashes}")
    demonstration.figure("raw: sound after picture, least and most of any second", f"{min(spread) * 1e3:.1f} ms, {max(spread) * 1e3:.1f} ms")
    judge_offsets(demonstration, "raw", offsets)


def judge_offsets(demonstration, name, offsets):
    demonstration.figure(f"{name}: sound after picture, segment by segment, ms", " ".join(f"{each * 1e3:.1f}" for each in offsets))
    demonstration.claim(f"{name}: sound and picture at the end are within {MOST_APART_S * 1e3:.0f} ms of where they were at the start",
                        abs(offsets[-1] - offsets[0]) <= MOST_APART_S,
                        f"{offsets[0] * 1e3:.1f} ms, then {offsets[-1] * 1e3:.1f} ms; at most {max(map(abs, offsets)) * 1e3:.1f} ms apart")


def judge_vtest(demonstration, found):
    """Encoded anew: each picture must be nearest to the one of the clip whose turn it is."""
    loop = clips.grey(demonstration.path("vtest.mp4") + ".once.mp4", 96, 72).astype(numpy.float32)
    seen = numpy.concatenate([clips.grey(segment.path, 96, 72) for segment in found]).astype(numpy.float32)
    first = int(((loop - seen[0]) ** 2).sum(axis=(1, 2)).argmin())
    wrong = []
    for i, picture in enumerate(seen):
        near = [(first + i + away) % len(loop) for away in range(-3, 4)]
        best = near[int(((loop[near] - picture) ** 2).sum(axis=(1, 2)).argmin())]
        if best != (first + i) % len(loop):
            wrong.append(i)
    demonstration.claim("vtest: every picture is the next one of the clip, none missing or twice at a seam", not wrong,
                        f"{len(seen)} pictures" + (f", not {wrong[:5]}" if wrong else ""))


def body(demonstration):
    make_clips(demonstration)
    demonstration.say("the clips are made")
    seconds, segment = demonstration.options.seconds, demonstration.options.segment
    pipeline = soak.Pipeline(demonstration, PIPELINE.format(port=serve(demonstration), segment=segment))
    for name in RECORDINGS:
        soak.wait_until(lambda: (pipeline.metric("reel_input_frames_total", "check-" + name, name) or 0) > 0, f"{name} sends frames")
    demonstration.say("all cameras send")
    time.sleep(seconds)
    status = pipeline.end()
    demonstration.say("recording has ended")
    demonstration.claim("`reel run` ends with status 0", status == 0, status)
    directory = demonstration.path("recordings")
    for name in RECORDINGS:
        found = files.segments(directory, name)
        lengths = [(one.manifest["end_ns"] - one.manifest["start_ns"]) / 1e9 for one in found]
        demonstration.figure(f"{name}: segments, lengths in s", f"{len(found)}: " + " ".join(f"{each:.2f}" for each in lengths))
        demonstration.claim(f"{name}: there are segments of {segment} s", len(found) >= seconds // (segment + 2), f"{len(found)}")
        judge_counts(demonstration, pipeline, name, found)
    judge_movie(demonstration, files.segments(directory, "movie"))
    judge_raw(demonstration, files.segments(directory, "raw"))
    judge_vtest(demonstration, files.segments(directory, "vtest"))
    files.check_decoding(demonstration, files.finished_files(directory))
    files.check_verify(demonstration, directory)
    files.check_index(demonstration, directory)


if __name__ == "__main__":
    soak.need("ffmpeg", "ffprobe")
    if not os.path.exists(VTEST):
        soak.skip(f"no {VTEST} (apps/install-packages test installs it)")
    made = soak.Demonstration(__doc__.splitlines()[0], seconds=(300, 12, "how long it records"), segment=(20, 3, "length of a file, s"))
    made.run(body)
