"""Grading from Python, up to where torch is needed: what is not there is said at once."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from grader.absent import leave_absent
from grader.submission import check_path

if TYPE_CHECKING:
    from grader.workbench.python import NotebookReport

if find_spec("torch") is None:
    # Who imports `grade` hears it there, and not when all else is ready.
    raise ModuleNotFoundError("No module named 'torch'", name="torch")


def grade(
    path: str | Path = ".", *, only: str | Sequence[str] = (), seed: int = 0, course: str | Path | None = None
) -> NotebookReport:
    """Grade the submission at `path`, a folder or one file, as the command `grade` does.

    Raises GraderError if there is nothing to grade or the course does not hold together.
    """
    check_path(Path(path))
    try:
        from grader.workbench import python
    except ModuleNotFoundError as error:
        leave_absent(error)
    return python.grade(path, only=only, seed=seed, course=course)
