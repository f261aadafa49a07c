"""Evidence: one wrong gradient in every case in which it was returned."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from grader.course import Exercise, Gradient
from grader.course.cases import Case
from grader.diagnose.graph import MISFIT, Plan, make_plan, reduce_to
from grader.verdict.compare import Verdict
from grader.verdict.follow import Trial

Key = TypeVar("Key", bound=Hashable)
Key_co = TypeVar("Key_co", bound=Hashable, covariant=True)

# Equal is equal but for rounding: relative to each entry, and to the largest entry of the tensor.
RELATIVE, OF_LARGEST = 1e-9, 1e-13
# How many steps behind a value are searched for a slip; in a fused backward of a whole network there are many.
MOST_STEPS = 14
# The same where the search goes on behind gradients that were returned.
MOST_STEPS_BEHIND = 6
# A norm relative to that of dout below which a gradient is zero in truth, but for rounding.
ZERO = 1e-12
# How well two sums must agree for the tensors behind them to be compared.
CLOSE = 1e-6

WRONG = (Verdict.WRONG_VALUES, Verdict.WRONG_SHAPE, Verdict.WRONG_DTYPE, Verdict.NOT_FINITE)


@dataclass(frozen=True)
class Sample:
    """One gradient in one case, seen from one point of view on what it should have been.

    `upstream` holds the gradient of every value by its name: autograd's, or what follows from the
    student's own. `expected` is what they make of `value`. `sought` are the names of candidates that are
    still to be looked at, where other cases have thrown out the rest.
    """

    trial: Trial
    gradient: Gradient
    exercise: Exercise
    sizes: Mapping[str, int]
    actual: Tensor
    upstream: Mapping[str, Tensor]
    expected: Tensor
    is_correct: bool
    is_deep: bool = False
    kept: list[Any] = field(default_factory=list, compare=False)
    sought: set[Hashable] = field(default_factory=set, compare=False)

    @property
    def value(self) -> str:
        """The name of the value whose gradient this is."""
        return self.gradient.value

    @property
    def case(self) -> Case:
        """The case that was asked."""
        return self.trial.case

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """The float values of the forward by name."""
        values = self.case.forward.values.items()
        return {name: value for name, value in values if isinstance(value, Tensor) and value.is_floating_point()}

    @cached_property
    def plans(self) -> dict[str, Plan]:
        """The steps in which a slip would show in this gradient, nearest first.

        The search ends at values whose gradients the student returned, because those are judged by themselves;
        a deep search goes on behind them, as the formula of a student may.
        """
        forward = self.case.forward
        steps = {step.name: step for step in forward.steps}
        near: list[str] = []
        pending = [self.value]
        while pending and len(near) < (MOST_STEPS_BEHIND if self.is_deep else MOST_STEPS):
            consumers = [name for name in forward.consumers(pending.pop(0)) if name not in near]
            consumers = [name for name in consumers if not self._is_idle(name)]
            near.extend(consumers)
            pending.extend(name for name in consumers if self.is_deep or f"d{name}" not in self.trial.returned)
        order = {step.name: place for place, step in enumerate(forward.steps)}
        near.sort(key=order.__getitem__)
        return {name: make_plan(steps[name], forward) for name in near}

    def _is_idle(self, name: str) -> bool:
        """Return whether nothing comes back to a value in sum, as to the maximum that a softmax takes off.

        Nobody who writes a formula goes along such a path, though single terms of a sum would.
        """
        upstream = self.upstream.get(name)
        return upstream is None or bool(upstream.norm() <= ZERO * self.case.dout.norm())

    @cached_property
    def is_sound(self) -> bool:
        """Whether the returned gradient is finite float64."""
        return self.actual.dtype == torch.float64 and bool(self.actual.isfinite().all())

    @cached_property
    def _probe(self) -> tuple[int, float]:
        place = int(self.actual.abs().argmax()) if self.actual.numel() else 0
        return place, float(self.actual.flatten()[place]) if self.actual.numel() else 0.0

    def is_returned(self, candidate: Tensor) -> bool:
        """Return whether a candidate has the shape and the numbers of what the student returned."""
        if candidate.shape != self.actual.shape or not self.actual.numel():
            return False
        if not self.is_sound:
            return are_equal_where_finite(candidate, self.actual)
        place, value = self._probe
        # One entry tells most candidates apart, at a tenth of the price.
        if not abs(float(candidate.reshape(-1)[place]) - value) <= 2 * RELATIVE * abs(value):
            return False
        return are_equal(candidate, self.actual)

    def flow(self, contributions: Mapping[str, Tensor]) -> Tensor | None:
        """Return what gradients that arrive at these values make of the gradient looked at.

        They are not summed over broadcast axes where they arrive. None if they do not fit the forward.
        """
        reached = dict(contributions)
        try:
            for name, plan in reversed(self.plans.items()):
                if name not in reached or name == self.value:
                    continue
                for read, raw in plan.backward(reached.pop(name)).items():
                    if read == self.value or read in self.plans:
                        own = self.tensors[read].shape
                        more = reduce_to(raw, tuple(own))
                        reached[read] = reached[read] + more if read in reached else more
            return reached.get(self.value)
        except MISFIT:
            return None

    @cached_property
    def direction(self) -> Tensor:
        """Return a direction in which the value may move; the same in every run."""
        numbers = torch.Generator().manual_seed(self.expected.numel())
        return torch.randn(self.expected.shape, generator=numbers, dtype=self.expected.dtype)

    @cached_property
    def tangents(self) -> dict[str, Tensor]:
        """How each value behind this one moves if this one moves in `direction`.

        The product of a gradient with a tangent is what it contributes to the gradient in that direction: a
        slip far from the value is ruled out without going all the way back.
        """
        found = {self.value: self.direction}
        for name, plan in self.plans.items():
            parts = {read: found[read] for read in plan.step.reads if read in found}
            if parts:
                found[name] = plan.forward(parts, self.tensors)
        return found

    @cached_property
    def gap(self) -> float:
        """What is returned more than expected, in `direction`."""
        return float(((self.actual - self.expected) * self.direction).sum())

    def contributed(self, parts: Mapping[str, Tensor]) -> float:
        """Return what contributions that arrive at these values make in `direction`."""
        summed = ((reduce_to(part, tuple(self.tensors[read].shape)), read) for read, part in parts.items())
        return sum(float((part * self.tangents[read]).sum()) for part, read in summed)

    def may_be_returned(self, right: float, wrong: Mapping[str, Tensor]) -> bool:
        """Return False if contributions that are wrong in this way cannot give what was returned.

        `right` is what they should have contributed.
        """
        if self.actual.shape != self.expected.shape or not self.is_sound:
            return True
        if any(part.shape != self.tensors[read].shape for read, part in wrong.items()):
            return True
        found = sum(float((part * self.tangents[read]).sum()) for read, part in wrong.items())
        return abs(found - right - self.gap) <= CLOSE * (abs(found) + abs(right) + abs(self.gap))

    def may_have_come(self, step: str, right: Tensor, wrong: Tensor) -> bool:
        """Return False if this, sent back through a step in place of what is right, cannot give what was returned.

        It is told without going back: the product with how the step's value moves is the same on both ends.
        """
        moved = self.tangents.get(step)
        if moved is None or self.actual.shape != self.expected.shape or not self.is_sound or wrong.shape != moved.shape:
            return True
        sent, found = float((right * moved).sum()), float((wrong * moved).sum())
        # Twice as wide as where it is told from the result, which rounding reaches in another order.
        return abs(found - sent - self.gap) <= 2 * CLOSE * (abs(found) + abs(sent) + abs(self.gap))

    def replace(self, step: str, part: Tensor, by: Tensor | None) -> Tensor | None:
        """Return the expected gradient with what comes through one step replaced; `part` is that as it should be."""
        if by is None:
            return None
        rest = self.expected - part
        if self.case.forward.consumers(self.value) == (step,) or are_small(rest, self.expected):
            return by
        try:
            return rest + by
        except MISFIT:
            return None


def are_equal(candidate: Tensor, actual: Tensor) -> bool:
    """Return whether two finite tensors of one shape differ by rounding only."""
    size = actual.abs()
    allowed = RELATIVE * size + OF_LARGEST * size.max()
    return bool(((candidate - actual).abs() <= allowed).all())


def are_equal_where_finite(candidate: Tensor, actual: Tensor) -> bool:
    """Return whether two tensors of one shape and dtype are finite in the same places, and equal there."""
    finite = actual.isfinite()
    if candidate.dtype != actual.dtype or not torch.equal(candidate.isfinite(), finite):
        return False
    return not bool(finite.any()) or are_equal(candidate[finite], actual[finite])


def are_small(difference: Tensor, beside: Tensor) -> bool:
    """Return whether a tensor is rounding, beside another."""
    if not difference.numel():
        return True
    return bool(difference.abs().max() <= OF_LARGEST * beside.abs().max())


def collect(exercise: Exercise, gradient: Gradient, trials: Sequence[Trial]) -> Iterator[list[Sample]]:
    """Yield the samples of a gradient from each point of view: autograd's first, then the student's own upstream."""
    found = [trial for trial in trials if gradient.name in trial.returned]
    if not any(trial.comparisons[gradient.name].verdict in WRONG for trial in found):
        return
    true = [_sample(exercise, gradient, trial, trial.case.expected) for trial in found]
    yield true
    slips = [_slips(exercise, gradient, trial) for trial in found]
    if not any(slips):
        return
    for without in [(), exercise.detached] if exercise.detached else [()]:
        theirs = []
        for trial, given in zip(found, slips, strict=True):
            case = trial.case
            reached = case.forward.gradients(case.upstream, given, without) if given else case.expected
            theirs.append(_sample(exercise, gradient, trial, {**case.expected, **reached, **given}, reached))
        yield theirs


def _sample(
    exercise: Exercise,
    gradient: Gradient,
    trial: Trial,
    upstream: Mapping[str, Tensor],
    reached: Mapping[str, Tensor] | None = None,
) -> Sample:
    sizes = {name: size for name, size in exercise.case(trial.case.name).sizes.items() if type(size) is int}
    expected = (reached or trial.case.expected)[gradient.value]
    actual = trial.returned[gradient.name]
    return Sample(trial, gradient, exercise, sizes, actual, upstream, expected, trial.is_correct(gradient.name))


def _slips(exercise: Exercise, gradient: Gradient, trial: Trial) -> dict[str, Tensor]:
    """Return the student's own wrong gradients, by value, of what comes after a value in the forward."""
    behind = {gradient.value}
    for step in trial.case.forward.steps:
        if behind.intersection(step.reads):
            behind.add(step.name)
    usable = Verdict.WRONG_VALUES
    return {
        other.value: trial.returned[other.name]
        for other in exercise.gradients
        if other.value in behind and other.value != gradient.value and trial.comparisons[other.name].verdict is usable
    }


class Candidates(Protocol[Key_co]):
    """Makes named candidates of what a student may have returned; a name means the same in every case."""

    def __call__(self, sample: Sample) -> Iterable[tuple[Key_co, Tensor]]:
        """Return each name with its tensor in this case."""
        ...


def find_matching(samples: Sequence[Sample], candidates: Candidates[Key]) -> list[Key]:
    """Return the names whose candidates are what the student returned in every case, also where that is right."""
    if not any(sample.is_sound and not sample.is_correct for sample in samples):
        return []
    # The smallest of the telling cases throws most names out, and the others are looked at for the rest only.
    order = sorted(samples, key=lambda s: (not s.is_sound, s.is_correct, s.actual.numel() < 2, s.actual.numel()))
    alive: dict[Key, None] | None = None
    for sample in order:
        matching: dict[Key, None] = {}
        sample.sought.clear()
        sample.sought.update(alive or ())
        for key, tensor in candidates(sample):
            if (alive is None or key in alive) and key not in matching and sample.is_returned(tensor):
                matching[key] = None
                if alive is not None and len(matching) == len(alive):
                    break
        sample.sought.clear()
        if not matching:
            return []
        alive = matching if alive is None else {key: None for key in alive if key in matching}
    return list(alive or ())
