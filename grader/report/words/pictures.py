"""What a picture of an error says to those who do not see it, and what its colours mean to those who do."""

from __future__ import annotations

import math

from grader.report.words.numbers import count, index, number, shape
from grader.results import GradientFeedback
from grader.verdict.picture import Picture

# A cell's share of the largest error, from the faintest colour to the strongest.
LEVELS = (0.01, 0.1, 0.3, 0.7)
LEVEL_WORDS = ("below 1 %", "below 10 %", "below 30 %", "below 70 %", "up to 100 %")


def how_many(picture: Picture) -> str:
    """Say how much of a gradient is wrong."""
    if picture.wrong == picture.size:
        return "Its one entry is off." if picture.size == 1 else f"All {picture.size} entries are off."
    return f"{picture.wrong} of {picture.size} entries {'is' if picture.wrong == 1 else 'are'} off."


def worst_place(gradient: GradientFeedback) -> str:
    """Say the numbers of the worst place: expected, actual and their ratio."""
    found = gradient.comparison
    if found is None or found.expected is None or found.actual is None:
        return ""
    at = f" at {index(found.worst_index)}" if found.worst_index else ""
    text = f"Worst{at}: expected {number(found.expected)}, yours {number(found.actual)}"
    ratio = found.actual / found.expected if found.expected else math.nan
    if math.isfinite(ratio) and ratio and 1e-3 <= abs(ratio) <= 1e3:
        text += f", which is {number(ratio, 4)} times the expected"
    return f"{text}."


def picture_title(gradient: GradientFeedback, picture: Picture) -> str:
    """Say in a sentence what a picture shows."""
    largest = max((cell for row in picture.cells for cell in row if cell == cell), default=math.nan)
    lost = sum(cell != cell for row in picture.cells for cell in row)
    text = f"Error of {gradient.name}, shape {shape(picture.shape)}. {how_many(picture)}"
    if largest > 0:
        text += f" The largest error is {number(largest, 3)}."
    if lost:
        text += f" {count(lost, 'cell')} of the picture {'is' if lost == 1 else 'are'} not finite."
    return f"{text} {worst_place(gradient)}".strip()


def axes(picture: Picture) -> str:
    """Say what rows and columns of a picture are."""
    dimensions = len(picture.shape)
    if dimensions <= 1:
        what = "One row: the entries in their order" if picture.size > 1 else "One entry"
    elif dimensions == 2:
        what = "Rows are the first axis, columns the second"
    else:
        what = f"Columns are the last axis, rows the other {dimensions - 1} together"
    if max(picture.pool) > 1:
        what += f"; a cell is the largest error of {picture.pool[0]} by {picture.pool[1]} entries"
    return f"{what}."


def rows_in_numbers(picture: Picture) -> list[str]:
    """Say of each row of a picture that has an error how much of it is off, and the largest error."""
    said = []
    for number_of, row in enumerate(picture.cells):
        wrong = [cell for cell in row if cell > 0 or cell != cell]
        if not wrong:
            continue
        first = number_of * picture.pool[0]
        last = min(first + picture.pool[0], max(1, math.prod(picture.shape[:-1]))) - 1
        what = f"row {first}" if first == last else f"rows {first} to {last}"
        finite = [cell for cell in wrong if cell == cell]
        lost = len(wrong) - len(finite)
        parts = [f"{len(wrong)} of {len(row)} cells off"]
        if finite:
            parts.append(f"largest error {number(max(finite), 3)} in column {_column(row, max(finite), picture)}")
        if lost:
            parts.append(f"{lost} not finite")
        said.append(f"{what}: {', '.join(parts)}")
    return said


def _column(row: tuple[float, ...], value: float, picture: Picture) -> str:
    first = row.index(value) * picture.pool[1]
    last = min(first + picture.pool[1], picture.shape[-1] if picture.shape else 1) - 1
    return str(first) if first == last else f"{first} to {last}"
