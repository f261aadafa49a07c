"""A table of the numbers around the worst place of a gradient."""

from __future__ import annotations

from dataclasses import dataclass

from grader.report.words import number
from grader.results import GradientFeedback
from grader.verdict.picture import around

DIGITS = 4


@dataclass(frozen=True)
class Entry:
    """One entry: both numbers as text, whether it is the worst place, and whether it is right."""

    expected: str
    actual: str
    is_worst: bool
    is_right: bool


@dataclass(frozen=True)
class NumbersTable:
    """Entries with a label for each row and column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Entry, ...]], ...]


def numbers_table(gradient: GradientFeedback) -> NumbersTable | None:
    """Return expected and actual values around the worst place, or None if the gradient has no picture."""
    picture = gradient.picture
    if picture is None:
        return None
    window, (worst_row, worst_column) = picture.window, picture.worst_entry
    dimensions, height, width = len(picture.shape), len(window.expected), len(window.expected[0])
    # Three by three, or five in a line.
    down = range(*around(worst_row - window.top, height, 5 if width == 1 else 3))
    along = range(*around(worst_column - window.left, width, 5 if height == 1 else 3))
    rows = []
    for row in down:
        place = window.top + row
        entries = tuple(
            Entry(
                number(window.expected[row][column], DIGITS),
                number(window.actual[row][column], DIGITS),
                is_worst=(place, window.left + column) == picture.worst_entry,
                is_right=(place, window.left + column) in window.right,
            )
            for column in along
        )
        rows.append((_label(picture.index(place, 0)[:-1], None) if dimensions > 1 else "", entries))
    columns = tuple(_label(picture.shape[:-1], window.left + column) if dimensions else "" for column in along)
    return NumbersTable(columns, tuple(rows))


def _label(lead: tuple[int, ...], last: int | None) -> str:
    """Label a row or a column of numbers: [2, :] or [:, 3]."""
    if last is None:
        return f"[{', '.join([*map(str, lead), ':'])}]" if lead else "[:]"
    if len(lead) > 1:
        return f"[…, {last}]"
    return f"[:, {last}]" if lead else f"[{last}]"
