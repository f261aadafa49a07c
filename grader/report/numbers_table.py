"""A table of the numbers around the worst place of a gradient."""

from __future__ import annotations

from dataclasses import dataclass

from grader.report.words import number
from grader.results import GradientFeedback

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
    window = picture.window
    dimensions = len(picture.shape)
    rows = []
    for row, (expected, actual) in enumerate(zip(window.expected, window.actual, strict=True), start=window.top):
        entries = tuple(
            Entry(
                number(want, DIGITS),
                number(got, DIGITS),
                is_worst=(row, column) == picture.worst_entry,
                is_right=(row, column) in window.right,
            )
            for column, (want, got) in enumerate(zip(expected, actual, strict=True), start=window.left)
        )
        rows.append((_label(picture.index(row, 0)[:-1], None) if dimensions > 1 else "", entries))
    width = len(window.expected[0])
    columns = tuple(
        _label(picture.shape[:-1], column) if dimensions else "" for column in range(window.left, window.left + width)
    )
    return NumbersTable(columns, tuple(rows))


def _label(lead: tuple[int, ...], last: int | None) -> str:
    """Label a row or a column of numbers: [2, :] or [:, 3]."""
    if last is None:
        return f"[{', '.join([*map(str, lead), ':'])}]" if lead else "[:]"
    if len(lead) > 1:
        return f"[…, {last}]"
    return f"[:, {last}]" if lead else f"[{last}]"
