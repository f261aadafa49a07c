"""The course that a folder was started from: a pointer in the folder, trusted only by who started it.

A course is code that runs outside of the sandbox, and a folder may come from anybody. So the pointer counts only if
this user's own list has the course, which `grade start --course` adds to it.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from grader.errors import UsageError
from grader.text import decode, one_line

POINTER = ".grade-course"
_HEAD = "# The course that `grade` takes in this folder, written by `grade start --course`. It may be deleted."
_MAX_BYTES = 10_000


def remember_course(folder: Path, course: Path) -> bool:
    """Let a folder point to its course from now on; return whether both files could be written."""
    known, place = _known(), str(course.resolve())
    try:
        if place not in known:
            _list().parent.mkdir(parents=True, exist_ok=True)
            _list().write_text("".join(f"{each}\n" for each in [*known, place]), encoding="utf-8")
        (folder / POINTER).write_text(f"{_HEAD}\n{place}\n", encoding="utf-8")
    except OSError:
        return False
    return True


def find_course(path: Path) -> Path | None:
    """Return the course that the folder at `path`, or around the file there, points to; None if it does not.

    Raises UsageError if this user has never started from that course.
    """
    folder = path if path.is_dir() else path.parent
    lines = [line for line in _read(folder / POINTER) if line and not line.startswith("#")]
    if not lines:
        return None
    place = lines[0]
    if place not in _known():
        shown = one_line(place, 300)
        command = f"grade start {shlex.quote(str(folder))} --course {shlex.quote(shown)}"
        raise UsageError(
            f"{folder / POINTER} names the course {shown}, and nothing here was ever started from it; a course runs "
            f"outside of the sandbox, so if you trust it: {command}; or name yours with --course DIR"
        )
    return Path(place)


def _list() -> Path:
    return Path(click.get_app_dir("backprop-grader")) / "courses.txt"


def _known() -> list[str]:
    return _read(_list())


def _read(path: Path) -> list[str]:
    try:
        if not path.is_file():
            return []
        with path.open("rb") as file:
            return decode(file.read(_MAX_BYTES)).splitlines()
    except OSError:
        return []
