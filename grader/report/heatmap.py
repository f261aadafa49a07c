"""A wrong gradient as pictures: what was expected and what came with one scale, their difference, and all of its error.

Colour is never all: a negative entry has a minus, a wrong one its corner marked, one that is not finite a cross.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from markupsafe import Markup, escape

from grader.report import page_words, words
from grader.results import GradientFeedback
from grader.verdict.picture import Numbers, Picture

# The picture's width or height in pixels, which the style may shrink, and the size of a single cell.
SIDE, LARGEST_CELL, SMALLEST_CELL = 288, 36, 12
# Three of them stand side by side.
SIDE_OF_THREE = 240
RING = 0.08
# A cell's share of the largest error, from the faintest colour to the strongest.
LEVELS = (0.01, 0.1, 0.3, 0.7)
SHARES = ("below 1 %", "below 10 %", "below 30 %", "below 70 %", "up to 100 %")
# A number's share of the scale: below the first it has the colour of zero.
STEPS = (0.02, 0.15, 0.4, 0.7)
# Where a few numbers dwarf the others, each colour stands for a hundred times those of the one before.
FAR_STEPS = (1e-8, 1e-6, 1e-4, 1e-2)
Steps = tuple[float, ...]


@dataclass(frozen=True)
class Legend:
    """One line of a legend: the class of the colour, and what it means."""

    colour: str
    meaning: str


@dataclass(frozen=True)
class HeatMap:
    """Numbers as a picture: what it is, its SVG, the number that its strongest colours stand for, how colours step."""

    caption: str
    drawn: Markup
    scale: str
    steps: str


def heat_maps(gradient: GradientFeedback) -> tuple[HeatMap, ...]:
    """Return expected and actual numbers with one scale, and their difference with its own; none without a picture."""
    picture = gradient.picture
    if picture is None:
        return ()
    window = picture.window
    difference = tuple(
        tuple(yours - want for want, yours in zip(*row, strict=True))
        for row in zip(window.expected, window.actual, strict=True)
    )
    scale = _scale(*window.expected, *window.actual)
    shown = (
        (page_words.EXPECTED_MAP, window.expected, scale, False),
        (page_words.OWN_MAP, window.actual, scale, True),
        (page_words.DIFFERENCE_MAP, difference, _scale(*difference), True),
    )
    return tuple(
        HeatMap(
            caption,
            _signed(
                picture, numbers, scale, page_words.map_title(gradient.name, caption, picture, numbers), marks=marks
            ),
            words.number(scale.largest, 3),
            page_words.FAR_STEPS if scale.steps is FAR_STEPS else "",
        )
        for caption, numbers, scale, marks in shown
    )


@dataclass(frozen=True)
class _Scale:
    """The largest number, and from which shares of it on each colour stands."""

    largest: float
    steps: Steps

    def colour(self, value: float) -> str:
        if not math.isfinite(value):
            return "lost"
        level = sum(abs(value) >= step * self.largest for step in self.steps) if self.largest else 0
        return f"{'neg' if value < 0 else 'pos'}{level}" if level else "zero"


def _scale(*rows: tuple[float, ...]) -> _Scale:
    sizes = sorted(abs(value) for row in rows for value in row if math.isfinite(value) and value)
    largest = sizes[-1] if sizes else 0.0
    return _Scale(largest, FAR_STEPS if sizes and sizes[len(sizes) // 2] < STEPS[0] * largest else STEPS)


def scale_strip() -> Markup:
    """Return the colours from the most negative to the most positive as a strip."""
    names = [f"neg{level}" for level in range(len(STEPS), 0, -1)]
    names += ["zero", *(f"pos{level}" for level in range(1, len(STEPS) + 1))]
    cells = "".join(f'<path class="{name}" d="M{place} 0h1v1h-1z"/>' for place, name in enumerate(names))
    return Markup(  # noqa: S704 # our own classes
        f'<svg class="strip" aria-hidden="true" width="126" height="14" viewBox="0 0 {len(names)} 1">{cells}'
        f'<path class="minus high" d="M.3 .5h.4m.6 0h.4"/><path class="minus low" d="M2.3 .5h.4m.6 0h.4"/></svg>'
    )


def overview(gradient: GradientFeedback) -> Markup:
    """Return the error of a whole gradient as SVG, with a sentence that says its numbers; empty without a picture."""
    picture = gradient.picture
    if picture is None:
        return Markup("")
    colours = [_colours(picture, cells) for cells in picture.cells]
    label = words.picture_title(gradient, picture)
    return _draw(colours, _cell(picture.cells, SIDE), label, picture.worst, _crosses(picture.cells))


def legend(picture: Picture) -> list[Legend]:
    """Return what the colours of an overview mean, for those that occur in it."""
    used = {colour for cells in picture.cells for colour in _colours(picture, cells)}
    largest = words.number(_largest(picture), 3)
    lines = [Legend("within", "within the tolerance")] if "within" in used else []
    lines += [
        Legend(f"level{level}", f"{share} of the largest error" + (f", {largest}" if level == len(LEVELS) else ""))
        for level, share in enumerate(SHARES)
        if f"level{level}" in used
    ]
    if "lost" in used:
        lines.append(Legend("lost", "not finite (NaN or infinite)"))
    return lines


def _signed(picture: Picture, numbers: Numbers, scale: _Scale, label: str, *, marks: bool) -> Markup:
    window = picture.window
    colours = [[scale.colour(value) for value in row] for row in numbers]
    more = [_crosses(numbers)]
    for name, levels in (("low", ("neg1", "neg2")), ("high", ("neg3", "neg4"))):
        found = "".join(
            f"M{column}.3 {row}.5h.4"
            for row, cells in enumerate(colours)
            for column, colour in enumerate(cells)
            if colour in levels
        )
        more.append(f'<path class="minus {name}" d="{found}"/>' if found else "")
    # Marks everywhere tell nothing; then a sentence says it.
    if marks and window.right:
        corners = "".join(
            f"M{column} {row}h.34l-.34 .34z"
            for row, cells in enumerate(numbers)
            for column in range(len(cells))
            if (window.top + row, window.left + column) not in window.right
        )
        more.append(f'<path class="corner" d="{corners}"/>' if corners else "")
    row, column = picture.worst_entry
    worst = row - window.top, column - window.left
    return _draw(colours, _cell(numbers, SIDE_OF_THREE), label, worst, "".join(more))


def _draw(colours: list[list[str]], cell: int, label: str, worst: tuple[int, int], more: str) -> Markup:
    """Return cells of these colours as SVG, the worst one with a ring; `more` is drawn over the colours."""
    runs: dict[str, list[str]] = {}
    for row, cells in enumerate(colours):
        column = 0
        for colour, group in itertools.groupby(cells):
            length = len(list(group))
            runs.setdefault(colour, []).append(_run(column, row, length))
            column += length
    paths = "".join(f'<path class="{colour}" d="{"".join(found)}"/>' for colour, found in sorted(runs.items()))
    row, column = worst
    ring = "".join(
        f'<rect class="{name}" x="{column + RING}" y="{row + RING}" width="{1 - 2 * RING}" height="{1 - 2 * RING}"/>'
        for name in ("halo", "ring")
    )
    height, width = len(colours), len(colours[0])
    return Markup(  # noqa: S704 # made of numbers and of an escaped label
        f'<svg class="heat" role="img" aria-label="{escape(label)}" width="{width * cell}" height="{height * cell}" '
        f'viewBox="-.1 -.1 {width + 0.2:g} {height + 0.2:g}">{paths}{more}{ring}</svg>'
    )


def _run(column: int, row: int, length: int) -> str:
    """Return neighbours of one colour as a path: their outline, and a line between each two."""
    between = "m1 0v1" + "m1-1v1" * (length - 2) if length > 1 else ""
    return f"M{column} {row}h{length}v1h-{length}z{between}"


def _cell(numbers: Numbers, side: int) -> int:
    return max(SMALLEST_CELL, min(LARGEST_CELL, side // max(len(numbers), len(numbers[0]))))


def _crosses(numbers: Numbers) -> str:
    found = []
    for row, cells in enumerate(numbers):
        lost = [column for column, value in enumerate(cells) if not math.isfinite(value)]
        for before, column in zip([None, *lost], lost, strict=False):
            # From where the cross before it ended, if that is its neighbour.
            start = "m1-.6" if before == column - 1 else f"M{column}.2 {row}.2"
            found.append(f"{start}l.6.6m0-.6l-.6.6")
    return f'<path class="cross" d="{"".join(found)}"/>' if found else ""


def _colours(picture: Picture, cells: tuple[float, ...]) -> list[str]:
    largest = _largest(picture)
    return [
        "lost" if value != value else "within" if value == 0 else f"level{sum(value >= at * largest for at in LEVELS)}"
        for value in cells
    ]


def _largest(picture: Picture) -> float:
    return max((value for cells in picture.cells for value in cells if value == value), default=0.0)
