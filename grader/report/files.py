"""Where a report is written: the page beside the submission or where it was asked for, and the JSON."""

from __future__ import annotations

import json
from pathlib import Path

from grader.errors import UsageError
from grader.report.as_json import report_as_json
from grader.report.html import render_html
from grader.results import Report


def write_page(report: Report, asked: Path | None, submission: Path) -> Path:
    """Write the page where it was asked for, or beside the submission, or in the current folder; return where.

    Raises UsageError if it can't be written.
    """
    content = render_html(report)
    if asked is not None:
        return _write(asked, content)
    beside = (submission if submission.is_dir() else submission.parent) / "grade-report.html"
    try:
        return _write(beside, content)
    except UsageError:
        return _write(Path("grade-report.html"), content)


def write_json(report: Report, path: Path) -> None:
    """Write the report as JSON. Raises UsageError if that can't be done."""
    _write(path, json.dumps(report_as_json(report), indent=2, allow_nan=False) + "\n")


def _write(path: Path, content: str) -> Path:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror}") from error
    return path
