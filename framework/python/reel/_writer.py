"""Writer: the extension's, and what makes a frame of arrays."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Optional, Sequence, Union

import numpy as np

from . import _reel
from ._errors import Error
from ._formats import Array, format_of

Payload = Union[Array, Sequence[Array], bytes, bytearray, memoryview]


def _fill(loan: _reel.Loan, planes: Sequence[Array], stream: str) -> None:
    views = loan.planes
    if [(view.shape, view.dtype) for view in views] != [(plane.shape, plane.dtype) for plane in planes]:
        wanted = ", ".join(f"{view.dtype} {view.shape}" for view in views)
        given = ", ".join(f"{plane.dtype} {plane.shape}" for plane in planes)
        del views  # whoever keeps the error, and with it this frame, does not keep the slot
        raise Error("bad_argument", f"a frame of \"{loan.format.caps}\" is {wanted}, not {given}", stream)
    if len(planes) == 1 and planes[0].flags.c_contiguous and planes[0].nbytes == loan.size:
        loan.copy_from(planes[0])
        return
    for view, plane in zip(views, planes):
        np.copyto(view, plane)


class Writer(_reel.Writer):
    """Writes one stream. For one thread at a time.

    As a context manager it ends the stream when left without an exception. Readers that a frame has to wait for are named in
    `wait_for`; everything else that is given as a keyword is an option of WriterOptions (slots, history, live, checksum ...).
    """

    def write(self, payload: Payload, *, like: Optional[_reel.Frame] = None, format: Optional[_reel.Format] = None,
              side_data: Iterable[Mapping[str, Any]] = (), timeout_ms: Optional[int] = None, **said: Any) -> None:
        """Copies an array, the planes of a picture (a list of arrays) or bytes into a slot and publishes it.

        `like` is the frame that it was made from: its times, flags, side data, segment and tags travel on, and its format in
        the size of the arrays, unless `format` says otherwise. Without either the format set before holds; the first picture
        of a writer that has none sets it (2 dimensions: GRAY8 or GRAY16_LE, 3 channels: BGR, 4: BGRA). `said` is as for
        publish(): pts_ns, duration_ns, capture_ns ...
        """
        planes = payload if isinstance(payload, (list, tuple)) else (payload,)
        arrays = [np.frombuffer(plane, np.uint8) if isinstance(plane, (bytes, bytearray, memoryview)) else np.asarray(plane)
                  for plane in planes]
        if like is not None:
            self.follow(like, format or format_of(arrays, like.format))
        elif format is not None:
            self.set_format(format)
        elif self.format.kind == "bytes" and arrays[0].ndim > 1:
            self.set_format(format_of(arrays))
        if self.format.kind == "video":
            loan = self.acquire(timeout_ms=timeout_ms)
        elif self.format.kind == "audio":
            loan = self.acquire(arrays[0].nbytes, timeout_ms)
        else:
            return self.write_bytes(np.ascontiguousarray(arrays[0]), like=like, side_data=side_data, timeout_ms=timeout_ms, **said)
        with loan:  # what cannot be published goes back
            _fill(loan, arrays, self.stream)
            self.publish(loan, like=like, side_data=side_data, **said)
        return None
