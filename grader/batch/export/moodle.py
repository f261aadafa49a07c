"""Moodle: a grading worksheet to upload, or the instructor's own one filled.

Moodle writes the worksheet's headers in the user's language, so its columns are found by what is in them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.batch.entry import Person
from grader.batch.export.sheet import Filled, Sheet, match_people, plain
from grader.batch.gradebook import Row, to_csv
from grader.errors import UsageError

_PARTICIPANT = re.compile(r"\D*(\d+)")
_NUMBER = re.compile(r"\d+([.,]\d+)?")
_HEAD = (
    "Identifier",
    "Full name",
    "Email address",
    "Status",
    "Grade",
    "Maximum Grade",
    "Grade can be changed",
    "Last modified (submission)",
    "Last modified (grade)",
    "Feedback comments",
)


def as_sheet(rows: Sequence[Row], course: str) -> str:  # noqa: ARG001 # a worksheet is of one assignment and does not name it
    """Return a grading worksheet in English."""
    table: list[Sequence[object]] = [_HEAD]
    for row in rows:
        for person in row.people or (Person(name=row.submission),):
            identifier = f"Participant {person.id}" if person.id.isdecimal() else person.id
            grades = [_score(row, "."), "" if row.max_score is None else f"{row.max_score:.2f}"]
            table.append([identifier, person.name, person.email, "", *grades, "Yes", row.submitted_at or "-", "-", ""])
    return to_csv(table)


def fill(content: bytes, rows: Sequence[Row], course: str, column: str | None) -> Filled:  # noqa: ARG001 # as above
    """Fill the grades of a downloaded worksheet. Raises UsageError if it is none."""
    sheet = Sheet(content)
    table = sheet.rows
    lines = {number: line for number, line in enumerate(table[1:], start=1) if any(line)}
    if not lines or not all(_PARTICIPANT.fullmatch(line[0].strip()) for line in lines.values()):
        raise UsageError("this is not a Moodle grading worksheet: its first column has no participant numbers")
    place = _find_column(table[0], list(lines.values()), column)
    keys = {number: _keys(line) for number, line in lines.items()}
    found, notes = match_people(rows, keys)
    maximum = next(iter(lines.values()))[place + 1]
    for number, row in found.items():
        if row.score is not None:
            sheet.fill(number, place, _score(row, "," if "," in maximum else "."))
    most = max((row.max_score or 0.0 for row in rows), default=0.0)
    if _NUMBER.fullmatch(maximum.strip()) and float(maximum.replace(",", ".")) != most:
        notes.append(f"Moodle's maximum grade is {maximum.strip()}, the course has {most:g} points")
    return Filled(sheet.as_bytes(), tuple(notes))


def _find_column(head: Sequence[str], lines: Sequence[Sequence[str]], column: str | None) -> int:
    """Return the place of the grade: left of the maximum grade, the first number that is the same in all lines."""
    if column is not None:
        if column not in head:
            raise UsageError(f"the sheet has no column {column!r}; it has {', '.join(head)}")
        return list(head).index(column)
    for place in range(2, min(map(len, lines)) - 1):
        maximum = {line[place + 1].strip() for line in lines}
        are_grades = all(not line[place].strip() or _NUMBER.fullmatch(line[place].strip()) for line in lines)
        if are_grades and len(maximum) == 1 and _NUMBER.fullmatch(maximum.pop()):
            return place
    raise UsageError(f"which column is the grade? Give --column NAME; the sheet has {', '.join(head)}")


def _keys(line: Sequence[str]) -> list[str]:
    match = _PARTICIPANT.fullmatch(line[0].strip())
    email = next((cell.strip().lower() for cell in line if "@" in cell), "")
    return [match[1] if match else "", email, plain(line[1])]


def _score(row: Row, point: str) -> str:
    return "" if row.score is None else f"{row.score:.2f}".replace(".", point)
