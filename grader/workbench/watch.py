"""Grading again whenever a file is saved: the cases stay made and the warm process stays warm."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from watchfiles import watch

from grader.errors import GraderError, SubmissionError, UsageError
from grader.report.terminal import describe_changes, print_report
from grader.results import Report
from grader.submission import read_submission

# An editor's save is one event or several in a row; a key is noticed within a tick.
SETTLE_MS, STEP_MS, TICK_MS = 40, 10, 100
KEY_HELP = "h one more hint · e explain everything · q quit · saved files are graded again"


class Watcher:
    """The loop behind `grade --watch`; every grading reads the files anew and forks a fresh child.

    `grade` grades the submission, and `save` writes its report and says where.
    """

    def __init__(
        self, path: Path, grade: Callable[[], Report], save: Callable[[Report], str], console: Console, keys: Keys
    ) -> None:
        self._path = path
        self._grade = grade
        self._save = save
        self._console = console
        self._keys = keys
        self._hints = 1
        self._explains = False
        self.report: Report | None = None

    def run(self) -> Report | None:
        """Grade, and grade again at every change, until a key or an interrupt ends it; return the last report."""
        try:
            for event in _events(self._path, self._keys):
                if event in ("begun", "change"):
                    self._grade_again(is_quiet=event == "begun")
                elif event == "q":
                    break
                elif event in ("h", "e") and self.report is not None:
                    self._hints += event == "h"
                    self._explains = event == "e"
                    self._show(self.report, [])
        except KeyboardInterrupt:
            pass
        return self.report

    def _grade_again(self, *, is_quiet: bool) -> None:
        """Grade and show; where nothing was saved, show only what is new."""
        before = self.report
        try:
            self.report = self._grade()
        except (SubmissionError, UsageError) as error:
            # A file may be gone for a moment, or for good: the next save tells.
            self._clear()
            self._console.print(f"{error}", style="bold", soft_wrap=True)
            self._console.print("Waiting for the next save.", style="dim")
            return
        changes = describe_changes(before, self.report) if before is not None else []
        if is_quiet and before is not None and not changes:
            return
        self._hints, self._explains = 1, False
        self._show(self.report, changes or ([] if before is None else ["Nothing changed since the last time."]))

    def _show(self, report: Report, changes: list[str]) -> None:
        kept = self._save(report)
        self._clear()
        print_report(report, self._console, explain=self._explains, hints=self._hints)
        self._console.print(kept, soft_wrap=True)
        for line in changes:
            self._console.print(f"· {line}", style="cyan", soft_wrap=True)
        if self._console.is_terminal:
            self._console.print(KEY_HELP, style="dim")

    def _clear(self) -> None:
        if self._console.is_terminal:
            self._console.clear()
        else:
            self._console.print("-" * 40)


def _events(path: Path, keys: Keys) -> Iterator[str]:
    """Yield "begun" whenever watching begins, "change" when the submission changes, and every key pressed."""
    while True:
        watched = _folders(path)
        was = _identities(watched)
        found = watch(
            *watched,
            watch_filter=lambda _, name: _concerns(Path(name), path),
            debounce=SETTLE_MS,
            step=STEP_MS,
            rust_timeout=TICK_MS,
            yield_on_timeout=True,
            recursive=False,
        )
        # The first tick comes when the watch is in force, so no save falls between it and the first grading.
        next(found)
        yield "begun"
        for changes in found:
            if changes:
                yield "change"
            key = keys.pressed()
            if key:
                yield key
            # A folder came or went, or another one took its place: watch what is there now.
            if _identities(watched) != was or (changes and _folders(path) != watched):
                break


def _folders(path: Path) -> list[Path]:
    """Return the folders whose files make up the submission; while it is not there, the nearest one above."""
    if not path.is_dir():
        return [next(parent for parent in path.absolute().parents if parent.is_dir())]
    try:
        files = read_submission(path).files
    except GraderError:
        return [path]
    return sorted({path, *((path / name).parent for name in files)})


def _identities(folders: list[Path]) -> list[int | None]:
    """Return what tells each folder from another one of the same name, or None for one that is gone."""
    found: list[int | None] = []
    for folder in folders:
        try:
            found.append(folder.stat().st_ino)
        except OSError:
            found.append(None)
    return found


def _concerns(changed: Path, path: Path) -> bool:
    """Return whether a changed path can change the grading: a source of the submission, or a folder of it."""
    if path.suffix and not path.is_dir():
        return changed.name == path.name
    return changed.suffix in (".py", ".ipynb", "") and not changed.name.startswith(("case_", "."))


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
