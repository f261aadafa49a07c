"""Grading from Python, where a report in a notebook shows itself as its own page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.course import default_course, load_course
from grader.grading import Grader
from grader.report.html import render_html
from grader.report.notebook import notebook_bundle
from grader.report.words import sum_up
from grader.results import Report
from grader.sandbox.warm import start_warm
from grader.submission import read_submission
from grader.workbench.pointer import find_course


class NotebookReport(Report):
    """A report that Jupyter and Colab show in a frame, so that neither style touches the other."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002 # by IPython's rule
        return notebook_bundle(sum_up(self), render_html(self))


def grade(
    path: str | Path = ".", *, only: str | Sequence[str] = (), seed: int = 0, course: str | Path | None = None
) -> NotebookReport:
    """Grade the submission at `path`, a folder or one file, as the command `grade` does.

    Raises GraderError if there is nothing to grade or the course does not hold together.
    """
    with start_warm() as warm:
        names = (only,) if isinstance(only, str) else tuple(only)
        loaded = load_course(Path(course) if course is not None else find_course(Path(path)) or default_course())
        submission = read_submission(Path(path))
        return NotebookReport(**vars(Grader(loaded, seed, names, about=submission).grade(submission, warm)))
