"""A stage of a pipeline in Python, which an `exec` stage of the file runs: its streams come from the environment."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import sys
import traceback
from types import FrameType
from typing import Any, Dict, List, Mapping, NoReturn, Optional, Tuple

from . import _reel
from ._errors import Ended, Error
from ._reader import Reader
from ._writer import Writer

ENDED_WELL, FAILED, BAD_CONFIGURATION = 0, 1, 2  # what the supervisor understands; the last is not tried again
# Of what the setup says of a stream; a later version may say more.
_OF_READERS = ("name", "policy", "start", "max_pins", "verify", "deliver_corrupted", "reconnect")
_OF_WRITERS = ("slots", "slot_bytes", "max_bytes", "history", "side_data_bytes", "checksum", "live", "lag_frames",
               "allowed_policies", "wait_for", "start_timeout_ms", "stall_timeout_ms", "absence_timeout_ms", "resume_ms",
               "memory", "allowed_users", "allowed_groups")
_IDLE_MS = 250
_DRAIN_LIMIT_MS = 10_000

log = logging.getLogger("reel")


class _StopNow(BaseException):
    """SIGTERM, raised wherever the stage is."""


class _RelayFormatter(logging.Formatter):
    """Lines as `reel run` parses them: their level, then the text."""

    def format(self, record: logging.LogRecord) -> str:
        level = "E" if record.levelno >= logging.ERROR else "W" if record.levelno >= logging.WARNING else \
            "I" if record.levelno >= logging.INFO else "D"
        return "\n".join(f"<{level}> {line}" for line in super().format(record).splitlines())


def _log_to_supervisor() -> None:
    _reel.log_for_supervisor()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RelayFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(line_buffering=True)


def _leave() -> NoReturn:
    """Ends the process without a word to its streams: one that follows it goes on with them, and reads on in its places. Where
    none does, the supervisor tells their readers."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(ENDED_WELL)


def _streams(environment: Mapping[str, str], prefix: str) -> List[Tuple[str, str]]:
    """(port, stream) of REEL_IN_<PORT> or REEL_OUT_<PORT>; of REEL_IN or REEL_OUT where there are none."""
    ports = [(name[len(prefix) + 1:].lower(), stream) for name in sorted(environment) if name.startswith(prefix + "_")
             for stream in environment[name].split()]
    first = environment.get(prefix)
    if not ports and first:
        return [("in" if prefix == "REEL_IN" else "out", first)]
    return sorted(ports, key=lambda each: each[1] != first)


def _setup(environment: Mapping[str, str]) -> Dict[str, Any]:
    """What `reel run` says of the streams, or what the names of the streams alone tell."""
    if "REEL_SETUP" in environment:
        setup: Dict[str, Any] = json.loads(environment["REEL_SETUP"])
        return setup
    reader = {"policy": "lossless"}
    return {"inputs": [{"port": port, "stream": stream, "reader": reader} for port, stream in _streams(environment, "REEL_IN")],
            "outputs": [{"port": port, "stream": stream, "writer": {}} for port, stream in _streams(environment, "REEL_OUT")]}


