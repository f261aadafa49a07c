"""How far right answers lie below a tolerance and wrong ones above it, and what the cases are good for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch

from grader.authoring.trials import Tried
from grader.rubric import Exercise, Gradient


@dataclass(frozen=True)
class Margin:
    """One gradient over all seeds: the solution's worst error and the nearest wrong gradient, in tolerances."""

    function: str
    gradient: str
    points: float
    solution: float
    nearest: str
    nearest_excess: float


def measure_margins(
    exercise: Exercise, tried: Sequence[Sequence[Tried]], solution: Mapping[str, float]
) -> list[Margin]:
    """Return a margin for each gradient; `tried` has one list per seed, `solution` the worst excess by gradient."""
    margins = []
    for gradient in exercise.gradients:
        each = [one for seed in tried for one in seed if one.gradient == gradient.name]
        nearest = min(each, key=lambda one: one.worst, default=None)
        margins.append(
            Margin(
                exercise.function,
                gradient.name,
                gradient.points,
                solution.get(gradient.name, math.nan),
                nearest.name if nearest else "-",
                nearest.worst if nearest else math.inf,
            )
        )
    return margins


def passing(exercise: Exercise, tried: Iterable[Tried]) -> list[tuple[Gradient, Tried]]:
    """Return what a tolerance lets pass although it is wrong."""
    gradients = {gradient.name: gradient for gradient in exercise.gradients}
    return [(gradients[one.gradient], one) for one in tried if one.worst == 0.0]


def indistinct(tried: Sequence[Tried]) -> list[tuple[str, str, str]]:
    """Return pairs of mistakes of a gradient, with its name, that have the same values on every case."""
    mistakes = [one for one in tried if one.is_mistake and one.values]
    return [
        (first.gradient, first.name, second.name)
        for number, first in enumerate(mistakes)
        for second in mistakes[number + 1 :]
        if first.gradient == second.gradient and _is_equal(first, second)
    ]


def idle_cases(exercise: Exercise, tried: Sequence[Tried]) -> list[str]:
    """Return the cases without which every wrong gradient would still be rejected."""
    return [
        case.name
        for case in exercise.cases
        if len(exercise.cases) > 1
        and all(any(excess > 0 for name, excess in one.excess.items() if name != case.name) for one in tried)
    ]


def powers(excess: float) -> str:
    """Return an excess as a power of ten: how many places beyond the tolerance, or within it."""
    if math.isnan(excess):
        return "-"
    if excess == 0.0:
        return "exact"
    return "shape" if math.isinf(excess) else f"1e{math.log10(excess):+.1f}"


def _is_equal(first: Tried, second: Tried) -> bool:
    if first.values.keys() != second.values.keys():
        return False
    pairs = [(first.values[case], second.values[case]) for case in first.values]
    return all(
        one.shape == other.shape and one.dtype == other.dtype and torch.allclose(one, other, rtol=1e-9, atol=1e-14)
        for one, other in pairs
    )
