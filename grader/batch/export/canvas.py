"""Canvas: a gradebook to import, or the instructor's own one filled."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from grader.batch.entry import Person
from grader.batch.export.identity import Line, emails_in, match_people, names_in_canvas, names_of
from grader.batch.export.sheet import Filled, Sheet
from grader.batch.gradebook import Row, to_csv
from grader.errors import UsageError

_ASSIGNMENT = re.compile(r"(?P<title>.*) \((?P<id>\d+)\)")


def as_sheet(rows: Sequence[Row], course: str) -> str:
    """Return a gradebook that Canvas imports; a new assignment is made for the course if none has its title."""
    maximum = max((row.max_score or 0.0 for row in rows), default=0.0)
    table: list[Sequence[object]] = [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", course],
        ["    Points Possible", "", "", "", "", f"{maximum:.2f}"],
    ]
    for row in rows:
        for person in row.people or (Person(name=row.submission),):
            # Of another system's number Canvas would make somebody else's grade.
            own = person.id if row.system == "Canvas" else ""
            name = person.name or ("" if own else row.submission)
            table.append([name, own, "", person.email, "", _score(row)])
    return to_csv(table)


def fill(content: bytes, rows: Sequence[Row], course: str, column: str | None) -> Filled:
    """Fill one assignment's column of a downloaded gradebook. Raises UsageError if it is none."""
    sheet = Sheet(content)
    table = sheet.rows
    head = table[0] if table else []
    if len(head) < 4 or "Student" not in head[0] or "ID" not in head[1]:
        raise UsageError("this is not a Canvas gradebook: its columns begin with Student, ID")
    place = _find_column(head, course, column)
    lines = {
        number: _read_line(dict(zip(head, line, strict=False)))
        for number, line in enumerate(table[1:], start=1)
        if len(line) > place and line[1].strip() and "Points Possible" not in line[0]
    }
    found, notes = match_people(rows, lines, "Canvas")
    for number, row in found.items():
        if table[number][place].strip().upper() == "EX":
            notes.append(f"line {number + 1}: {row.submission} is excused, and stays so")
        elif row.score is not None:
            sheet.fill(number, place, _score(row))
    possible = next((line[place] for line in table[1:] if len(line) > place and "Points Possible" in line[0]), "")
    maximum = max((row.max_score or 0.0 for row in rows), default=0.0)
    if _number(possible) != maximum:
        notes.append(f"Canvas has {possible.strip() or 'no'} points for {head[place]}, the course has {maximum:g}")
    return Filled(sheet.as_bytes(), tuple(notes))


def _read_line(cells: Mapping[str, str]) -> Line:
    name = cells["Student"] if "Student" in cells else f"{cells.get('LastName', '')}, {cells.get('FirstName', '')}"
    login = cells.get("SIS Login ID", "").strip()
    emails = frozenset(emails_in([cells.get(each, "") for each in ("SIS Login ID", "SIS User ID", "Email")]))
    return Line(cells.get("ID", ""), emails, names_of(name) | names_in_canvas(name), "" if login.isdecimal() else login)


def _find_column(head: Sequence[str], course: str, column: str | None) -> int:
    titles = {
        place: match["title"] for place, name in enumerate(head) if (match := _ASSIGNMENT.fullmatch(name.strip()))
    }
    wanted = [place for place, title in titles.items() if column in (title, head[place].strip())]
    if column is None:
        wanted = [place for place, title in titles.items() if title == course] or list(titles)
    if len(wanted) != 1:
        known = ", ".join(head[place] for place in titles) or "none"
        raise UsageError(f"which column is to be filled? Give --column TITLE; the sheet's assignments: {known}")
    return wanted[0]


def _score(row: Row) -> str:
    return "" if row.score is None else f"{row.score:.2f}"


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
