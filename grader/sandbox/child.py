"""A child as the grader sees it: requests go in, answers and output come out, all within limits."""

from __future__ import annotations

import re
import secrets
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from grader.sandbox.guest.protocol import HEADER, Frame, FrameError, pack, unpack_header, unpack_text
from grader.sandbox.wire import Stream, Wire
from grader.text import clean, decode

# How long to wait for output that was printed before an answer, where it comes by a way of its own.
LATE_SECONDS = 0.2
# And how many bytes of answers may come in meanwhile.
MUCH = 1 << 20


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

    `exit_code` is how the process ended, as subprocess gives it, if it did: a negative one is a signal.
    """

    end: End
    frame: Frame | None
    reason: str
    printed: str
    seconds: float
    exit_code: int | None = None


class Child:
    """One confined process that holds one submission."""

    def __init__(
        self,
        wire: Wire,
        output_bytes: int,
        kill: Callable[[], None],
        exit_code: Callable[[], int | None],
    ) -> None:
        self._wire = wire
        self._output = Output(output_bytes)
        self._kill = kill
        self._exit_code = exit_code
        self._id = ""
        self._next_part = 0
        self._received = bytearray()

    def ask(self, message: Mapping[str, Any], payload: bytes, seconds: float) -> Heard:
        """Send one request and wait for its answer, `seconds` at the most.

        After any end but ANSWERED the child is of no more use: close it.
        """
        self.request(message, payload)
        return self.hear(seconds)

    def request(self, message: Mapping[str, Any], payload: bytes = b"") -> None:
        """Send one request, whose answer comes in parts, each to be heard."""
        # Nobody can answer what has not been asked yet: a function can't speak for the process that it ends.
        self._id = secrets.token_hex(8)
        self._next_part = 0
        self._output.expect(self._id)
        self._wire.send(pack({**message, "id": self._id}, payload))

    def hear(self, seconds: float, pause: float = 0.0) -> Heard:
        """Wait, `seconds` at the most, for the next part of the answer to the last request.

        Where it has not come in yet, `pause` lets so many seconds pass before the system is asked: parts then come in
        several at a time, and being woken for each would cost more than reading it. After any end but ANSWERED the
        child is of no more use: close it.
        """
        started = time.monotonic()
        end, frame, reason = self._await(started + seconds, pause)
        printed = self._output.take(self._next_part)
        self._next_part += 1
        seconds = time.monotonic() - started
        return Heard(end, frame, reason, printed, seconds, self._exit_code() if end is End.DIED else None)

    def close(self) -> None:
        """End the child, whatever it is doing."""
        self._kill()
        self._wire.close()

    def _await(self, deadline: float, pause: float) -> tuple[End, Frame | None, str]:
        try:
            while (frame := self._complete()) is None:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return End.TIMED_OUT, None, ""
                if pause:
                    time.sleep(pause)
                if not self._take(self._wire.wait(remaining)):
                    self._take_rest()
                    return End.DIED, None, ""
            self._take_rest()
        except FrameError as error:
            return End.MALFORMED, None, str(error)
        except FloodError:
            return End.FLOODED, None, ""
        return End.ANSWERED, frame, ""

    def _take(self, arrived: list[tuple[Stream, bytes]]) -> bool:
        """Keep what came in; False if there will be no more answers."""
        goes_on = True
        for stream, part in arrived:
            if stream is Stream.OUTPUT:
                self._output.add(part)
            else:
                self._received += part
                goes_on = goes_on and bool(part)
        return goes_on

    def _take_rest(self) -> None:
        """Take the output that was printed before the answer, or before the end, and has not come in yet."""
        deadline = time.monotonic() + (LATE_SECONDS if self._wire.needs_mark else 0)
        while not self._output.has_all_of(self._next_part):
            arrived = self._wire.wait(max(0.0, deadline - time.monotonic()))
            self._take(arrived)
            is_over = (Stream.OUTPUT, b"") in arrived or time.monotonic() >= deadline
            has_more = any(part for stream, part in arrived if stream is Stream.OUTPUT)
            # Answers may come in meanwhile, the parts behind this one or a flood.
            if (is_over and not has_more) or len(self._received) > MUCH:
                return

    def _complete(self) -> Frame | None:
        """Return the frame once all of it is there. Raises FrameError for any but this request's, in their order."""
        received = self._received
        if len(received) < HEADER.size:
            return None
        text_length, payload_length = unpack_header(bytes(received[: HEADER.size]))
        text_end = HEADER.size + text_length
        end = text_end + payload_length
        if len(received) < end:
            return None
        with memoryview(received) as view:
            message, payload = unpack_text(bytes(view[HEADER.size : text_end])), bytearray(view[text_end:end])
        if message.get("id") != self._id or message.get("part") != self._next_part:
            raise FrameError("an answer came back that was not asked for")
        del received[:end]
        return Frame(message, payload)


def describe_exit(code: int) -> str:
    """Say how a process ended, from what subprocess gives."""
    if code >= 0:
        return f"it ended the process with exit status {code}"
    names = {int(known): known.name for known in signal.Signals}
    return f"it was ended by {names.get(-code, f'signal {-code}')}"


MAX_PRINTED = 4_000
# Of a request's answer, more parts than any has.
MAX_MARKS = 10_000
# All bytes of a UTF-8 character but its first.
CONTINUING = bytes(range(0x80, 0xC0))


class FloodError(Exception):
    """More was printed than may be."""


class Output:
    """The output of one child, of which `room` bytes are borne in all and the end of each part's is kept.

    The child prints a mark behind what belongs to each part of an answer: `[ID NUMBER]`.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._mark: re.Pattern[bytes] | None = None
        self._said: dict[int, tuple[int, bytes]] = {}  # by part: characters forgotten, and the end that was kept
        self._open = bytearray()
        self._forgotten = 0

    def expect(self, request: str) -> None:
        """Forget what was printed until now; from here on the marks of this request end what belongs together."""
        self._mark = re.compile(rb"\[%b (\d{1,6})\]" % request.encode())
        self._said.clear()
        self._close()

    def add(self, data: bytes) -> None:
        """Take what came in. Raises FloodError when it is too much."""
        self._room -= len(data)
        self._open += data
        while self._mark and (found := self._mark.search(self._open)):
            part, (start, end) = int(found[1]), found.span()
            if part < MAX_MARKS and part not in self._said:
                self._room += end - start  # it is ours, and costs the student nothing
            behind = self._open[end:]
            del self._open[start:]
            self._trim()
            self._said.setdefault(part, self._close())
            self._open += behind
        self._trim()
        if self._room < 0:
            raise FloodError

    def has_all_of(self, part: int) -> bool:
        """Whether all that was printed for a part is there."""
        return part in self._said

    def take(self, part: int) -> str:
        """Return what was printed for a part, or all that is there if its mark is not: its end, a count of the rest."""
        forgotten, data = self._said.pop(part) if part in self._said else self._close()
        text = decode(data)
        before = forgotten + max(0, len(text) - MAX_PRINTED)
        words = clean(text[-MAX_PRINTED:], MAX_PRINTED)
        return f"({before} characters before) ... {words}" if before else words

    def _close(self) -> tuple[int, bytes]:
        closed = self._forgotten, bytes(self._open)
        self._open.clear()
        self._forgotten = 0
        return closed

    def _trim(self) -> None:
        self._forgotten += len(self._open[: -2 * MAX_PRINTED].translate(None, CONTINUING))
        del self._open[: -2 * MAX_PRINTED]
