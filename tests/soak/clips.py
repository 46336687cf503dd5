"""What the cameras show and what of it was recorded: clips whose every picture and sound can be told from the others."""

import os
import subprocess

import numpy

from files import run

FPS, WIDTH, HEIGHT, RATE = 25, 320, 240, 48000
FLASH = 12  # in the middle between key frames, away from where files are cut
BITS, FLASH_ROWS = 16, 100
CLICK = numpy.sin(2 * numpy.pi * 2000 * numpy.arange(240) / RATE)  # 5 ms


def looped(clip, made, seconds, key_frames):
    """The clip as a camera sends it, one loop after the other: H.264 with a key frame every so many, and its sound, if any, without a break."""
    once = made + ".once.mp4"
    run("ffmpeg", "-v", "error", "-y", "-i", clip, "-an", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "0", "-g",
        str(key_frames), "-sc_threshold", "0", once)
    pictures = packet_times(once, "v")
    loop_s = len(pictures) * (pictures[-1] / (len(pictures) - 1))
    inputs, codecs = ["-stream_loop", "-1", "-i", once], ["-c:v", "copy"]
    if run("ffprobe", "-v", "error", "-select_streams", "a", "-show_entries", "stream=index", "-of", "csv", clip).strip():
        # Cut to the length of the pictures, so that each loop has both in step.
        run("ffmpeg", "-v", "error", "-y", "-i", clip, "-vn", "-af", f"apad,atrim=end_sample={round(loop_s * RATE)}", "-ar", str(RATE),
            made + ".wav")
        inputs += ["-stream_loop", "-1", "-i", made + ".wav"]
        codecs += ["-c:a", "aac"]
    run("ffmpeg", "-v", "error", "-y", *inputs, "-t", str(seconds), *codecs, made)
    return made


def numbered(made, seconds):
    """Pictures that show their number in black and white, each second one with a flash and a click at the same moment."""
    picture = numpy.zeros((HEIGHT, WIDTH), numpy.uint8)
    sound = numpy.zeros(RATE, numpy.float64)
    begin = FLASH * RATE // FPS
    sound[begin:begin + CLICK.size] = CLICK
    (numpy.tile(sound, seconds) * 20000).astype("<i2").tofile(made + ".s16")
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS), "-i", "-",
               "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", made + ".s16", "-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p",
               "-c:a", "pcm_s16le", made]
    encoder = subprocess.Popen(command, stdin=subprocess.PIPE)
    for number in range(seconds * FPS):
        picture[:FLASH_ROWS] = 230 if number % FPS == FLASH else 20
        bits = [230 if number >> bit & 1 else 20 for bit in range(BITS)]
        picture[FLASH_ROWS:] = numpy.repeat(bits, WIDTH // BITS)
        encoder.stdin.write(picture.tobytes())
    encoder.stdin.close()
    assert encoder.wait() == 0
    os.remove(made + ".s16")
    return made


def packet_times(path, kind):
    """pts in seconds, of the first track of that kind."""
    said = run("ffprobe", "-v", "error", "-select_streams", kind + ":0", "-show_entries", "packet=pts_time", "-of", "csv=p=0", path)
    return [float(line.rstrip(",")) for line in said.split()]


def sums(path, kind, decoded):
    """MD5 of each picture as it is decoded, or of each packet."""
    said = run("ffmpeg", "-v", "error", "-i", path, "-map", f"0:{kind}:0", *(["-fps_mode", "passthrough"] if decoded else ["-c", "copy"]), "-f",
               "framemd5", "-")
    return [line.rsplit(",", 1)[1].strip() for line in said.splitlines() if not line.startswith("#")]


def grey(path, width, height):
    """Pictures x height x width."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-vf",
                           f"scale={width}:{height}:flags=area", "-pix_fmt", "gray", "-f", "rawvideo", "-"], capture_output=True, check=True)
    return numpy.frombuffer(done.stdout, numpy.uint8).reshape(-1, height, width)


def numbers_shown(path):
    """(numbers that the pictures show, which of them flash)"""
    pictures = grey(path, WIDTH, HEIGHT).astype(numpy.float32)
    cells = pictures[:, FLASH_ROWS + 20:HEIGHT - 20].mean(axis=1).reshape(len(pictures), BITS, WIDTH // BITS)[:, :, 5:-5].mean(axis=2)
    return ((cells > 125) * (1 << numpy.arange(BITS))).sum(axis=1), pictures[:, :FLASH_ROWS - 20].mean(axis=(1, 2)) > 125


def clicks(path):
    """When they begin, in seconds of the file."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:a:0", "-af", f"aresample={RATE}:async=1:first_pts=0", "-ac", "1", "-f",
                           "s16le", "-"], capture_output=True, check=True)
    sound = numpy.frombuffer(done.stdout, "<i2").astype(numpy.float64)
    like = numpy.abs(numpy.correlate(sound, CLICK, "valid"))
    found = []
    while like.size and like.max() > 0.3 * 20000 * (CLICK ** 2).sum():
        at = int(like.argmax())
        found.append(at / RATE)
        like[max(0, at - RATE // 4):at + RATE // 4] = 0
    return sorted(found)


def step(found, sequence, cyclic):
    """Where `found` begins in `sequence`, of which it is a run without a break; None, and where it first leaves the best one."""
    length = len(sequence)
    best, left = None, -1
    for begin in (i for i, each in enumerate(sequence) if each == found[0]):
        i = 0
        while i < len(found) and (cyclic or begin + i < length) and found[i] == sequence[(begin + i) % length]:
            i += 1
        if i > left:
            best, left = begin, i
    return (best, len(found)) if left == len(found) else (None, left)
