"""Which Format an array is of."""

from __future__ import annotations

import fractions  # used by the extension: imported now rather than at the first frame
from typing import Any, Optional, Sequence

import numpy as np
import numpy.typing as npt

from ._errors import Error
from ._reel import Format

Array = npt.NDArray[Any]

_CHANNELS = {"GRAY8": 1, "GRAY16_LE": 1, "YUY2": 2, "UYVY": 2, "RGB": 3, "BGR": 3, "RGBx": 4, "BGRx": 4, "RGBA": 4, "BGRA": 4}
_PLANES = {"I420": 3, "Y444": 3, "NV12": 2, "NV21": 2}
_PIXELS = {("|u1", 1): "GRAY8", ("<u2", 1): "GRAY16_LE", ("|u1", 3): "BGR", ("|u1", 4): "BGRA"}
_SAMPLES = {"<i2": "S16LE", "<i4": "S32LE", "<f4": "F32LE"}


def _channels(plane: Array) -> int:
    return 1 if plane.ndim == 2 else int(plane.shape[2])


def _pixel_of(plane: Array) -> str:
    pixel = _PIXELS.get((plane.dtype.str, _channels(plane))) if plane.ndim in (2, 3) else None
    if pixel is None:
        raise Error("bad_argument", f"an array of {plane.dtype} in the shape {plane.shape} is no picture that is known "
                    "without its format: give format=reel.Format.video(...)")
    return pixel


def _is_of(planes: Sequence[Array], pixel: str) -> bool:
    if len(planes) != _PLANES.get(pixel, 1):
        return False
    depth = "<u2" if pixel == "GRAY16_LE" else "|u1"
    return planes[0].dtype.str == depth and _channels(planes[0]) == _CHANNELS.get(pixel, 1)


def format_of(planes: Sequence[Array], like: Optional[Format] = None) -> Format:
    """The format of a picture or of sound, as far as possible that of `like`: its pixels or rate, in the array's size."""
    first = planes[0]
    if like is not None and like.kind == "audio" and like.rate_hz is not None:
        sample = _SAMPLES.get(first.dtype.str)
        if sample is None or first.ndim != 2:
            raise Error("bad_argument", f"sound is an array (sample frames, channels) of int16, int32 or float32, not of "
                        f"{first.dtype} in the shape {first.shape}")
        return Format.audio(sample, like.rate_hz, int(first.shape[1]))
    if like is not None and like.kind != "video":
        return like
    fps = None if like is None else like.fps
    if like is None or like.pixel is None or not _is_of(planes, like.pixel):
        if len(planes) != 1:
            raise Error("bad_argument", f"{len(planes)} planes are no picture that is known without its format")
        return Format.video(_pixel_of(first), int(first.shape[1]), int(first.shape[0]), fps)
    height, width = int(first.shape[0]), int(first.shape[1])
    # Pairs of pixels: the array of an odd width is one wider.
    if like.width is not None and like.pixel in ("YUY2", "UYVY") and width == like.width + like.width % 2:
        width = like.width
    return Format.video(like.pixel, width, height, fps)
