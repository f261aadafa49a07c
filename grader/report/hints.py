"""The hints for one gradient, from a nudge to the author's last one: made of the rubric and of what was found.

What a hint may show: the lines of the forward, the student's own line, what is wrong with the answer, and the rubric's
hints. Nothing of a solution, and no number that is expected.
"""

from __future__ import annotations

import re

from grader.report.words import how_many, names, outcome_line, shape
from grader.results import UNWRITTEN, ExerciseFeedback, GradientFeedback
from grader.sandbox.answer import Outcome
from grader.verdict.compare import Verdict

MOST_LINES = 3


def ladder(exercise: ExerciseFeedback, gradient: GradientFeedback) -> tuple[str, ...]:
    """Return the hints for a gradient that is open, each more direct than the one before; never none."""
    found = [_nudge(exercise, gradient)]
    if gradient.diagnosis is not None:
        found.append(gradient.diagnosis.message)
    elif gradient.picture is not None and gradient.verdict is Verdict.WRONG_VALUES:
        found.append(how_many(gradient.picture))
    elif gradient.verdict is Verdict.WRONG_SHAPE and gradient.comparison is not None:
        yours, right = gradient.comparison.actual_shape, gradient.comparison.expected_shape
        found.append(f"Your {gradient.name} is {shape(yours)}, and {gradient.name[1:]} is {shape(right)}.")
    found += [hint for hint in gradient.hints if hint not in found]
    return tuple(found)


def which_slip(gradient: GradientFeedback) -> str:
    """Return a text that is another one when another slip was made in the same gradient."""
    return f"{gradient.verdict.value} {gradient.diagnosis.id if gradient.diagnosis else ''}".strip()


def _nudge(exercise: ExerciseFeedback, gradient: GradientFeedback) -> str:
    """Say where to look, and nothing of what is wrong there."""
    if exercise.outcome not in (Outcome.RETURNED, Outcome.BAD_RETURN, *UNWRITTEN) and not exercise.has_answer:
        return f"{exercise.function} {outcome_line(exercise)}. Mend that first: no gradient came back."
    value = gradient.name[1:]
    if gradient.verdict is Verdict.NOT_RETURNED:
        start = f"{gradient.name} is not there yet."
    else:
        right = exercise.of(Verdict.CORRECT)
        start = f"{gradient.name} is wrong in itself, whatever came before it."
        if right:
            start += f" These are right: {names(right)}."
        if gradient.code:
            start += f" You make it in {gradient.code.file} line {gradient.code.line}."
    readers = _readers(exercise.forward, value)
    if not readers:
        return f"{start} It has the shape of {value}. Look for what the forward makes of {value}."
    if len(readers) == 1:
        return f"{start} One line of the forward reads {value}: {readers[0]}"
    listed = "; ".join(readers[:MOST_LINES])
    return f"{start} {len(readers)} lines of the forward read {value}: {listed}" + (
        "; ..." if len(readers) > MOST_LINES else ""
    )


def _readers(forward: str, value: str) -> list[str]:
    """Return the lines of a forward pass that read a value."""
    sign = re.compile(rf"(?<![\w.]){re.escape(value)}(?!\w)")
    lines = [line.split("#")[0].strip() for line in forward.splitlines()]
    return [line for line in lines if sign.search(line.partition("=")[2] if _assigns(line) else line)]


def _assigns(line: str) -> bool:
    return re.match(r"[\w., ]+ = ", line) is not None


def say_state(exercise: ExerciseFeedback, gradient: GradientFeedback) -> str:
    """Say of a gradient that is not open how it stands."""
    name = f"{gradient.name} of {exercise.function}"
    if gradient.verdict is Verdict.NOT_JUDGED:
        return f"{name} was not judged, so there is no hint for it."
    if gradient.verdict is Verdict.FOLLOWS:
        slips = " and ".join(gradient.slips)
        return f"{name} is right in itself: it follows from {slips or 'what comes before it'}, where the slip is."
    return say_right(name)


def say_right(name: str) -> str:
    """Say that there is nothing to hint at."""
    return f"{name} is right. There is nothing to hint at."
