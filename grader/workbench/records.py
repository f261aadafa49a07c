"""What a run of `grade` leaves beside the work: the page, the JSON, and what the next run is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.report.html import write_html
from grader.report.json import write_json
from grader.report.progress import compare_standings, say_progress, standing_of
from grader.results import Report
from grader.workbench.history import read_history, write_history


@dataclass(frozen=True)
class Kept:
    """Where the page of a report is, if it could be written, and a line for each thing that could not be.

    `is_complete` if everything that was asked for by name was written.
    """

    page: Path | None
    problems: tuple[str, ...]
    is_complete: bool

    @property
    def lines(self) -> tuple[str, ...]:
        """What there is to say of what was written."""
        return (f"Report: {self.page}",) if self.page is not None else ()

    @property
    def said(self) -> str:
        """All of it in one text."""
        return "\n".join((*self.lines, *self.problems))


@dataclass(frozen=True)
class Records:
    """Where a submission's reports go: as a page where asked for or beside it, as JSON only if that was asked for.

    One that is `is_forgetful` neither reads nor writes what the last run came to.
    """

    submission: Path
    page: Path | None = None
    json: Path | None = None
    is_forgetful: bool = False

    def say_changes(self, report: Report) -> str:
        """Say in a sentence what changed since the last run in this folder; nothing if that is not known."""
        before = None if self.is_forgetful else read_history(self.submission).standing
        return say_progress(compare_standings(before, standing_of(report))) if before is not None else ""

    def keep(self, report: Report) -> Kept:
        """Write a report in every form; what cannot be written costs nothing else."""
        written, problems, is_complete = None, [], True
        try:
            written = write_html(report, self.page, self.submission, since=self.say_changes(report))
        except UsageError as error:
            problems.append(str(error))
            is_complete = self.page is None
        if self.json is not None:
            try:
                write_json(report.for_student, self.json)
            except UsageError as error:
                problems.append(str(error))
                is_complete = False
        if not self.is_forgetful:
            write_history(self.submission, read_history(self.submission).after(standing_of(report)))
        return Kept(written, tuple(problems), is_complete)
