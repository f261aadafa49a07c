"""The gradebook: one row for each student, out of what a results folder keeps."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.batch.entry import Person
from grader.batch.store import Store
from grader.results import weight

NOT_JUDGED = "not judged: a fault of the grader; run the batch again"


@dataclass(frozen=True)
class Row:
    """One submission in the gradebook; `result` is its results file, None if there is a `problem` instead."""

    submission: str
    file: str
    people: tuple[Person, ...]
    label: str
    submitted_at: str | None
    is_late: bool | None
    attempt: int | None
    problem: str | None
    result: Mapping[str, Any] | None

    @property
    def score(self) -> float | None:
        """The score, None if there is none."""
        return self.result["score"] if self.result is not None else None

    @property
    def max_score(self) -> float | None:
        """The most that could be had, None if nothing was graded."""
        return self.result["max_score"] if self.result is not None else None


def read_rows(store: Store) -> Iterator[Row]:
    """Yield the rows of a batch one by one: a class of results is never in memory at once."""
    for entry in store.read_batch().get("entries", []):
        record = store.record(entry["file"])
        result = store.result(entry["file"]) if record is not None and record.problem is None else None
        problem = "not graded yet" if record is None else record.problem
        if record is not None and not record.is_final and problem is None:
            problem = NOT_JUDGED
        yield Row(
            submission=entry["submission"],
            file=entry["file"],
            people=tuple(Person(**person) for person in entry["people"]),
            label=entry["label"],
            submitted_at=entry["submitted_at"],
            is_late=entry["late"],
            attempt=entry["attempt"],
            problem=problem,
            result=result,
        )


def grades_csv(store: Store) -> str:
    """Return grades.csv: every member of a group has a row."""
    assignments = store.read_batch().get("assignments", [])
    head = ["submission", "score", "max_score", "name", "id", "email", "submitted_at", "late", "attempt"]
    table: list[Sequence[object]] = [[*head, *assignments, "adjusted", "flags", "problem"]]
    for row in read_rows(store):
        parts = {part["name"]: part for part in row.result["assignments"]} if row.result is not None else {}
        scores = [parts[name]["score"] if name in parts else None for name in assignments]
        flags = len(
            {
                (flag["kind"], flag["detail"])
                for part in parts.values()
                for each in part["exercises"]
                for flag in each["flags"]
                if weight(flag["kind"])
            }
        )
        adjusted = "; ".join(each["function"] for each in row.result["adjustments"]) if row.result is not None else ""
        late = None if row.is_late is None else "yes" if row.is_late else "no"
        for person in row.people or (Person(),):
            said = [person.name, person.id, person.email, row.submitted_at, late, row.attempt]
            graded = [*scores, adjusted, flags or None, row.problem]
            table.append([row.submission, row.score, row.max_score, *said, *graded])
    return to_csv(table)


def changes_csv(store: Store) -> str | None:
    """Return changes.csv: every score that the last regrade of its submission changed; None without any."""
    table: list[Sequence[object]] = [["submission", "before", "after", "why"]]
    for entry in store.read_batch().get("entries", []):
        record = store.record(entry["file"])
        if record is not None and record.why is not None and record.before != record.score:
            table.append([entry["submission"], record.before, record.score, record.why])
    return to_csv(table) if len(table) > 1 else None


def to_csv(table: Sequence[Sequence[object]]) -> str:
    """Return a table as CSV in which no cell is one that a spreadsheet would run."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[defuse(value) for value in line] for line in table])
    return text.getvalue()


def defuse(value: object) -> object:
    """Return a cell that no spreadsheet runs: text that begins like a formula gets a quote before it."""
    if isinstance(value, float):
        return f"{value:.12g}"
    is_formula = isinstance(value, str) and value.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "\r", "\n")
    return f"'{value}" if is_formula and value != "-" else value
