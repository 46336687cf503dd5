"""Reel: frames of video and audio between processes, through shared memory.

    for frame in reel.Reader("camera"):
        print(frame.sequence, frame.pts_ns, frame.array.mean())

`frame.array` is the writer's memory itself, read-only; it stays valid, and its slot taken, for as long as it is kept. Times are
nanoseconds, those of capture and publishing on the clock of time.monotonic_ns(). Failures raise reel.Error with a `code`.

A child made by fork has none of its parent's mappings and must leave its readers, writers, frames and arrays alone (readers and
writers refuse; an array there is a crash): use multiprocessing's "spawn" start method, and open streams in the child.
"""

from ._errors import Ended, Error
from ._reel import Format, Frame, Loan
from ._reader import Reader
from ._writer import Writer
from .stage import Stage

__all__ = ["Ended", "Error", "Format", "Frame", "Loan", "Reader", "Stage", "Writer"]
