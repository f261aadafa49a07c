"""Two loss curves in one picture: autograd's as a broad band, the student's as a thin line in it or beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from grader.judge.training import Training

# In units that are pixels on a narrow page. Beside the plot there is room for numbers, and for names of the curves.
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 358, 250, 30, 94, 22, 34
POINTS = 40
LINE_HEIGHT = 13
# A loss so far above all of autograd's is drawn at the upper edge.
HEADROOM = 1.0
TICK_STEPS = (1, 2, 5)
LETTER = 6.2


@dataclass(frozen=True)
class Point:
    """A step, and the mean loss of the steps around it."""

    step: float
    loss: float


@dataclass(frozen=True)
class Plot:
    """How steps and losses lie on the picture; a loss above `highest` lies on its upper edge."""

    steps: int
    lowest: float
    highest: float

    def x(self, step: float) -> float:
        """Return where a step lies from left to right."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (step - 1) / max(1, self.steps - 1)

    def y(self, loss: float) -> float:
        """Return where a loss lies from top to bottom."""
        share = (min(loss, self.highest) - self.lowest) / (self.highest - self.lowest)
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share


def thin_out(losses: Sequence[float]) -> list[Point]:
    """Return means over a few steps each, so that a curve is seen and not the noise of its batches."""
    width = max(1, len(losses) // POINTS)
    parts = [(start, losses[start : start + width]) for start in range(0, len(losses), width)]
    return [Point(start + (len(part) + 1) / 2, sum(part) / len(part)) for start, part in parts]


def draw_curves(training: Training, label: str) -> Markup:
    """Return both losses as SVG; `label` says in a sentence what it shows."""
    yours, true = thin_out(training.student.losses), thin_out(training.autograd.losses)
    ceiling = max([training.uniform_loss, *(point.loss for point in true)])
    floor = min(point.loss for point in (*yours, *true))
    highest = min(ceiling + HEADROOM, max([ceiling, *(point.loss for point in yours)]))
    margin = 0.05 * (highest - floor)
    plot = Plot(training.planned, floor - margin, highest + margin)
    parts = [
        *_axes(plot),
        _level(plot, training.uniform_loss),
        f'<path class="band" d="{_path(plot, true)}"/>',
        f'<path class="thin" d="{_path(plot, yours)}"/>',
        *_names(plot, training, yours[-1], true[-1]),
    ]
    difference = training.difference
    if difference is not None:
        x = plot.x(difference.step)
        text = f"step {difference.step}: {difference.gradient} differs"
        is_left = x + LETTER * len(text) < WIDTH
        anchor, shift = ("start", 3) if is_left else ("end", -3)
        parts.append(f'<path class="mark" d="M{x:.1f} {TOP - 12}V{HEIGHT - BOTTOM}"/>')
        parts.append(
            f'<text class="said" x="{x + shift:.1f}" y="{TOP - 9}" text-anchor="{anchor}">{escape(text)}</text>'
        )
    return Markup(  # noqa: S704 # made of numbers, our own classes and escaped text
        f'<svg class="curves" role="img" aria-label="{escape(label)}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{''.join(parts)}</svg>"
    )


def _axes(plot: Plot) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for loss in _ticks(plot.lowest, plot.highest, 7):
        y = plot.y(loss)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{loss:g}</text>')
    for step in dict.fromkeys([1, *_ticks(1, plot.steps, 5)]):
        x = plot.x(step)
        parts.append(f'<path class="grid" d="M{x:.1f} {bottom}v4"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{step:g}</text>')
    parts.append(f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 4}" text-anchor="middle">step</text>')
    parts.append(f'<text x="2" y="{TOP - 9}">loss</text>')
    return parts


def _level(plot: Plot, loss: float) -> str:
    y = plot.y(loss)
    text = f'<text x="{WIDTH - RIGHT + 6}" y="{y + 4:.1f}">all alike</text>'
    return f'<path class="level" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>{text}'


def _names(plot: Plot, training: Training, yours: Point, true: Point) -> list[str]:
    """Name the curves at their ends, one above the other where these are close."""
    ends = {f"autograd {training.autograd.late:.2f}": true, f"yours {training.student.late:.2f}": yours}
    if training.parted is None and yours.step == true.step:
        ends = {f"both {training.autograd.late:.2f}": true}
    places = {name: plot.y(end.loss) + 4 for name, end in ends.items()}
    upper, lower = min(places, key=lambda name: places[name]), max(places, key=lambda name: places[name])
    if yours.step == true.step and 0 < (near := LINE_HEIGHT - places[lower] + places[upper]) < LINE_HEIGHT:
        places[upper] -= near / 2
        places[lower] += near / 2
    return [
        f'<text class="name" x="{plot.x(ends[name].step) + 6:.1f}" y="{y:.1f}">{name}</text>'
        for name, y in places.items()
    ]


def _path(plot: Plot, points: Sequence[Point]) -> str:
    places = [f"{plot.x(point.step):.1f} {plot.y(point.loss):.1f}" for point in points]
    # A single point is a line of no length, which round ends make a dot.
    return "M" + "L".join(places) if len(places) > 1 else f"M{places[0]}h0" if places else ""


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers in a range, at most so many and one."""
    scale = 10.0 ** math.floor(math.log10(max(high - low, 1e-9) / most))
    step = next(each * scale for each in (*TICK_STEPS, 10) if (high - low) / (each * scale) <= most)
    first = math.ceil(low / step)
    return [round(number * step, 10) for number in range(first, math.floor(high / step) + 1)]
