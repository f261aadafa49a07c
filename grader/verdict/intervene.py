"""Intervention: is a step right by itself, with random numbers in place of what came before it? Pure.

The trace runs backward with probes in place of autograd's gradients, as the student's function did. What it makes of
them at a name is what the student's statement should have made there, whatever went wrong before it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from grader.course import Exercise, Gradient, Tolerance
from grader.course.trace import Forward
from grader.sandbox.probing import ProbedRun
from grader.verdict.compare import Verdict, compare
from grader.verdict.follow import Trial, own_upstream
from grader.verdict.sums import Sums, has_too_many, may_be_sums

# Relative to the largest gradient of its case, below which one is zero in truth, but for rounding.
ZERO = 1e-9
# Relative to what is expected as a whole, what rounding may leave of an entry in which large terms cancel.
ROUNDING = 1e-12
# How far apart two results of one formula on the same numbers may be, relative to their norm.
SAME = 1e-9
# And how far a formula that is right for random numbers may be off for a student's own, whatever rounding did.
CONTRADICTION = 1e-6

Probes = Mapping[str, Tensor]


def replaced(exercise: Exercise, forward: Forward) -> frozenset[str]:
    """Return the gradients that others are computed from; nothing flows on from those of inputs and parameters."""
    return frozenset(each.name for each in exercise.gradients if each.value not in forward.inputs)


def is_needed(exercise: Exercise, trials: Sequence[Trial], follows: Mapping[str, object]) -> bool:
    """Return whether probes may show a gradient to be right that the student's own numbers do not."""
    if any(trial.has_raised for trial in trials):
        return True
    for trial in trials:
        wrong = {name for name in trial.comparisons if not trial.is_correct(name)}
        answered = {name for name in wrong if trial.comparisons[name].verdict is not Verdict.NOT_RETURNED}
        for name in answered.difference(follows):
            if wrong.intersection(before(exercise, trial, name)):
                return True
            if any(other not in (name, *follows) for other in may_be_sums(exercise, trial)):
                return True
    return False


def draw_probes(exercise: Exercise, trials: Sequence[Trial]) -> tuple[Probes, ...]:
    """Return random gradients for each case, which nobody can have known: of the true ones' size, zero where they are.

    What the truth leaves out, one entry of each row say, an honest formula may leave out as well.
    """
    generator = torch.Generator().manual_seed(random.SystemRandom().getrandbits(62))

    def draw(trial: Trial, gradient: Gradient) -> Tensor:
        true = trial.case.expected[gradient.value]
        probe = torch.randn(true.shape, dtype=torch.float64, generator=generator) * _size(gradient.value, trial)
        return probe * (true != 0) if bool(true.any()) else probe

    return tuple({each.name: draw(trial, each) for each in exercise.gradients} for trial in trials)


def find_right_steps(
    exercise: Exercise,
    trials: Sequence[Trial],
    probes: Sequence[Probes],
    probed: Sequence[Sequence[ProbedRun]],
    sums: Sequence[Sequence[Probes]] = (),
) -> list[frozenset[str]]:
    """Return for each case the gradients, of those that are not correct, whose steps are right with probes before them.

    A step that is wrong in one case is not looked at in the others. `sums` are the random numbers that the last runs of
    each case had in place of gradients that may be read as sums.
    """
    # A case behind the one that ended the child has no runs.
    runs = [probed[place] if place < len(probed) else () for place in range(len(trials))]
    given = [sums[place] if place < len(sums) else () for place in range(len(trials))]
    views = [
        [
            _View(exercise, trial, drawn, run, tried[0], Sums.of(each, tried[1:]))
            for run in tried[1:]
            if not any(run.placed.intersection(names) for names in each)
        ]
        for trial, drawn, tried, each in zip(trials, probes, runs, given, strict=True)
    ]
    views = [[view for view in tried if view.is_consistent()] for tried in views]
    found: list[set[str]] = [set() for _ in trials]
    for gradient in exercise.gradients:
        by_sums, untried = False, []
        for place, trial in enumerate(trials):
            if trial.is_correct(gradient.name):
                continue
            if any(view.is_right(gradient) for view in views[place]):
                found[place].add(gradient.name)
            elif any(view.is_right_with_sums(gradient) for view in views[place]):
                by_sums = True
                found[place].add(gradient.name)
            elif views[place] and has_too_many(exercise, trial):
                untried.append(place)
            else:
                break
        else:
            # Of a case that is too large to be tried, those that were speak: it is the same formula.
            for place in untried if by_sums else ():
                found[place].add(gradient.name)
    return [frozenset(names) for names in found]


