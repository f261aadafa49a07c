"""Gradients of parameters that an honest formula reads as sums: is what is made of them right, given right ones? Pure.

The one formula of batch norm reads dbn_gain and dbn_bias, to which nothing flows back in the trace. So what the trace
makes of a wrong one is nothing. But a step is linear in all that it reads: from a few runs with random numbers in
place of such a gradient follows what it would have made of the right one, which the student's process never sees.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from grader.course import Exercise
from grader.sandbox.probing import MAX_SUMS, ProbedRun
from grader.verdict.follow import Trial

# How far two results of one linear formula may be apart, relative to their size and to that of what they are made of.
SAME = 1e-9


def may_be_sums(exercise: Exercise, trial: Trial) -> tuple[str, ...]:
    """Return the wrong gradients of parameters with one axis, as gains and biases are; none where there are too many.

    Two runs more than they have entries are needed.
    """
    return () if has_too_many(exercise, trial) else _sums(exercise, trial)


def has_too_many(exercise: Exercise, trial: Trial) -> bool:
    """Return whether the gradients of a case that may be sums have too many entries to be tried."""
    return sum(trial.case.expected[name[1:]].numel() for name in _sums(exercise, trial)) > MAX_SUMS - 2


def _sums(exercise: Exercise, trial: Trial) -> tuple[str, ...]:
    inputs = trial.case.forward.inputs
    return tuple(
        each.name
        for each in exercise.gradients
        if each.value in inputs
        and not trial.is_correct(each.name)
        and trial.case.expected[each.value].dim() <= 1
        and any(other.value != each.value for other in exercise.gradients)
    )


def draw_sums(exercise: Exercise, trials: Sequence[Trial]) -> tuple[tuple[Mapping[str, Tensor], ...], ...]:
    """Return for each case what to put in place of the gradients that may be sums: random numbers of their size."""
    generator = torch.Generator().manual_seed(random.SystemRandom().getrandbits(62))

    def draw(trial: Trial, name: str) -> Tensor:
        true = trial.case.expected[name[1:]]
        size = float(true.abs().max()) or 1.0
        return torch.randn(true.shape, dtype=torch.float64, generator=generator) * size

    drawn = []
    for trial in trials:
        names = may_be_sums(exercise, trial)
        count = sum(trial.case.expected[name[1:]].numel() for name in names)
        drawn.append(tuple({name: draw(trial, name) for name in names} for _ in range(count + 2 if names else 0)))
    return tuple(drawn)


@dataclass(frozen=True)
class Sums:
    """What the runs of a case showed, in each of which random numbers stood in place of some gradients."""

    given: Sequence[Mapping[str, Tensor]]
    runs: Sequence[ProbedRun]

    @classmethod
    def of(cls, given: Sequence[Mapping[str, Tensor]], runs: Sequence[ProbedRun]) -> Self | None:
        """Return the last runs of a case with what was put in, or None if it did not come to that."""
        own = [run for run in runs if any(run.placed.intersection(names) for names in given)]
        whole = len(own) == len(given) and all(run.is_complete for run in own)
        return cls(given, own) if given and whole and all(set(given[0]) <= run.placed for run in own) else None

    def is_right(self, name: str, expected: Mapping[str, Tensor], plain: ProbedRun) -> bool:
        """Return whether a gradient is as expected where those read as sums are, and depends on them as a sum does.

        `plain` is the run in which they were the student's own: it must fit in with the others.
        """
        made = [run.values.get(name) for run in self.runs]
        right = expected[name[1:]]
        values = [each for each in made if each is not None and each.shape == right.shape]
        if len(values) < len(made) or not all(each.dtype == torch.float64 and each.isfinite().all() for each in values):
            return False
        *_, last = self.given
        if not _is_near(self._at(last, values), values[-1], values):
            return False
        own, theirs = {each: plain.values.get(each) for each in last}, plain.values.get(name)
        if _is_finite(theirs) and any(not _is_finite(each) for each in own.values()) and not plain.has_failed:
            return False  # what is read leaves a trace
        usable = {each: value for each, value in own.items() if value is not None and _is_whole(value, last[each])}
        if len(usable) == len(own) and theirs is not None and _is_whole(theirs, right):
            scale = [*values, theirs]
            if not _is_near(self._at(usable, values), theirs, scale):
                return False
        return _is_near(self._at({each: expected[each[1:]] for each in last}, values), right, values)

    def _at(self, names: Mapping[str, Tensor], values: Sequence[Tensor]) -> Tensor:
        """Return what the student's formula makes of these, as it follows from all runs but the last."""
        columns = torch.stack([_flat(each) for each in self.given[:-1]], dim=1)
        weights = torch.linalg.solve(columns, _flat(names))
        return sum((weight * value for weight, value in zip(weights, values[:-1], strict=True)), torch.zeros(()))


def _flat(names: Mapping[str, Tensor]) -> Tensor:
    """Return the numbers as one column, with a 1 below: a formula may add what does not depend on them."""
    return torch.cat([*(names[name].flatten() for name in sorted(names)), torch.ones(1, dtype=torch.float64)])


def _is_finite(value: Tensor | None) -> bool:
    return value is not None and bool(value.isfinite().all())


def _is_whole(value: Tensor, like: Tensor) -> bool:
    return value.shape == like.shape and value.dtype == torch.float64 and bool(value.isfinite().all())


def _is_near(one: Tensor, other: Tensor, among: Sequence[Tensor]) -> bool:
    size = max(float(each.abs().max()) for each in among) if other.numel() else 0.0
    return bool(((one - other).abs() <= SAME * size).all())
