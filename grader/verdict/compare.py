"""An expected and an actual gradient to a verdict; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from grader.course import Exercise, Tolerance


class Verdict(StrEnum):
    """Judgement of one gradient, from best to worst."""

    CORRECT = "correct"
    FOLLOWS = "follows"
    WRONG_VALUES = "wrong_values"
    NOT_FINITE = "not_finite"
    WRONG_DTYPE = "wrong_dtype"
    WRONG_SHAPE = "wrong_shape"
    NOT_RETURNED = "not_returned"
    NOT_JUDGED = "not_judged"

    @property
    def rank(self) -> int:
        """0 for the best verdict; of several cases the one with the highest rank decides."""
        return _RANKS[self]


_RANKS = {verdict: rank for rank, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class Comparison:
    """How `actual` differs from `expected`; what does not apply to its verdict is None.

    `worst_index` is where the error is largest against what the tolerance allows there, `expected` and
    `actual` are the values at that place, and `excess` is that error divided by what is allowed. `note` says what is
    not as it should be, although it counts as right.
    """

    verdict: Verdict
    expected_shape: tuple[int, ...]
    actual_shape: tuple[int, ...] | None = None
    actual_dtype: str | None = None
    exact: bool | None = None
    max_abs_error: float | None = None
    max_rel_error: float | None = None
    worst_index: tuple[int, ...] | None = None
    expected: float | None = None
    actual: float | None = None
    excess: float | None = None
    note: str = ""

    @property
    def severity(self) -> tuple[int, float]:
        """What orders comparisons from best to worst."""
        return self.verdict.rank, self.excess or 0.0


def compare(expected: Tensor, actual: Tensor, tolerance: Tolerance) -> Comparison:
    """Judge one gradient: shape, dtype and finiteness first, then |actual - expected| <= atol + rtol |expected|.

    Nothing is broadcast or converted. `expected` is finite float64 of any shape.
    """
    shapes = tuple(expected.shape), tuple(actual.shape)
    if shapes[0] != shapes[1]:
        return Comparison(Verdict.WRONG_SHAPE, *shapes, str(actual.dtype))
    if actual.dtype != expected.dtype:
        return Comparison(Verdict.WRONG_DTYPE, *shapes, str(actual.dtype))
    if actual.numel() == 0:
        return Comparison(Verdict.CORRECT, *shapes, str(actual.dtype), exact=True, max_abs_error=0.0, excess=0.0)
    if torch.equal(expected, actual):
        return _exact(expected)  # the usual right answer, seen at a twentieth of the cost
    magnitude = expected.abs()
    error = (actual - expected).abs()
    allowed = tolerance.atol + tolerance.rtol * magnitude
    excess = error / allowed
    largest = float(error.max())  # nan if any is
    finite = actual.isfinite() if not math.isfinite(largest) else None
    if finite is not None and not bool(finite.all()):
        # Worse than any error, even one so large that its excess is infinite.
        verdict, place = Verdict.NOT_FINITE, int((~finite).int().argmax())
    else:
        verdict = Verdict.CORRECT if bool((error <= allowed).all()) else Verdict.WRONG_VALUES
        place = int(excess.argmax())
    return Comparison(
        verdict,
        *shapes,
        str(actual.dtype),
        exact=False,
        max_abs_error=largest,
        max_rel_error=_max_relative(error, magnitude),
        worst_index=_unravel(place, shapes[0]),
        expected=float(expected.flatten()[place]),
        actual=float(actual.flatten()[place]),
        excess=float(excess.flatten()[place]),
    )


def excess_over(expected: Tensor, actual: Tensor, tolerance: Tolerance) -> float:
    """Return how many times the tolerance a gradient is off, 0 if it is correct; infinite where no number says it.

    It is what `compare` finds, without where that is and what stands there: a third of the cost.
    """
    if expected.shape != actual.shape or expected.dtype != actual.dtype:
        return math.inf
    if actual.numel() == 0 or torch.equal(expected, actual):
        return 0.0
    error = (actual - expected).abs()
    allowed = tolerance.atol + tolerance.rtol * expected.abs()
    if bool((error <= allowed).all()):
        return 0.0
    largest = float((error / allowed).max())  # nan if any is
    return largest if math.isfinite(largest) else math.inf


def as_meant(expected: Tensor, actual: Tensor, exercise: Exercise) -> tuple[Tensor, str]:
    """Return a gradient in the shape and dtype that it counts as, and a note on what it had instead.

    A rubric may let pass an axis of size 1 too many or too few, and float32.
    """
    notes = []
    if exercise.float32 is not None and actual.dtype is torch.float32:
        actual = actual.double()
        notes.append("compared as approximate, for it is right in float32 only")
    if exercise.unit_axes and actual.shape != expected.shape and _without_ones(actual) == _without_ones(expected):
        notes.append(f"its shape is {tuple(actual.shape)}, and {tuple(expected.shape)} is meant")
        actual = actual.reshape(expected.shape)
    return actual, "; ".join(notes)


def _without_ones(tensor: Tensor) -> list[int]:
    return [size for size in tensor.shape if size != 1]


def _exact(expected: Tensor) -> Comparison:
    first = float(expected.flatten()[0])
    return Comparison(
        Verdict.CORRECT,
        tuple(expected.shape),
        tuple(expected.shape),
        str(expected.dtype),
        exact=True,
        max_abs_error=0.0,
        max_rel_error=0.0 if bool(expected.any()) else None,
        worst_index=(0,) * expected.dim(),
        expected=first,
        actual=first,
        excess=0.0,
    )


def _unravel(place: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index: list[int] = []
    for size in reversed(shape):
        place, at = divmod(place, size)
        index.insert(0, at)
    return tuple(index)


def _max_relative(error: Tensor, magnitude: Tensor) -> float | None:
    """Return the largest error relative to its expected value, over the places where that is not zero."""
    if not bool(magnitude.any()):
        return None
    return float(torch.where(magnitude == 0, 0.0, error / magnitude).max())