def isolate(
    exercise: Exercise,
    name: str,
    trials: Sequence[Trial],
    probes: Sequence[Probes],
    probed: Sequence[Sequence[ProbedRun]],
) -> list[Trial]:
    """Return the cases of a gradient that is wrong as if nothing before it were, with probes for what is true.

    The cases as they went, where nothing before it is wrong or not every one of them has such a run.
    """
    gradient = exercise.gradient(name)
    found = []
    for trial, drawn, runs in zip(trials, probes, probed, strict=False):
        view = next((_View(exercise, trial, drawn, run, runs[0]) for run in runs[1:2] if name in run.values), None)
        if view is None or not _is_sound(view.run.values[name], drawn[name]):
            return list(trials)
        found.append(view.alone(gradient))
    is_first = all(trial.is_correct(other) for trial in trials for other in before(exercise, trial, name))
    return list(trials) if is_first or len(found) < len(trials) else found


def before(exercise: Exercise, trial: Trial, name: str) -> tuple[str, ...]:
    """Return the gradients that one rests on, the nearest first."""
    known = exercise.gradient_names
    found: dict[str, None] = {}
    pending = list(trial.case.forward.consumers(name[1:]))
    while pending:
        value = pending.pop(0)
        if value not in found:
            found[value] = None
            pending += trial.case.forward.consumers(value)
    return tuple(f"d{value}" for value in found if f"d{value}" in known)


