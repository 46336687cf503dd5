"""Reader: the extension's, and how asyncio waits for it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Optional, Type

from . import _reel
from ._errors import Ended, Error


def _finish(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)


class Reader(_reel.Reader):
    """Reads one stream: `for frame in reader`, `async for frame in reader`, or read().

    For one thread, or one task, at a time. Iteration passes over gaps and events, which read() returns too, and stops at the
    end of the stream. Frames are pinned in the writer's memory while they, or arrays of them, are kept: `max_pins` of them at
    a time, the one being read included (a loop holds the one before until it has the next); one more raises
    Error 'too_many_held'.
    """

    _waiting: "Optional[asyncio.Future[None]]" = None

    def __aiter__(self) -> "Reader":
        return self

    async def __anext__(self) -> _reel.Frame:
        try:
            while True:
                frame = await self.read_async()
                if frame.kind == "media":
                    return frame
        except Ended:
            raise StopAsyncIteration from None
        except Error as error:
            if error.code == "interrupted":
                raise StopAsyncIteration from None
            raise

    async def read_async(self) -> _reel.Frame:
        """The next frame, as read() has it. Cancelling it loses none."""
        while True:
            await asyncio.sleep(0)  # a stream that always has a frame does not keep other tasks out
            frame = self.read(timeout_ms=0)
            if frame is not None:
                return frame
            if self.prepare_wait():
                await self._readable()

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        descriptor = self.fileno()
        waiting = self._waiting = loop.create_future()
        loop.add_reader(descriptor, _finish, waiting)
        try:
            await waiting
        finally:
            self._waiting = None
            loop.remove_reader(descriptor)

    def _wake(self) -> None:
        waiting = self._waiting
        if waiting is not None:
            waiting.get_loop().call_soon_threadsafe(_finish, waiting)

    def interrupt(self) -> None:
        super().interrupt()
        self._wake()

    def close(self) -> None:
        super().close()
        self._wake()

    def __exit__(self, type: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()  # this one, which tells a task that waits
