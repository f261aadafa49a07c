"""The picture of an error as inline SVG: cells by the size of their error, the worst one ringed."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup, escape

from grader.feedback import GradientFeedback
from grader.picture import Picture
from grader.report.words import LEVEL_WORDS, LEVELS, number, picture_title
from grader.report.words.page import PAGE

# The picture's width or height in pixels, which the style may shrink, and the size of a single cell.
SIDE, LARGEST_CELL, SMALLEST_CELL = 288, 36, 12
RING = 0.08


@dataclass(frozen=True)
class Legend:
    """One line of a legend: the class of the colour, and what it means."""

    colour: str
    meaning: str


def heatmap(gradient: GradientFeedback) -> Markup:
    """Return the picture of a gradient as SVG, with a sentence that says its numbers; empty if it has none."""
    picture = gradient.picture
    if picture is None:
        return Markup("")
    rows, columns = len(picture.cells), len(picture.cells[0])
    cell = max(SMALLEST_CELL, min(LARGEST_CELL, SIDE // max(rows, columns)))
    squares: dict[str, list[str]] = {}
    for row, cells in enumerate(picture.cells):
        for column, colour in enumerate(_colours(picture, cells)):
            squares.setdefault(colour, []).append(f"M{column} {row}h1v1h-1z")
    paths = [f'<path class="{colour}" d="{"".join(found)}"/>' for colour, found in sorted(squares.items())]
    crosses = "".join(
        f"M{column}.2 {row}.2l.6 .6m0-.6l-.6 .6"
        for row, cells in enumerate(picture.cells)
        for column, value in enumerate(cells)
        if value != value
    )
    if crosses:
        paths.append(f'<path class="cross" d="{crosses}"/>')
    row, column = picture.worst
    ring = "".join(
        f'<rect class="{name}" x="{column + RING}" y="{row + RING}" width="{1 - 2 * RING}" height="{1 - 2 * RING}"/>'
        for name in ("halo", "ring")
    )
    label = escape(picture_title(gradient, picture))
    return Markup(  # noqa: S704 # made of numbers and of an escaped label
        f'<svg class="heat" role="img" aria-label="{label}" width="{columns * cell}" height="{rows * cell}" '
        f'viewBox="-.1 -.1 {columns + 0.2:g} {rows + 0.2:g}">{"".join(paths)}{ring}</svg>'
    )


def legend(picture: Picture) -> list[Legend]:
    """Return what the colours of a picture mean, for those that occur in it."""
    used = {colour for cells in picture.cells for colour in _colours(picture, cells)}
    largest = number(_largest(picture), 3)
    lines = [Legend("within", PAGE["within"])] if "within" in used else []
    lines += [
        Legend(f"level{level}", f"{said} {PAGE['of_largest']}" + (f", {largest}" if level == len(LEVELS) else ""))
        for level, said in enumerate(LEVEL_WORDS)
        if f"level{level}" in used
    ]
    if "lost" in used:
        lines.append(Legend("lost", PAGE["not_finite"]))
    return lines


def _colours(picture: Picture, cells: tuple[float, ...]) -> list[str]:
    largest = _largest(picture)
    return [
        "lost" if value != value else "within" if value == 0 else f"level{sum(value >= at * largest for at in LEVELS)}"
        for value in cells
    ]


def _largest(picture: Picture) -> float:
    return max((value for cells in picture.cells for value in cells if value == value), default=0.0)
