"""What feedback says in words; every sentence that a student reads about a verdict or an outcome stands here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from grader.compare import Comparison, Verdict
from grader.feedback import ExerciseFeedback, GradientFeedback
from grader.sandbox.answer import Outcome

VERDICTS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.CORRECT: "correct",
        Verdict.FOLLOWS: "follows",
        Verdict.WRONG_VALUES: "wrong values",
        Verdict.NOT_FINITE: "not finite",
        Verdict.WRONG_DTYPE: "wrong dtype",
        Verdict.WRONG_SHAPE: "wrong shape",
        Verdict.NOT_RETURNED: "not returned",
        Verdict.NOT_JUDGED: "not judged",
    }
)

GLYPHS: Mapping[Verdict, str] = MappingProxyType(
    dict.fromkeys(Verdict, "✗") | {Verdict.CORRECT: "✓", Verdict.FOLLOWS: "↳", Verdict.NOT_JUDGED: "?"}
)

OUTCOMES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.RETURNED: "returned",
        Outcome.NOT_WRITTEN: "not written yet",
        Outcome.MISSING: "missing",
        Outcome.RAISED: "raised an exception",
        Outcome.TIMED_OUT: "ran out of time",
        Outcome.OUT_OF_MEMORY: "ran out of memory",
        Outcome.TOO_MUCH_OUTPUT: "printed too much",
        Outcome.CRASHED: "ended its process",
        Outcome.BAD_RETURN: "returned something else",
        Outcome.AUTOGRAD_USED: "used autograd",
        Outcome.UNREADABLE: "could not be read",
        Outcome.NOT_JUDGED: "not judged: a fault of the grader",
    }
)


def points(value: float | None) -> str:
    """Return a score or its maximum as people write it: 2.5, 3, or ? where it is not known."""
    return "?" if value is None else f"{round(value, 2):g}"


def number(value: float | None) -> str:
    """Return a number with as many digits as tell two gradients apart."""
    if value is None:
        return "-"
    return f"{value:.6g}" if math.isfinite(value) else str(value)


def index(place: tuple[int, ...] | None) -> str:
    """Return an index as one would type it: [2, 0]."""
    return f"[{', '.join(map(str, place))}]" if place else ""


def where(exercise: ExerciseFeedback) -> str:
    """Return file and line of what ended the run, if they are known."""
    if exercise.file is None:
        return ""
    return f"{exercise.file} line {exercise.line}" if exercise.line else exercise.file


def outcome_line(exercise: ExerciseFeedback) -> str:
    """Say how the run ended, or nothing where it returned."""
    if exercise.outcome is Outcome.RETURNED:
        return ""
    if exercise.outcome is Outcome.NOT_WRITTEN:
        return "not written yet"
    place, said = where(exercise), exercise.message
    # A message about a file names the place itself.
    prefix = f"{place}: " if exercise.line and exercise.file and exercise.file not in said else ""
    return f"{OUTCOMES[exercise.outcome]}: {prefix}{said}" if said else OUTCOMES[exercise.outcome]


def gradient_line(gradient: GradientFeedback) -> str:
    """Say what is wrong with one gradient, with the numbers of the worst place."""
    found = gradient.comparison
    match gradient.verdict:
        case Verdict.CORRECT:
            return "correct"
        case Verdict.FOLLOWS:
            slips = " and ".join(gradient.slips)
            return f"right, given your {slips}; the slip is there" if slips else "right, given what came before it"
        case Verdict.NOT_RETURNED:
            return f"it is {gradient.note}" if gradient.note else "None, or not there"
        case Verdict.WRONG_SHAPE if found is not None:
            return f"shape {_shape(found.actual_shape)}, expected {_shape(found.expected_shape)}"
        case Verdict.WRONG_DTYPE if found is not None:
            return f"{found.actual_dtype}, expected torch.float64"
        case Verdict.NOT_FINITE if found is not None:
            at = f" at {index(found.worst_index)}" if found.worst_index else ""
            return f"{number(found.actual)}{at}, expected {number(found.expected)}{_case(gradient)}"
        case Verdict.WRONG_VALUES if found is not None:
            return f"{_worst(found)}{_case(gradient)}"
    return VERDICTS[gradient.verdict]


def _worst(found: Comparison) -> str:
    at = f"at {index(found.worst_index)} " if found.worst_index else ""
    return (
        f"{at}expected {number(found.expected)}, got {number(found.actual)}; "
        f"off by {number(found.max_abs_error)} at most, {_times(found.excess)} the tolerance"
    )


def _case(gradient: GradientFeedback) -> str:
    return f" (case: {gradient.case})" if gradient.case else ""


def _shape(shape: tuple[int, ...] | None) -> str:
    return "?" if shape is None else str(tuple(shape)) if len(shape) != 1 else f"({shape[0]},)"


def _times(excess: float | None) -> str:
    return "-" if excess is None else f"{excess:.1e} times" if excess >= 1e4 else f"{excess:.3g} times"
