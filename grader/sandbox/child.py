"""A forked child as the grader sees it: requests go in, answers and output come out, all within limits. POSIX only."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from grader.sandbox.frames import HEADER, Frame, FrameError, pack, unpack_header, unpack_text
from grader.text import clean, decode

MAX_PRINTED = 4_000
CHUNK = 1 << 16


class End(Enum):
    """How waiting for an answer ended."""

    ANSWERED = auto()
    TIMED_OUT = auto()
    DIED = auto()
    FLOODED = auto()
    MALFORMED = auto()


@dataclass(frozen=True)
class Heard:
    """What came of one request: the frame if there was an answer, what was printed, and how long it took.

    `status` is how the process ended, as os.waitpid gives it, if it did.
    """

    end: End
    frame: Frame | None
    reason: str
    printed: str
    seconds: float
    status: int | None = None


class Child:
    """One confined process that holds one submission."""

    def __init__(
        self,
        pipes: tuple[int, int, int],
        output_bytes: int,
        kill: Callable[[], None],
        status: Callable[[], int | None],
        cpu_seconds: Callable[[], float | None] = lambda: None,
    ) -> None:
        requests, answers, output = pipes
        self._requests, self._answers, self._output = requests, answers, output
        self._room = output_bytes
        self._kill = kill
        self._status = status
        # Processor time used so far, read from outside; None where that can't be had, or the process is gone.
        self.cpu_seconds = cpu_seconds
        self._last_id = 0
        self._printed = bytearray()
        for descriptor in (requests, answers, output):
            os.set_blocking(descriptor, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(answers, selectors.EVENT_READ)
        self._selector.register(output, selectors.EVENT_READ)

    def ask(self, message: Mapping[str, Any], payload: bytes, seconds: float) -> Heard:
        """Send one request and wait for its answer, `seconds` at the most.

        After any end but ANSWERED the child is of no more use: close it.
        """
        started = time.monotonic()
        self._last_id += 1
        self._printed.clear()
        end, frame, reason = self._exchange(pack({**message, "id": self._last_id}, payload), started + seconds)
        printed = clean(decode(bytes(self._printed[-2 * MAX_PRINTED :])), MAX_PRINTED, keep="tail")
        seconds = time.monotonic() - started
        return Heard(end, frame, reason, printed, seconds, self._status() if end is End.DIED else None)

    def close(self) -> None:
        """End the child, whatever it is doing."""
        self._kill()
        self._selector.close()
        for descriptor in (self._requests, self._answers, self._output):
            os.close(descriptor)

    def _exchange(self, request: bytes, deadline: float) -> tuple[End, Frame | None, str]:
        unsent = memoryview(request)
        received = bytearray()
        self._selector.register(self._requests, selectors.EVENT_WRITE)
        try:
            while True:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return End.TIMED_OUT, None, ""
                for key, _ in self._selector.select(remaining):
                    if key.fd == self._requests:
                        unsent = self._send(unsent)
                    elif key.fd == self._output:
                        if not self._read_output():
                            return End.FLOODED, None, ""
                    elif not self._receive(received):
                        return End.DIED, None, ""
                if (frame := self._complete(received)) is not None:
                    return (End.ANSWERED if self._read_output() else End.FLOODED), frame, ""
        except FrameError as error:
            return End.MALFORMED, None, str(error)
        finally:
            if self._requests in self._selector.get_map():
                self._selector.unregister(self._requests)

    def _send(self, unsent: memoryview) -> memoryview:
        try:
            unsent = unsent[os.write(self._requests, unsent) :]
        except BlockingIOError:
            return unsent
        except BrokenPipeError:
            unsent = unsent[:0]  # it is gone; the other end of the answers says so, too
        if not unsent:
            self._selector.unregister(self._requests)
        return unsent

    def _receive(self, received: bytearray) -> bool:
        """Take what has arrived of the answer; False if there will be no more."""
        try:
            part = os.read(self._answers, CHUNK)
        except BlockingIOError:
            return True
        received += part
        return bool(part)

    def _complete(self, received: bytearray) -> Frame | None:
        """Return the frame once all of it is there. Raises FrameError for anything but one answer to this request."""
        if len(received) < HEADER.size:
            return None
        text_length, payload_length = unpack_header(bytes(received[: HEADER.size]))
        end = HEADER.size + text_length + payload_length
        if len(received) > end:
            raise FrameError("more than one answer came back")
        if len(received) < end:
            return None
        message = unpack_text(bytes(received[HEADER.size : HEADER.size + text_length]))
        if message.get("id") != self._last_id:
            raise FrameError("an answer came back that was not asked for")
        return Frame(message, bytes(received[HEADER.size + text_length :]))

    def _read_output(self) -> bool:
        """Take what was printed; False if it is too much. The last of it is kept."""
        while True:
            try:
                part = os.read(self._output, CHUNK)
            except BlockingIOError:
                return True
            if not part:
                if self._output in self._selector.get_map():
                    self._selector.unregister(self._output)
                return True
            self._room -= len(part)
            self._printed += part
            del self._printed[: -2 * MAX_PRINTED]
            if self._room < 0:
                return False
