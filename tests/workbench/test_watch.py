"""`grade --watch`: a saved file is graded again, whatever an editor does to it."""

from __future__ import annotations

import os
import select
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from grader.grading import Grader
from grader.sandbox.warm import Warm
from grader.submission import read_submission
from grader.workbench.watch import Watcher

ROOT = Path(__file__).resolve().parents[2]
RIGHT = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
WRONG = RIGHT.replace("dout.sum(0)", "dout.sum(1)")
PATIENCE_SECONDS = 30.0


class _Typed:
    """A keyboard on which the test types."""

    def __init__(self) -> None:
        self.waiting: list[str] = []

    def pressed(self) -> str:
        return self.waiting.pop(0) if self.waiting else ""


class _Watched:
    """A running watch: what it says can be waited for."""

    def __init__(self, path: Path, grader: Grader, warm: Warm) -> None:
        self.keys = _Typed()
        self._out = StringIO()
        self._seen = 0
        console = Console(file=self._out, width=200, markup=False, highlight=False)
        self.watch = Watcher(
            path,
            lambda: grader.grade(read_submission(path), warm),
            lambda _: "Report: report.html",
            console,
            self.keys,
        )
        self._thread = threading.Thread(target=self.watch.run)
        self._thread.start()

    def said(self, part: str) -> str:
        """Wait until something is said that was not before, and return all that was said since."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while part not in self._out.getvalue()[self._seen :]:
            assert time.monotonic() < deadline, self._out.getvalue()[self._seen :]
            assert self._thread.is_alive(), "the watch ended"
            time.sleep(0.02)
        # A screen is written line by line; the last of it may be on its way.
        time.sleep(0.2)
        said, self._seen = self._out.getvalue()[self._seen :], len(self._out.getvalue())
        return said

    def end(self) -> None:
        self.keys.waiting.append("q")
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()


Start = Callable[[Path], _Watched]


@pytest.fixture
def start(small_grader: Grader, warm: Warm) -> Iterator[Start]:
    """Begin to watch a path; it is ended with the test."""
    running: list[_Watched] = []

    def begin(path: Path) -> _Watched:
        running.append(_Watched(path, small_grader, warm))
        return running[-1]

    yield begin
    for each in running:
        each.end()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "linear.py").write_text(WRONG)
    return folder


def test_a_saved_file_is_graded_again_and_what_changed_is_said(work: Path, start: Start):
    watched = start(work)
    watched.said("Next: ")

    (work / "linear.py").write_text(RIGHT)

    assert "· linear_backward: db wrong shape → correct" in watched.said("· Total 3.5 → 5")


def test_an_editor_may_save_by_renaming(work: Path, start: Start):
    watched = start(work)
    watched.said("Next: ")

    (work / ".linear.py.swp").write_text(RIGHT)
    (work / ".linear.py.swp").replace(work / "linear.py")

    watched.said("· Total 3.5 → 5")


def test_a_syntax_error_is_said_and_mended(work: Path, start: Start):
    watched = start(work)
    watched.said("Next: ")

    (work / "linear.py").write_text("def linear_backward(:\n")
    assert "linear.py line 1: SyntaxError" in watched.said("· Total 3.5 → 0")
    (work / "linear.py").write_text(RIGHT)

    watched.said("· Total 0 → 5")


def test_a_file_may_vanish_and_come_back(work: Path, start: Start):
    watched = start(work)
    watched.said("Next: ")

    (work / "linear.py").unlink()
    assert "holds no Python file" in watched.said("Waiting for the next save.")
    (work / "linear.py").write_text(RIGHT)

    watched.said("· Total 3.5 → 5")


def test_the_folder_itself_may_vanish_and_come_back(work: Path, start: Start):
    watched = start(work)
    watched.said("Next: ")

    shutil.rmtree(work)
    watched.said("Waiting for the next save.")
    work.mkdir()
    (work / "linear.py").write_text(RIGHT)

    watched.said("· Total 3.5 → 5")


def test_a_folder_that_comes_later_is_watched_too(work: Path, start: Start):
    watched = start(work)
    watched.said("Next: ")

    (work / "more").mkdir()
    (work / "more" / "dropout.py").write_text("def dropout_backward(dout, mask, p):\n    return dout\n")
    watched.said("· dropout_backward: missing → returned")
    (work / "more" / "dropout.py").write_text(
        "def dropout_backward(dout, mask, p):\n    return dout * mask / (1 - p)\n"
    )

    watched.said("· dropout_backward: dh wrong values → correct")


def test_one_file_is_watched_and_its_neighbours_are_not(work: Path, start: Start):
    watched = start(work / "linear.py")
    watched.said("Next: ")

    (work / "other.py").write_text("x = 1\n")
    time.sleep(0.5)
    (work / "linear.py").write_text(RIGHT)

    assert watched.said("· Total 3.5 → 5").count("Next: ") == 1


def test_a_file_that_is_no_source_is_no_reason_to_grade(work: Path, start: Start):
    watched = start(work)
    watched.said("Next: ")

    (work / "notes.txt").write_text("x")
    (work / "case_linear_backward_1.py").write_text("x = 1\n")
    time.sleep(0.5)
    (work / "linear.py").write_text(RIGHT)

    assert watched.said("· Total 3.5 → 5").count("Next: ") == 1


def test_keys_give_a_hint_and_then_all_there_is(work: Path, start: Start):
    watched = start(work)
    assert watched.said("Next: ").count("Hint") == 1

    watched.keys.waiting.append("h")
    assert watched.said("Next: ").count("Hint") == 2
    watched.keys.waiting.append("e")

    assert watched.said("Next: ").count("Hint") == 3


def test_a_save_hides_the_hints_again(work: Path, start: Start):
    watched = start(work)
    watched.said("Next: ")
    watched.keys.waiting.append("h")
    watched.said("Next: ")

    (work / "linear.py").write_text(WRONG + "\n")

    assert watched.said("Nothing changed since the last time.").count("Hint") == 1


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal is POSIX")
def test_in_a_terminal_the_screen_is_cleared_and_q_ends_it(work: Path):
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
    command = [sys.executable, "-m", "grader", "--watch", "--only", "linear"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    process = subprocess.Popen(command, cwd=work, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    said = b""
    deadline = time.monotonic() + 2 * PATIENCE_SECONDS
    while b"q quit" not in said and time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            said += os.read(ours, 65536)
    os.write(ours, b"q")
    status = process.wait(PATIENCE_SECONDS)
    os.close(ours)

    assert b"\x1b[2J" in said
    assert b"Total 3.5 of 5 points" in said
    assert status == 1
