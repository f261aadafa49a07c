"""Standard output and standard error, which may be closed, full, or in an encoding that has few signs."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO, cast

from grader.report.spelling import NAME as SPELLED


class ReaderGoneError(Exception):
    """Who read our output has gone (`grade | head`). It is no OSError: rich ends the process at a BrokenPipeError."""


class Stream:
    """A text stream whose first failure is kept in `error`; what is written after it goes nowhere, without a word.

    Raises ReaderGoneError if the other end of a pipe has gone.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        """Write as the stream does."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        """Flush as the stream does."""
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self, error: OSError) -> None:
        # What is still in the stream's buffer would fail once more when the process ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        if isinstance(error, BrokenPipeError):
            raise ReaderGoneError from error
        self.error = self.error or error


def open_streams() -> tuple[Stream, Stream]:
    """Put streams that can always be written to in place of standard output and standard error, and return them."""
    # A descriptor that is closed would be given to the next file or pipe, and be written into as if it were the screen.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    made = []
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        if stream is None:
            stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 # stays open to the end
        stream.reconfigure(errors=SPELLED)  # type: ignore[union-attr] # both are text files here
        made.append(Stream(stream))
    sys.stdout, sys.stderr = (cast("TextIO", stream) for stream in made)
    return made[0], made[1]
