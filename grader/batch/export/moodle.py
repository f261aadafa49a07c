"""Moodle: a grading worksheet to upload, or the instructor's own one filled.

Moodle writes the worksheet's headers in the user's language, so its columns are found by what is in them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.batch.entry import Person
from grader.batch.export.identity import Line, emails_in, match_people, names_of
from grader.batch.export.plain_text import is_full
from grader.batch.export.sheet import Filled, Sheet
from grader.batch.gradebook import Row, to_csv
from grader.errors import UsageError

_PARTICIPANT = re.compile(r"\D*(\d+)")
_NUMBER = re.compile(r"\d+([.,]\d+)?")
# Moodle's own words for whether a grade can be changed, in the languages it is most used in.
_YES = re.compile("yes|ja|oui|s[ií]|sim|tak|[aá]no|igen|да|так|evet|kyllä|da|jah|taip|jā|ναι|نعم|כן|是|はい|예|i?ya|có")  # noqa: RUF001 # Greek
_NO = re.compile("no|nein|non|não|nie|nem?|нет|ні|hayır|ei|nu|nej|nee|nei|όχι|لا|לא|否|いいえ|아니[요오]|tidak|không")  # noqa: RUF001 # Turkish
_COMMENTS = re.compile(r"(?i)comm?ent|kom+ent|yorum|opmerking|коммент|评语|意见|コメント|코멘트|feedback")
MAX_NAMED = 4
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
            identifier = f"Participant {person.id}" if row.system == "Moodle" else ""
            grades = [_score(row, "."), "" if row.max_score is None else f"{row.max_score:.2f}"]
            name = person.name or ("" if identifier else row.submission)
            times = [row.submitted_at or "-", "-"]
            table.append([identifier, name, person.email, "", *grades, "Yes", *times, sentence(row)])
    return to_csv(table)


def fill(content: bytes, rows: Sequence[Row], course: str, column: str | None) -> Filled:  # noqa: ARG001 # as above
    """Fill the grades of a downloaded worksheet. Raises UsageError if it is none."""
    sheet = Sheet(content)
    table = sheet.rows
    lines = {number: line for number, line in enumerate(table[1:], start=1) if any(line)}
    if not lines or not all(_PARTICIPANT.fullmatch(line[0].strip()) for line in lines.values()):
        raise UsageError("this is not a Moodle grading worksheet: its first column has no participant numbers")
    place = _find_column(table[0], list(lines.values()), column)
    found, notes = match_people(rows, {number: _read_line(line, place) for number, line in lines.items()}, "Moodle")
    locked = _locked(list(lines.items()), place)
    comments = _find_comments(table[0], place)
    if comments is None:
        notes.append("no column for feedback comments was recognised, so none was written")
    maximum = next(iter(lines.values()))[place + 1]
    for number, row in found.items():
        if number in locked:
            notes.append(
                f"line {number + 1}: Moodle says that the grade of {row.submission} cannot be changed; left as it is"
            )
        elif row.score is not None:
            sheet.fill(number, place, _score(row, "," if "," in maximum else "."))
            if comments is not None and comments < len(table[number]) and not table[number][comments].strip():
                sheet.fill(number, comments, sentence(row))
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


def sentence(row: Row) -> str:
    """Return what stands in the comment beside a grade: the points, and where the others are."""
    if row.result is None or row.score is None or row.max_score is None:
        return ""
    lost = [each["function"] for part in row.result["assignments"] for each in part["exercises"] if not is_full(each)]
    more = f" and {len(lost) - MAX_NAMED} more" if len(lost) > MAX_NAMED else ""
    where = f" To look at: {', '.join(lost[:MAX_NAMED])}{more}." if lost else " All of it is right."
    return f"{row.score:g} of {row.max_score:g} points.{where}"


def _read_line(line: Sequence[str], grade: int) -> Line:
    match = _PARTICIPANT.fullmatch(line[0].strip())
    return Line(match[1] if match else "", frozenset(emails_in(line[:grade])), names_of(line[1]))


def _locked(lines: Sequence[tuple[int, Sequence[str]]], grade: int) -> set[int]:
    """Return the lines whose grade cannot be changed: a column behind the grade says yes or no in Moodle's language."""
    for place in range(grade + 2, min(len(line) for _, line in lines)):
        said = {number: line[place].strip().casefold() for number, line in lines}
        if all(_YES.fullmatch(word) or _NO.fullmatch(word) for word in said.values()):
            return {number for number, word in said.items() if _NO.fullmatch(word)}
    return set()


def _find_comments(head: Sequence[str], grade: int) -> int | None:
    places = [place for place, name in enumerate(head) if place > grade + 1 and _COMMENTS.search(name)]
    return places[-1] if places else None


def _score(row: Row, point: str) -> str:
    return "" if row.score is None else f"{row.score:.2f}".replace(".", point)
