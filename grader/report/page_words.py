"""The sentences that only the page says."""

from __future__ import annotations

import math
from collections.abc import Sequence

from grader.report import words
from grader.results import UNWRITTEN, ExerciseFeedback, GradientFeedback, Report
from grader.sandbox.answer import Outcome
from grader.verdict.compare import Verdict
from grader.verdict.picture import Numbers, Picture
from grader.verdict.worked import Product, Worked

EXPECTED_MAP, OWN_MAP, DIFFERENCE_MAP = "Expected", "Yours", "Yours minus expected"
ONE_SCALE = "Expected and yours have one scale"
FAR_STEPS = "each colour is a hundred times the one before"
WRONG_MARK, ALL_WRONG = "beyond the tolerance", "Every entry that is shown is beyond the tolerance."
WORKED_HINT = (
    "Move this one entry a little, and the entries below move with it: the slope says how far. What each of them adds "
    "is its slope times its own gradient. The sum is what was expected."
)


def map_title(name: str, caption: str, picture: Picture, numbers: Numbers) -> str:
    """Say in a sentence what a heat map of these numbers shows."""
    text = f"{caption}: {name}, shape {words.shape(picture.shape)}{_cut(picture)}."
    flat = [value for row in numbers for value in row]
    finite = [value for value in flat if math.isfinite(value)]
    if finite:
        text += f" From {words.number(min(finite), 3)} to {words.number(max(finite), 3)}."
    if len(finite) < len(flat):
        text += f" Not finite: {len(flat) - len(finite)}."
    return f"{text} {words.how_many(picture)}"


def cut_line(picture: Picture) -> str:
    """Say which part of a tensor is shown, if not all of it."""
    if not picture.is_cut:
        return ""
    rows, columns = len(picture.window.expected), len(picture.window.expected[0])
    return f"Shown are {rows} by {columns} of its {picture.size} entries, those around the worst place{_cut(picture)}."


def _cut(picture: Picture) -> str:
    if not picture.is_cut:
        return ""
    window = picture.window
    bottom, right = window.top + len(window.expected) - 1, window.left + len(window.expected[0]) - 1
    return (
        f", from {words.index(picture.index(window.top, window.left))} to {words.index(picture.index(bottom, right))}"
    )


def worked_title(gradient: GradientFeedback, worked: Worked) -> str:
    """Name the entry that is worked by hand."""
    return f"{gradient.name}{words.index(worked.index)} worked by hand"


def entry(product: Product) -> str:
    """Name an entry of a value."""
    return f"{product.value}{words.index(product.index)}"


def gradient_entry(product: Product) -> str:
    """Name the same entry of the value's gradient."""
    return f"d{entry(product)}"


def used_line(worked: Worked) -> str:
    """Say what the student's own number is made of, if that is known."""
    used = [each for each in worked.products if each.is_used]
    left = [each for each in worked.products if each.is_used is False]
    if not left:
        return ""
    which, verb = " and ".join(entry(each) for each in left), "is" if len(left) == 1 else "are"
    rows = "one row" if len(used) == 1 else f"{len(used)} rows"
    return f"Yours is the sum of {rows} alone: what comes through {which} {verb} not in it."


def read_in(gradient: GradientFeedback, lines: Sequence[str]) -> str:
    """Head the lines of the forward in which a value is read."""
    value = gradient.name.removeprefix("d")
    return f"Forward: the line that reads {value}" if len(lines) == 1 else f"Forward: {len(lines)} lines read {value}"


def forward_lines(exercise: ExerciseFeedback, gradient: GradientFeedback) -> tuple[str, ...]:
    """Return the lines of the forward pass that read the value of a gradient, each once."""
    if exercise.graph is None:
        return ()
    lines = (value.text for value in exercise.graph.consumers(gradient.name.removeprefix("d")))
    return tuple(dict.fromkeys(line for line in lines if line))


def brief(exercise: ExerciseFeedback) -> str:
    """Say in a line what is open in a function: what its panel says first; nothing of one that is right."""
    if exercise.outcome in UNWRITTEN or exercise.score is None:
        return ""
    if exercise.outcome is not Outcome.RETURNED:
        return words.outcome_line(exercise)
    if exercise.slips:
        first = exercise.slips[0]
        return f"{first.name}: {words.slip_line(first)}"
    broken = [each for each in exercise.invariants if each.held is False]
    return f"{broken[0].name}: {words.NOT_HELD}" if broken else ""


def tally(exercise: ExerciseFeedback) -> str:
    """Say how many gradients of a function are right, if one that is not right has any."""
    total = len(exercise.gradients)
    if exercise.score is None or exercise.outcome in UNWRITTEN or total < 2 or not exercise.has_answer:
        return ""
    return _of(_right(exercise), len(exercise.of(Verdict.FOLLOWS)), total)


def nearly(report: Report) -> str:
    """Say how far one is in what was begun; nothing where that is all, or where nothing can be said."""
    begun = [
        each
        for part in report.selected
        for each in part.exercises
        if each.outcome not in UNWRITTEN and each.score is not None
    ]
    total = sum(len(each.gradients) for each in begun)
    right, follows = sum(map(_right, begun)), sum(len(each.of(Verdict.FOLLOWS)) for each in begun)
    if not total or right + follows == total:
        return ""
    slips = sum(each.verdict is not Verdict.NOT_RETURNED for one in begun for each in one.slips)
    missing = total - right - follows - slips
    open_ = [f"{words.count(slips, 'slip')} {'is' if slips == 1 else 'are'} open"] if slips else []
    open_ += [f"{words.count(missing, 'gradient')} did not come back"] if missing else []
    return f"Of what you have begun, {_of(right, follows, total)}; {' and '.join(open_)}."


def _right(exercise: ExerciseFeedback) -> int:
    return len(exercise.of(Verdict.CORRECT))


def _of(right: int, follows: int, total: int) -> str:
    verb = "is" if right + follows == 1 else "are"
    return f"{right + follows} of {total} gradients {verb} right{' or follow' if follows else ''}"


def functions(amount: int) -> str:
    """Return an amount of functions."""
    return words.count(amount, "function")
