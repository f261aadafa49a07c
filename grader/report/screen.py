"""Lines on a console: what is too long goes on under its beginning, and signs that it lacks are words."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from grader.report.spelling import spell

# A narrow terminal has no room for deep indents.
NARROW = 60
LEAST_WIDTH = 20


class Screen:
    """A console that a report is written to; what reads a pipe gets every line whole, however long."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._is_terminal = console.is_terminal
        self.is_narrow = self._is_terminal and console.width < NARROW

    def room(self, indent: int) -> int | None:
        """Return how many letters fit behind an indent; None in a pipe, where all do."""
        return self._console.width - self._shown(indent) if self._is_terminal else None

    def say(self, indent: int, line: Text, *, hang: int = 0) -> None:
        """Write a line; what does not fit is broken at spaces and goes on `hang` letters further to the right."""
        line = self._spelled(line)
        line.rstrip()
        indent = self._shown(indent)
        if not self._is_terminal:
            self._put(indent, line)
            return
        room = max(LEAST_WIDTH, self._console.width - indent)
        first, *rest = line.wrap(self._console, room) or [Text()]
        self._put(indent, first)
        if not rest:
            return
        # What is left, with the spaces that a line was broken at.
        left = line[len(first.plain) :]
        left = left[len(left.plain) - len(left.plain.lstrip()) :]
        for part in left.wrap(self._console, max(LEAST_WIDTH, room - hang)):
            self._put(indent + hang, part)

    def say_each(self, indent: int, label: str, things: Sequence[str]) -> None:
        """Write things that are not to be broken, a dot between them, behind a label."""
        room = self.room(indent)
        lines = [f"{label}: "]
        for thing in things:
            is_first = lines[-1].endswith(": ") or not lines[-1].strip()
            joined = lines[-1] + ("" if is_first else " · ") + thing
            if room is None or is_first or len(joined) <= room:
                lines[-1] = joined
            else:
                lines.append(" " * (2 if self.is_narrow else len(label) + 2) + thing)
        for number, text in enumerate(lines):
            line = Text(text)
            if number == 0:
                line.stylize("dim", 0, len(label) + 1)
            self.say(indent, line, hang=4)

    def skip(self) -> None:
        """Write an empty line."""
        self._console.print()

    def _shown(self, indent: int) -> int:
        return indent // 3 if self.is_narrow else indent

    def _put(self, indent: int, line: Text) -> None:
        line.rstrip()
        self._console.print(Text(" " * indent).append_text(line), soft_wrap=True)

    def _spelled(self, line: Text) -> Text:
        encoding = self._console.encoding
        if spell(line.plain, encoding) == line.plain:
            return line
        for sign in sorted(set(line.plain)):
            word = spell(sign, encoding)
            if word != sign:
                line = Text(word).join(line.split(sign, allow_blank=True))
        return line
