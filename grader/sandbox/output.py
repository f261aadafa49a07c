"""What a child prints, kept apart by answer and bounded: a child says a mark behind what belongs to each."""

from __future__ import annotations

from collections import deque

from grader.text import clean, decode

MAX_PRINTED = 4_000
# All bytes of a UTF-8 character but its first.
CONTINUING = bytes(range(0x80, 0xC0))


class FloodError(Exception):
    """More was printed than may be."""


class Output:
    """The output of one child, of which `room` bytes are borne in all and the end of each answer's is kept."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._mark = b""
        self._said: deque[tuple[int, bytes]] = deque()  # characters forgotten, and the end that was kept
        self._open = bytearray()
        self._forgotten = 0

    def expect(self, mark: bytes) -> None:
        """Forget what was printed until now; from here on a mark, if it is not empty, ends what belongs together."""
        self._mark = mark
        self._said.clear()
        self._close()

    def add(self, data: bytes) -> None:
        """Take what came in. Raises FloodError when it is too much."""
        self._room -= len(data)
        self._open += data
        while self._mark and (end := self._open.find(self._mark)) >= 0:
            behind = self._open[end + len(self._mark) :]
            del self._open[end:]
            self._trim()
            self._said.append(self._close())
            self._open += behind
        self._trim()
        if self._room < 0:
            raise FloodError

    @property
    def is_marked(self) -> bool:
        """Whether all of what is taken next is there."""
        return bool(self._said)

    def take(self) -> str:
        """Return what was printed up to the first mark, or all if there is none: its end, and a count of the rest."""
        forgotten, data = self._said.popleft() if self._said else self._close()
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
