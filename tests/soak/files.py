"""What lies in a directory of recordings, as files say it and programs that are not Reel's read it: nothing here asks `reel`."""

import collections
import glob
import hashlib
import json
import os
import sqlite3
import subprocess

Packet = collections.namedtuple("Packet", "pts_s key bytes")


def run(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def packets(path):
    """[[Packet, ...] of each track], as ffprobe counts them."""
    said = json.loads(run("ffprobe", "-v", "error", "-show_entries", "stream=index:packet=stream_index,pts_time,flags,size", "-of",
                          "json", path))
    tracks = [[] for _ in said["streams"]]
    for one in said["packets"]:
        tracks[one["stream_index"]].append(Packet(float(one["pts_time"]), "K" in one["flags"], int(one["size"])))
    return tracks


def faults(path):
    """What ffmpeg has against it when it decodes all of it; empty: nothing."""
    # Times as they are: in units of the mean rate two pictures of a camera may have the same.
    done = subprocess.run(["ffmpeg", "-v", "error", "-xerror", "-i", path, "-map", "0", "-fps_mode", "passthrough", "-enc_time_base:v", "1:90000",
                           "-f", "null", "-"], capture_output=True, text=True)
    return done.stderr.strip() or ("" if done.returncode == 0 else f"status {done.returncode}")


def sha256(path):
    made = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            made.update(block)
    return made.hexdigest()


class Segment:
    """A recorded file with its manifest and its frames' facts."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)
        self.stem = os.path.splitext(path)[0]
        with open(self.stem + ".json") as file:
            self.manifest = json.load(file)

    @property
    def tracks(self):
        return self.manifest["tracks"]

    @property
    def gaps(self):
        return self.manifest.get("gaps", [])

    def index_of(self, stream):
        """Which of its tracks; None: it has none of that stream."""
        return next((i for i, track in enumerate(self.tracks) if track["stream"] == stream), None)

    def facts(self, stream):
        """Of each frame of that stream, in the order of the file."""
        with open(self.stem + ".frames") as file:
            lines = [line for line in file if line.endswith("\n")]
        header = json.loads(lines[0])["tracks"]
        wanted = {i for i, track in enumerate(header) if track["stream"] == stream}
        return [fact for fact in map(json.loads, lines[1:]) if fact["t"] in wanted]

    def kept(self, stream):
        """Facts of the frames that the file holds, and when what it holds of them ends, by the clock that they were taken by.

        A repaired one may have facts of more frames than reached it. Pictures are counted; a block of sound makes more or less than
        one packet, and is there when its middle is."""
        index, facts = self.index_of(stream), self.facts(stream)
        if index is None or not facts or self.manifest["state"] == "broken":
            return [], 0
        times = packets(self.path)[index]
        if self.tracks[index]["media"] == "video":
            facts = facts[:len(times)]
            return facts, facts[-1]["cap"] + facts[-1].get("dur", 0) if facts else 0
        if not times:
            return [], 0
        step_s = times[-1].pts_s - times[-2].pts_s if len(times) > 1 else 0
        end_ns = self.manifest["start_ns"] + round((times[-1].pts_s + step_s) * 1e9)
        facts = [fact for fact in facts if fact["m"] + fact.get("dur", 0) // 2 < end_ns]
        return facts, facts[-1]["cap"] + end_ns - facts[-1]["m"] if facts else 0


def media_files(directory):
    return sorted(glob.glob(os.path.join(directory, "20*", "*.mkv")) + glob.glob(os.path.join(directory, "20*", "*.mp4")))


def finished_files(directory):
    return [path for path in media_files(directory) if ".open." not in os.path.basename(path)]


def open_files(directory):
    return [path for path in media_files(directory) if ".open." in os.path.basename(path)]


def segments(directory, recording=None):
    """The finished ones, oldest first."""
    found = [Segment(path) for path in finished_files(directory)]
    return sorted((one for one in found if recording in (None, one.manifest["recording"])), key=lambda one: one.manifest["sequence"])


def lost(found, stream):
    """Frames that the manifests say are missing."""
    return sum(gap["frames"] for segment in found for gap in segment.gaps if gap["stream"] == stream)


def index(directory):
    """The rows of the index, table by table, but for when files were looked at."""
    database = sqlite3.connect(f"file:{os.path.join(directory, 'index.sqlite')}?mode=ro", uri=True)
    rows = {}
    for table, columns in (("segment", "path, recording, sequence, kind, state, start_utc_ns, end_utc_ns, bytes, manifest"),
                           ("track", "path, stream, media, codec, frames"),
                           ("gap", "path, stream, start_utc_ns, end_utc_ns, frames, reason"),
                           ("event", "path, id, kind, start_utc_ns, end_utc_ns")):
        rows[table] = sorted(database.execute(f"SELECT {columns} FROM {table}").fetchall())
    database.close()
    return rows


def check_index(demonstration, directory):
    """Claims that the index says what the files do, before anybody makes it anew and after."""
    before = index(directory)
    known = {row[0]: row for row in before["segment"]}
    there = {os.path.relpath(path, directory): path for path in finished_files(directory)}
    wrong = sorted(set(known) ^ set(there))
    for path in set(known) & set(there):
        found = Segment(there[path])
        if known[path][7] != os.path.getsize(there[path]) or json.loads(known[path][8]) != found.manifest:
            wrong.append(path)
    demonstration.claim("the index has the files that are there, their sizes and manifests", not wrong,
                        f"{len(known)} segments in the index, {len(there)} files" + (f", wrong: {wrong[:5]}" if wrong else ""))
    status, said = demonstration.reel_says("recordings", "reindex", directory)
    after = index(directory)
    differ = [table for table in before if before[table] != after[table]]
    demonstration.claim("made anew from the files, the index is the same", status == 0 and not differ,
                        f"tables that differ: {differ}" if differ else said.strip())


def check_verify(demonstration, directory, decode=True):
    status, said = demonstration.reel_says("recordings", "verify", directory, *(["--decode"] if decode else []))
    bad = "\n".join(line for line in said.splitlines() if not line.startswith("good"))
    demonstration.claim("`reel recordings verify" + (" --decode" if decode else "") + "` is clean", status == 0, bad[-600:])


def check_decoding(demonstration, paths, what="ffmpeg decodes every file without a word"):
    bad = [f"{os.path.basename(path)}: {said[:200]}" for path in paths if (said := faults(path))]
    demonstration.claim(what, not bad, f"{len(paths)} files" + (f", {len(bad)} bad: {bad[:3]}" if bad else ""))
