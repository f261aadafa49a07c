"""Grading from Python, up to where torch is needed: what is not there is said at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader.submission import check_path

if TYPE_CHECKING:
    from grader.workbench.python import NotebookReport


def grade(
    path: str | Path = ".", *, only: str | Sequence[str] = (), seed: int = 0, course: str | Path | None = None
) -> NotebookReport:
    """Grade the submission at `path`, a folder or one file, as the command `grade` does.

    Raises GraderError if there is nothing to grade or the course does not hold together.
    """
    check_path(Path(path))
    from grader.workbench import python

    return python.grade(path, only=only, seed=seed, course=course)