class Stage:
    """Override process() (a stage with inputs) or produce() (a source), and call main().

        class Flip(reel.Stage):
            def process(self, frame, port):
                self.output.write([plane[::-1] for plane in frame.planes], like=frame)

        Flip.main()

    One thread calls everything. SIGINT ends a source after the frame that it is producing; SIGTERM stops the stage where it is:
    stop() is called, and under `reel run` nothing after that, no `atexit` either, so that its streams go on where it is restarted.
    What is logged by `logging`, and what is printed, appears in the pipeline's log.
    """

    name: str
    inputs: Dict[str, List[Reader]]  # by port
    outputs: Dict[str, Writer]  # by port
    stopping: bool = False  # asked to end: a source looks at it where it waits
    _stopped: bool = False  # by SIGTERM
    _reading: bool = False  # a frame may be on its way into a variable: an exception would drop it, as if it had been taken

    @property
    def output(self) -> Writer:
        """The first output."""
        for writer in self.outputs.values():
            return writer
        raise Error("bad_config", "the stage has no output: give it an `out:`", self.name)

    def start(self) -> None:
        """Streams are open; before the first frame."""

    def process(self, frame: _reel.Frame, port: str) -> None:
        """A picture or sound came from the input `port`."""

    def other(self, frame: _reel.Frame, port: str) -> None:
        """A gap or an event came (frame.kind says which)."""

    def input_ended(self, port: str) -> None:
        """No more frames come from one stream of that port."""

    def produce(self) -> bool:
        """A stage without inputs: publishes the next frame; False at the end. At most about 100 ms when there is nothing."""
        return False

    def stop(self) -> None:
        """After the last frame, before the end of the outputs; also when stopped early."""

    def finish(self) -> None:
        """Ends the stage after the present frame."""
        self.stopping = True

    @classmethod
    def main(cls) -> NoReturn:
        """Runs the stage to its end, and ends the process with the status that tells the supervisor how it went."""
        if "REEL_STAGE" in os.environ:
            _log_to_supervisor()
        sys.exit(cls()._run())

    def _run(self) -> int:
        self.name = os.environ.get("REEL_STAGE", type(self).__name__)
        self.inputs, self.outputs = {}, {}
        signal.signal(signal.SIGINT, self._on_drain)
        signal.signal(signal.SIGTERM, self._on_stop)
        opened = False
        try:
            self._open(_setup(os.environ))
            opened = True
            stopped = self._live()
            self.stop()
            if stopped and "REEL_STAGE" in os.environ:
                _leave()
            self._end_outputs(stopped)
            return ENDED_WELL
        except _StopNow:
            return ENDED_WELL
        except Exception as error:
            self._tell(error)
            wrong = isinstance(error, Error) and (error.code == "bad_config" or (error.code == "bad_argument" and not opened))
            return BAD_CONFIGURATION if wrong else FAILED
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is ending
            for writer in self.outputs.values():
                writer.close()

    def _open(self, setup: Mapping[str, Any]) -> None:
        for output in setup["outputs"]:
            options = {key: value for key, value in output["writer"].items() if key in _OF_WRITERS}
            self.outputs[output["port"]] = Writer(output["stream"], **options)
        for given in setup["inputs"]:
            options = {key: value for key, value in given["reader"].items() if key in _OF_READERS}
            self.inputs.setdefault(given["port"], []).append(Reader(given["stream"], **options))

    def _live(self) -> bool:
        """True where it was stopped rather than ended."""
        try:
            self.start()
            if self.inputs:
                self._process_all()
            else:
                while not self.stopping and self.produce():
                    pass
        except _StopNow:
            if "REEL_STAGE" in os.environ:
                self.stop()
                _leave()  # here, where the frame that is being worked on is still held: it was not taken
            return True
        except Error as error:
            if error.code != "interrupted" or not self.stopping:
                raise
        return self._stopped  # whatever the stage has done with _StopNow

    def _process_all(self) -> None:
        left = [(port, reader) for port, readers in self.inputs.items() for reader in readers]
        while left and not self.stopping:
            # One frame of each in turn: a fast input does not starve the others. One alone is waited for where it is read.
            wait_ms = None if len(left) == 1 else 0
            came = False
            for port, reader in list(left):
                if self.stopping:
                    return
                try:
                    self._reading = True
                    try:
                        frame = reader.read(wait_ms)
                    finally:
                        self._reading = False
                    if self._stopped:
                        raise _StopNow  # with the frame in hand
                except Ended:
                    left.remove((port, reader))
                    self.input_ended(port)
                    came = True
                    continue
                if frame is not None:
                    came = True
                    self._hand_on(frame, port)
                    del frame  # so that one slot is held at a time
            if not came and all(reader.prepare_wait() for _, reader in left):
                poll = select.poll()
                for _, reader in left:
                    poll.register(reader.fileno(), select.POLLIN)
                poll.poll(_IDLE_MS)

    def _hand_on(self, frame: _reel.Frame, port: str) -> None:
        if frame.kind == "media":
            self.process(frame, port)
        else:
            self.other(frame, port)

    def _end_outputs(self, stopped: bool) -> None:
        for writer in self.outputs.values():
            stats = writer.stats
            if stats["published"] == 0 and not stopped:
                if stats["epochs"] == 0:
                    writer.set_format(_reel.Format())  # readers are let in once there is a format
                writer.wait_for_readers()
            writer.end()
        for readers in self.inputs.values():  # nobody upstream waits for this stage while it waits for those downstream
            for reader in readers:
                reader.close()
        if stopped:
            return
        for writer in self.outputs.values():
            if not writer.drain(_DRAIN_LIMIT_MS):
                log.warning("stream %s: ended, but some of its readers have not taken their last frames", writer.stream)

    def _tell(self, error: Exception) -> None:
        for line in traceback.format_exc().splitlines():
            log.info("%s", line)
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error("%s: %s (%s:%s)", type(error).__name__, error, os.path.basename(place.filename), place.lineno)

    def _on_drain(self, number: int, where: Optional[FrameType]) -> None:
        self.stopping = True
        for readers in self.inputs.values():
            for reader in readers:
                reader.interrupt()

    def _on_stop(self, number: int, where: Optional[FrameType]) -> None:
        self.stopping = self._stopped = True
        if not self._reading:
            raise _StopNow
        for readers in self.inputs.values():
            for reader in readers:
                reader.interrupt()
