"""The gradebook: one row for each student, out of what a results folder keeps."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.batch.entry import Person
from grader.batch.store import Store
from grader.flags import weight
from grader.text import clean

MAX_CELL = 32_000  # of a spreadsheet
_BEHIND_ANOTHER = re.compile(r"([;\t]\s*)(?=[=+@\uff1d\uff0b\uff20\uff0d-])")
NOT_JUDGED = "not judged: a fault of the grader; run the batch again"


@dataclass(frozen=True)
class Row:
    """One submission in the gradebook; `result` is its results file, None if there is a `problem` instead.

    There are both where a person has given points for what could not be graded. `lines` are the lines of code
    that made wrong gradients, by function and gradient.
    """

    submission: str
    file: str
    people: tuple[Person, ...]
    label: str
    submitted_at: str | None
    is_late: bool | None
    attempt: int | None
    problem: str | None
    result: Mapping[str, Any] | None
    system: str = ""
    lines: Mapping[str, str] = field(default_factory=dict)

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
    batch = store.read_batch()
    for entry in batch.get("entries", []):
        record = store.record(entry["file"])
        has_result = record is not None and (record.problem is None or record.score is not None)
        result = store.result(entry["file"]) if has_result else None
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
            system=entry.get("system", batch.get("system", "")),
            lines=record.lines if record is not None else {},
        )


def grades_csv(store: Store) -> str:
    """Return grades.csv: every member of a group has a row, and the maximum is one number for all of them."""
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
    maximum = next((line[2] for line in table[1:] if line[2] is not None), None)
    return to_csv([table[0], *([*line[:2], maximum if line[2] is None else line[2], *line[3:]] for line in table[1:])])


def to_csv(table: Sequence[Sequence[object]]) -> str:
    """Return a table as CSV in which no cell is one that a spreadsheet would run."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[defuse(value) for value in line] for line in table])
    return text.getvalue()


def defuse(value: object) -> object:
    """Return a cell that no spreadsheet runs and no terminal acts on: what begins like a formula gets a quote."""
    if isinstance(value, float):
        return f"{value:.12g}"
    if not isinstance(value, str):
        return value
    # Where lists are separated by semicolons, a spreadsheet begins a cell of its own behind one.
    value = _BEHIND_ANOTHER.sub(r"\1'", clean(value, MAX_CELL))
    start = value.lstrip(" \u00a0\u3000")[:1]
    # The wide forms of Asian keyboards are formulas, too.
    is_formula = unicodedata.normalize("NFKC", start) in ("=", "+", "-", "@", "\t", "\r", "\n") if start else False
    return f"'{value}" if is_formula and value != "-" else value
