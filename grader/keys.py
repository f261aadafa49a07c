"""Single keys from a terminal, read without waiting and without Enter."""

from __future__ import annotations

import os
import select
import sys
from types import TracebackType
from typing import Any, Self


class Keys:
    """The keyboard of a terminal, as a context manager; where there is none, no key is ever pressed."""

    def __init__(self) -> None:
        self._saved: list[Any] | None = None
        self._is_terminal = sys.stdin is not None and sys.stdin.isatty()

    def __enter__(self) -> Self:
        if self._is_terminal and os.name == "posix":
            import termios
            import tty

            self._saved = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._saved is not None:
            import termios

            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._saved)

    def pressed(self) -> str:
        """Return a key that was pressed since the last time, in lower case, or nothing; `q` if the terminal is gone."""
        if not self._is_terminal:
            return ""
        if self._saved is None:
            import msvcrt

            return msvcrt.getwch().lower() if msvcrt.kbhit() else ""  # type: ignore[attr-defined] # of Windows only
        if not select.select([sys.stdin], [], [], 0)[0]:
            return ""
        # Past Python's own buffer, which select does not see.
        return os.read(sys.stdin.fileno(), 1).decode("ascii", errors="replace").lower() or "q"
