"""The sentences about the error of a gradient: how much of it is off, the worst place, and what its picture shows.

Beside `words`, which has them under its own name, they keep it short.
"""

from __future__ import annotations

import math

from grader.report.figures import count, index, number, shape
from grader.results import GradientFeedback
from grader.verdict.picture import Picture


def how_many(picture: Picture) -> str:
    """Say how much of a gradient is wrong."""
    if picture.wrong == picture.size:
        return "Its one entry is off." if picture.size == 1 else f"All {picture.size} entries are off."
    return f"{picture.wrong} of {picture.size} entries {'is' if picture.wrong == 1 else 'are'} off."


def worst_place(gradient: GradientFeedback) -> str:
    """Say the numbers of the worst place: expected, actual and their ratio."""
    comparison = gradient.comparison
    if comparison is None or comparison.expected is None or comparison.actual is None:
        return ""
    at = f" at {index(comparison.worst_index)}" if comparison.worst_index else ""
    text = f"Worst{at}: expected {number(comparison.expected)}, yours {number(comparison.actual)}"
    ratio = comparison.actual / comparison.expected if comparison.expected else math.nan
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
        text = "One row: the entries in their order" if picture.size > 1 else "One entry"
    elif dimensions == 2:
        text = "Rows are the first axis, columns the second"
    else:
        text = f"Columns are the last axis, rows the other {dimensions - 1} together"
    if max(picture.pool) > 1:
        text += f"; a cell is the largest error of {picture.pool[0]} by {picture.pool[1]} entries"
    return f"{text}."


def rows_in_numbers(picture: Picture) -> list[str]:
    """Say of each row of a picture that has an error how much of it is off, and the largest error."""
    (height, width), columns = picture.pool, picture.shape[-1] if picture.shape else 1
    rows = max(1, math.prod(picture.shape[:-1]))
    lines = []
    for row, cells in enumerate(picture.cells):
        wrong = [cell for cell in cells if cell > 0 or cell != cell]
        if not wrong:
            continue
        finite = [cell for cell in wrong if cell == cell]
        parts = [f"{len(wrong)} of {len(cells)} cells off"]
        if finite:
            largest = max(finite)
            column = _span(cells.index(largest), width, columns)
            parts.append(f"largest error {number(largest, 3)} in column {column}")
        if len(finite) < len(wrong):
            parts.append(f"{len(wrong) - len(finite)} not finite")
        span = _span(row, height, rows)
        lines.append(f"row{'s' if ' ' in span else ''} {span}: {', '.join(parts)}")
    return lines


def _span(cell: int, pool: int, size: int) -> str:
    """Return the rows or columns of a tensor that a cell holds: 3, or 3 to 5."""
    first, last = cell * pool, min((cell + 1) * pool, size) - 1
    return str(first) if first == last else f"{first} to {last}"