@dataclass(frozen=True)
class _View:
    """One run with probes, beside the plain call of the same case and the run that was to find its statements."""

    exercise: Exercise
    trial: Trial
    probes: Probes
    run: ProbedRun
    found: ProbedRun
    sums: Sums | None = None

    def is_consistent(self) -> bool:
        """Return whether the run tells something of the plain call.

        What no probe stands before is the same in both, or the function has looked which one it is in.
        """
        if self.trial.has_raised:
            # A function that raised raises again, unless the hooks went on with what was missing.
            return self.found.has_failed or not (self.found.is_complete or self.run.is_complete)
        first = [name for name in self.run.values if not self.run.placed.intersection(self._before(name))]
        return self.run.is_complete and all(self._is_as_returned(name, self.run.values[name]) for name in first)

    def _is_repeated(self, name: str) -> bool:
        """Return whether a run that differs from the plain call by nothing but its hooks has given the same.

        Where something before it was not there, or was mended to get to the end, it differs. What there was when a call
        raised may not have been complete: its last statement may stand behind the one that raised.
        """
        if self.trial.has_raised and self.found.has_failed:
            return True
        value = self.found.values.get(name)
        if not all(other in self.trial.returned and self._is_like(other) for other in self._before(name)):
            return True
        return self.trial.has_raised if value is None else self._is_as_returned(name, value)

    def _is_like(self, name: str) -> bool:
        """Return whether the plain call gave this gradient in its own shape and dtype."""
        return self.trial.comparisons[name].verdict not in (Verdict.WRONG_SHAPE, Verdict.WRONG_DTYPE)

    def _is_as_returned(self, name: str, value: Tensor) -> bool:
        plain = self.trial.returned.get(name)
        if plain is None:
            return True
        if value.shape != plain.shape or value.dtype != plain.dtype:
            return False
        atol = _rms(plain[plain.isfinite()]) * SAME if plain.is_floating_point() else 0.0
        if not plain.is_floating_point() or not math.isfinite(atol):
            return torch.equal(value, plain)  # numbers whose squares overflow are no honest ones
        return torch.allclose(value, plain, rtol=SAME, atol=atol, equal_nan=True)

    def _before(self, name: str) -> tuple[str, ...]:
        if name not in self._known_before:
            self._known_before[name] = before(self.exercise, self.trial, name)
        return self._known_before[name]

    @cached_property
    def _known_before(self) -> dict[str, tuple[str, ...]]:
        return {}

    def is_right(self, gradient: Gradient) -> bool:
        """Return whether the student's statement made of the probes what autograd makes of them."""
        value = self.run.values.get(gradient.name)
        if value is None or not self._may_earn(gradient.name) or not self._is_repeated(gradient.name):
            return False
        if (
            value.shape != self.probes[gradient.name].shape
            or value.dtype != torch.float64
            or not value.isfinite().all()
        ):
            return False
        for passed_over in self._ways(gradient.value):
            expected = self._passing_over(passed_over)
            if any(_fits(gradient, each[gradient.value], value) for each in expected if gradient.value in each):
                return not self._contradicts(gradient, passed_over)
        return False

    def is_right_with_sums(self, gradient: Gradient) -> bool:
        """Return whether the student's statement is right where those gradients are that it may read as sums."""
        if self.sums is None or not self._may_earn(gradient.name) or not self._is_repeated(gradient.name):
            return False
        return any(
            gradient.value in expected and self.sums.is_right(gradient.name, expected, self.run)
            for passed_over in self._ways(gradient.value)
            for expected in self._passing_over(passed_over)
        )

    def alone(self, gradient: Gradient) -> Trial:
        """Return this case with the probes for the true gradients, of which all others were returned rightly."""
        placed = {name[1:]: self.probes[name] for name in self.run.placed if name != gradient.name}
        value, expected = self.run.values[gradient.name], self._under_probes[0]
        case = replace(self.trial.case, expected={**expected, **placed, gradient.value: expected[gradient.value]})
        returned = {each.name: case.expected[each.value] for each in self.exercise.gradients} | {gradient.name: value}
        comparisons = {
            each.name: compare(case.expected[each.value], returned[each.name], each.tolerance)
            for each in self.exercise.gradients
        }
        return Trial(case, returned, comparisons)

    def _may_earn(self, name: str) -> bool:
        """Return whether the plain call had this gradient, or ended before it could."""
        return self.trial.has_raised or self.trial.comparisons[name].verdict is not Verdict.NOT_RETURNED

    @property
    def _under_probes(self) -> list[Mapping[str, Tensor]]:
        """What autograd makes of all probes; and without what the rubric names as detached."""
        return self._passing_over(frozenset())

    def _passing_over(self, passed_over: frozenset[str]) -> list[Mapping[str, Tensor]]:
        """Return what autograd makes of the probes but for some, once for all gradients."""
        if passed_over not in self._known_ways:
            given = {name[1:]: self.probes[name] for name in self.run.placed if name[1:] not in passed_over}
            forward, dout = self.trial.case.forward, self.trial.case.upstream
            self._known_ways[passed_over] = [forward.gradients(dout, given, without) for without in self._withouts]
        return self._known_ways[passed_over]

    @cached_property
    def _known_ways(self) -> dict[frozenset[str], list[Mapping[str, Tensor]]]:
        return {}

    @cached_property
    def _under_own(self) -> list[Mapping[str, Tensor]]:
        """What autograd makes of the student's own gradients."""
        case, given = self.trial.case, own_upstream(self.exercise, self.trial)
        return [case.forward.gradients(case.upstream, given, without) for without in self._withouts]

    def _reached(self, value: str, given: Mapping[str, Tensor]) -> list[Mapping[str, Tensor]]:
        case = self.trial.case
        found = [case.forward.gradient(value, case.upstream, given, without) for without in self._withouts]
        return [{value: each} for each in found if each is not None]

    @property
    def _withouts(self) -> list[Sequence[str]]:
        return [(), self.exercise.detached] if self.exercise.detached else [()]

    def _ways(self, value: str) -> Iterator[frozenset[str]]:
        """Yield sets of values that a formula may pass over: none, one next to it, or all up to some line.

        A formula that goes from dh_preact to dh_prebn in one line reads nothing of what is between.
        """
        yield frozenset()
        behind = {name[1:] for name in self._before(f"d{value}")}
        near = [frozenset([name]) for name in _boundary(self.trial.case.forward, value, self._placed_values)]
        seen = {frozenset[str]()}
        # What is not behind a value is nothing to it: so the cuts are the same for all.
        for passed_over in [*near, *self._cuts]:
            effective = passed_over & behind
            if effective not in seen:
                seen.add(effective)
                yield passed_over

    @cached_property
    def _placed_values(self) -> set[str]:
        return {name[1:] for name in self.run.placed}

    @cached_property
    def _cuts(self) -> list[frozenset[str]]:
        """All values with probes up to each line of the forward."""
        order = [step.name for step in self.trial.case.forward.steps if step.name in self._placed_values]
        return [frozenset(order[: count + 1]) for count in range(len(order))]

    def _contradicts(self, gradient: Gradient, passed_over: frozenset[str]) -> bool:
        """Return whether the plain call refutes what the run shows of a step, with the values that it passes over.

        Where all that a step reads was returned and fit to be used, a formula that is right for random numbers is right
        for those: a step is linear in what it reads. One that reads nothing of the student's must be right as it is.
        """
        known = self._known - passed_over
        near = {f"d{value}" for value in _boundary(self.trial.case.forward, gradient.value, known)}
        actual = self.trial.returned.get(gradient.name)
        if self.trial.has_raised or actual is None or not near <= self.run.placed:
            return False
        if not all(name in self.trial.returned and self.trial.is_whole(name) for name in near):
            return False
        if actual.dtype != torch.float64 or actual.shape != self.probes[gradient.name].shape:
            return True
        case = self.trial.case
        own = own_upstream(self.exercise, self.trial)
        given = {value: tensor for value, tensor in own.items() if value not in passed_over}
        under_own = self._reached(gradient.value, given) if passed_over else self._under_own
        found = [reached[gradient.value] for reached in under_own if gradient.value in reached]
        sizes = [(_rms(self.trial.own(name)), _rms(case.expected[name[1:]]) or 1.0) for name in near]
        floor = SAME * max((own / true for own, true in sizes), default=1.0) * _size(gradient.value, self.trial)
        bounds = [CONTRADICTION * (_rms(expected) + _rms(actual)) + floor for expected in found]
        return all(
            not (math.isfinite(bound) and _rms(actual - expected) <= bound)
            for expected, bound in zip(found, bounds, strict=True)
        )

    @property
    def _known(self) -> set[str]:
        return {each.value for each in self.exercise.gradients}


