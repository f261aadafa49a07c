"""The progress of a batch: a bar on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections import deque
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.prompt import Confirm
from rich.text import Text

TROUBLES = 3


class Say(Protocol):
    """Where a batch tells what it does."""

    def line(self, text: str) -> None:
        """Say something."""

    def ask(self, question: str) -> bool | None:
        """Ask yes or no; None where nobody is there to answer."""

    def start(self, total: int) -> None:
        """Say how many submissions there are to grade."""

    def graded(self, name: str, text: str, *, is_trouble: bool) -> None:
        """Say what came of one."""


class Lines:
    """Plain lines, one for each submission."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def line(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, soft_wrap=True)

    def ask(self, question: str) -> bool | None:  # noqa: ARG002 # nobody reads along
        """Answer None: what is printed goes to a file."""
        return None

    def start(self, total: int) -> None:
        """Print how many are to come."""

    def graded(self, name: str, text: str, *, is_trouble: bool) -> None:  # noqa: ARG002 # each gets its line here
        """Print one submission's line."""
        self.line(f"{name}: {text}")


class Bar(Lines):
    """A bar with count, rate and time left, and the latest troubles under it."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console)
        self._task = self._progress.add_task("grading", total=None, rate="", visible=False)
        self._troubles: deque[str] = deque(maxlen=TROUBLES)
        self._live = Live(self._shown(), console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def ask(self, question: str) -> bool | None:
        """Ask on the terminal, if there is one to answer on, too; no is what an empty answer means."""
        if not sys.stdin.isatty():
            return None
        self._live.stop()
        try:
            return Confirm.ask(Text(question), console=self._console, default=False)
        except EOFError:
            return False
        finally:
            self._live.start()

    def start(self, total: int) -> None:
        """Show the bar."""
        self._progress.update(self._task, total=total, visible=True)

    def graded(self, name: str, text: str, *, is_trouble: bool) -> None:
        """Move the bar by one."""
        if is_trouble:
            self._troubles.append(f"{name}: {text}")
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, advance=1, rate=f"{speed:.0f} a second" if speed else "")
        self._live.update(self._shown())

    def _shown(self) -> Group:
        return Group(self._progress, *(Text(trouble, style="yellow", no_wrap=True) for trouble in self._troubles))