def _boundary(forward: Forward, value: str, known: set[str]) -> dict[str, None]:
    """Return the nearest of the known values that are computed from one."""
    found: dict[str, None] = {}
    pending = list(forward.consumers(value))
    while pending:
        name = pending.pop(0)
        if name in known:
            found[name] = None
        else:
            pending += forward.consumers(name)
    return found


def _is_sound(value: Tensor, probe: Tensor) -> bool:
    return value.shape == probe.shape and value.dtype == probe.dtype and bool(value.isfinite().all())


def _fits(gradient: Gradient, expected: Tensor, value: Tensor) -> bool:
    tolerance = Tolerance(gradient.tolerance.rtol, max(gradient.tolerance.atol, ROUNDING * _rms(expected)))
    return compare(expected, value, tolerance).verdict is Verdict.CORRECT


def _size(value: str, trial: Trial) -> float:
    """Return the root mean square of a true gradient, or of the nearest that is not zero but for rounding."""
    largest = max(_rms(each) for each in trial.case.expected.values())
    while _rms(trial.case.expected[value]) <= ZERO * largest:
        following = trial.case.forward.consumers(value)
        if not following:
            return largest or 1.0
        value = following[0]
    return _rms(trial.case.expected[value])


def _rms(tensor: Tensor) -> float:
    return float(tensor.norm()) / math.sqrt(max(tensor.numel(), 1))
