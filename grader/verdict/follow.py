"""Follow-through: is a step right, given the student's own wrong upstream gradient? Pure.

The trace runs backward once more with the student's gradients in place of autograd's. What it makes of
them at a name is what the student's formula should have given there. The rules below keep that check
from being bought with an upstream in which many wrong formulas look right.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from torch import Tensor

from grader.course import Exercise, Gradient, Tolerance
from grader.course.cases import Case
from grader.verdict.compare import Comparison, Verdict, compare

# A slip's norm, relative to the true gradient's.
LEAST_SIZE, MOST_SIZE = 1e-6, 1e6
# What is expected under the slip, per unit of its norm, relative to the same of the true gradients.
LEAST_EFFECT = 1e-3
# A norm relative to that of dout below which a gradient is zero in truth, but for rounding.
ZERO = 1e-12


@dataclass(frozen=True)
class Trial:
    """One case as it went: what was returned, by gradient name, and how each compares with autograd.

    Of a call that raised, it is what had been computed by then.
    """

    case: Case
    returned: Mapping[str, Tensor]
    comparisons: Mapping[str, Comparison]
    has_raised: bool = False

    def is_correct(self, name: str) -> bool:
        """Return whether autograd agrees with this gradient."""
        return self.comparisons[name].verdict is Verdict.CORRECT

    def own(self, name: str) -> Tensor:
        """Return a gradient of the student's as what comes after it has it: float32 times float64 is float64."""
        return self.returned[name].double().reshape(self.case.expected[name[1:]].shape)

    def is_whole(self, name: str) -> bool:
        """Return whether this gradient is one as the exercise asks for it, but for its values."""
        return self.comparisons[name].verdict in (Verdict.CORRECT, Verdict.WRONG_VALUES)

    def is_usable(self, name: str) -> bool:
        """Return whether what rests on this gradient can be judged with it: finite, real and of the right shape.

        One that differs by axes of size 1 is read as the shape that was meant.
        """
        if self.is_whole(name):
            return True
        own = self.returned.get(name)
        if own is None or not own.is_floating_point() or not bool(own.isfinite().all()):
            return False
        return _meant(own.shape) == _meant(self.case.expected[name[1:]].shape)


def _meant(shape: Sequence[int]) -> list[int]:
    return [size for size in shape if size != 1]


class Basis(Enum):
    """How a step was found right: with the student's own numbers before it, with random ones, with one slip mended."""

    OWN = "own"
    RANDOM = "random"
    MENDED = "mended"


@dataclass(frozen=True)
class Follow:
    """A gradient that is right in itself: the slips that it rests on, and how that was found."""

    slips: tuple[str, ...]
    basis: Basis


@dataclass(frozen=True)
class Follows:
    """Gradients by name: which are right in themselves, and what could not be decided of others.

    Those in `undecided` match what comes before them, but many wrong formulas would; with them go the slips before.
    """

    by_name: Mapping[str, Follow]
    undecided: Mapping[str, tuple[str, ...]]


class _Fit(Enum):
    """How a wrong gradient fits the student's own upstream in one case.

    It is UNDECIDED where it matches, but many formulas would: such a case speaks neither for nor against.
    """

    NO = 0
    UNDECIDED = 1
    YES = 2


@dataclass(frozen=True)
class _Upstream:
    """The not-correct gradients that one gradient rests on: one step away, and all of them."""

    near: tuple[str, ...]
    all: tuple[str, ...]


def find_follows(exercise: Exercise, trials: Sequence[Trial], right: Sequence[Collection[str]] = ()) -> Follows:
    """Return the gradients that are right given the student's own upstream, or random ones, with the slips before them.

    Such a gradient fits in every case in which it is not correct, and in at least one of them its upstream is fit to
    tell. `right` are for each case those whose steps are right with random numbers before them.
    """
    fits = _replay(exercise, trials)
    follows: dict[str, Follow] = {}
    undecided: dict[str, list[str]] = {}
    for gradient in exercise.gradients:
        name = gradient.name
        wrong = [place for place, trial in enumerate(trials) if not trial.is_correct(name)]
        own = [fits[place].get(name, _Fit.NO) for place in wrong]
        both = [_Fit.YES if right and name in right[place] else fit for place, fit in zip(wrong, own, strict=True)]
        if _Fit.YES in both and _Fit.NO not in both:
            is_own = _Fit.YES in own and _Fit.NO not in own
            follows[name] = Follow((), Basis.OWN if is_own else Basis.RANDOM)
        elif _Fit.UNDECIDED in both and _Fit.NO not in both:
            undecided[name] = [other for place in wrong for other in _upstreams(trials[place])[name].all]
    for name, follow in follows.items():
        lost = follow.basis is Basis.RANDOM
        resting = [_upstreams(trial, lost=lost)[name].all for trial in trials if not trial.is_correct(name)]
        slips = dict.fromkeys(other for names in resting for other in names if other not in follows)
        # What rests on nothing was right with other numbers where a gradient of a parameter is read as a sum.
        follows[name] = replace(follow, slips=tuple(slips or _parameters(exercise, trials, {*follows, name})))
    known = {*follows, *undecided}
    roots = {name: [other for other in before if other not in known] for name, before in undecided.items()}
    return Follows(follows, {name: tuple(dict.fromkeys(before)) for name, before in roots.items()})


def _parameters(exercise: Exercise, trials: Sequence[Trial], known: Collection[str]) -> list[str]:
    """Return the wrong gradients of parameters with one axis, but for those known to be right in themselves."""
    case = trials[0].case
    return [
        each.name
        for each in exercise.gradients
        if each.name not in known
        and each.value in case.forward.inputs
        and case.expected[each.value].dim() <= 1
        and not all(trial.is_correct(each.name) for trial in trials)
    ]


def with_shared(follows: Follows, shared: Mapping[str, str]) -> Follows:
    """Return what follows together with slips that are one with another, which is charged: by name, that other."""
    found = {
        name: replace(follow, slips=tuple(dict.fromkeys(shared.get(slip, slip) for slip in follow.slips)))
        for name, follow in follows.by_name.items()
    }
    found |= {name: Follow((charged,), Basis.MENDED) for name, charged in shared.items()}
    undecided = {name: before for name, before in follows.undecided.items() if name not in shared}
    return Follows(found, undecided)


def own_upstream(exercise: Exercise, trial: Trial) -> dict[str, Tensor]:
    """Return the student's own gradients by the name of the value; the true one for what can't be used."""
    return {
        gradient.value: trial.own(gradient.name)
        if trial.is_usable(gradient.name)
        else trial.case.expected[gradient.value]
        for gradient in exercise.gradients
    }


def _replay(exercise: Exercise, trials: Sequence[Trial]) -> list[dict[str, _Fit]]:
    """Return for each case how the gradients fit the student's own upstream."""
    verdicts = [comparison.verdict for trial in trials for comparison in trial.comparisons.values()]
    if sum(verdict not in (Verdict.CORRECT, Verdict.NOT_RETURNED, Verdict.NOT_JUDGED) for verdict in verdicts) < 2:
        return [{} for _ in trials]  # a slip and what rests on it are two
    placeholders = frozenset(each.name for each in exercise.gradients if is_placeholder_in(each, trials))
    return [_fit_case(exercise, trial, placeholders) for trial in trials]


def is_placeholder(pairs: Sequence[tuple[Tensor, Tensor]]) -> bool:
    """Return whether upstreams, each with the true one of its case, have a form that hides mistakes.

    Such forms are: only zeros and ones, equal along an axis, a single value that is not zero. A form
    counts where the true gradient does not have it, and one case that is large enough to show a form
    and shows none clears all the others: in a batch of one an honest slip can look like anything.
    """
    hides = [_hides_mistakes(own, true) for own, true in pairs]
    return any(hides) and not any(
        not hidden and _can_show_a_form(true) for hidden, (_, true) in zip(hides, pairs, strict=True)
    )


def _hides_mistakes(own: Tensor, true: Tensor) -> bool:
    # Where all entries of the truth but zeros are equal, a factor forgotten may leave ones.
    may_be_binary = bool(((true == 0) | (true == true.flatten()[true.flatten().abs().argmax()])).all())
    has, may = _forms(own), [may_be_binary, *_forms(true)[1:]]
    return own.numel() > 1 and any(form and not allowed for form, allowed in zip(has, may, strict=True))


def _can_show_a_form(true: Tensor) -> bool:
    return all(size > 1 for size in true.shape) and not any(_forms(true))


def _forms(tensor: Tensor) -> list[bool]:
    """Return of each form that hides mistakes whether a tensor has it."""
    is_binary = bool(((tensor == 0) | (tensor == 1)).all())
    is_single = int((tensor != 0).sum()) <= 1
    return [is_binary, is_single, *(_is_constant(tensor, axis) for axis in range(tensor.dim()))]


def is_placeholder_in(gradient: Gradient, trials: Sequence[Trial]) -> bool:
    """Return whether what was returned of a gradient, wherever it is wrong, has a form that hides mistakes."""
    wrong = [trial for trial in trials if not trial.is_correct(gradient.name) and trial.is_usable(gradient.name)]
    return is_placeholder([(trial.own(gradient.name), trial.case.expected[gradient.value]) for trial in wrong])


def _fit_case(exercise: Exercise, trial: Trial, placeholders: frozenset[str]) -> dict[str, _Fit]:
    """Return how each gradient with wrong values fits the upstream it was given in one case."""
    if not any(comparison.verdict is Verdict.WRONG_VALUES for comparison in trial.comparisons.values()):
        return {}  # and no pass through autograd for what is right, or was never written
    upstreams = _upstreams(trial)
    usable = {gradient.name for gradient in exercise.gradients if trial.is_usable(gradient.name)}
    given = own_upstream(exercise, trial)
    reached = [trial.case.forward.gradients(trial.case.upstream, given)]
    if exercise.detached:
        reached.append(trial.case.forward.gradients(trial.case.upstream, given, without=exercise.detached))
    fits: dict[str, _Fit] = {}
    # From the output backwards, so that of every upstream it is known whether it is a slip of its own.
    for name in _in_backward_order(trial):
        upstream = upstreams[name]
        if trial.comparisons[name].verdict is not Verdict.WRONG_VALUES or not usable.issuperset(upstream.all):
            continue
        gradient = exercise.gradient(name)
        expected = [path[gradient.value] for path in reached if gradient.value in path]
        fit = max((_fit(gradient, trial, upstream.near, e) for e in expected), key=lambda found: found.value)
        slips = [other for other in upstream.all if fits.get(other, _Fit.NO) is _Fit.NO]
        if fit is _Fit.YES and not all(_may_carry(other, trial) and other not in placeholders for other in slips):
            fit = _Fit.UNDECIDED
        fits[name] = fit
    return fits


def _fit(gradient: Gradient, trial: Trial, near: Sequence[str], expected: Tensor) -> _Fit:
    """Compare one gradient with what its nearest upstream makes of it."""
    actual, true = trial.returned[gradient.name], trial.case.expected[gradient.value]
    weighty = [name for name in near if not _is_zero_in_truth(name, trial)]
    own_norm = _norm(trial.own(name) for name in weighty)
    true_norm = _norm(trial.case.expected[name[1:]] for name in weighty)
    if not near or not weighty or own_norm == 0.0:
        return _Fit.NO
    scale = own_norm / true_norm
    tolerance = Tolerance(gradient.tolerance.rtol, gradient.tolerance.atol * scale)
    if compare(expected, actual, tolerance).verdict is not Verdict.CORRECT:
        return _Fit.NO
    effect, true_effect = _norm([expected]) / own_norm, _norm([true]) / true_norm
    return _Fit.YES if effect >= LEAST_EFFECT * true_effect else _Fit.UNDECIDED


def _upstreams(trial: Trial, *, lost: bool = False) -> dict[str, _Upstream]:
    """Return what each gradient rests on; one that is correct ends the chain, and one not returned unless `lost`."""
    found: dict[str, _Upstream] = {}
    for name in _in_backward_order(trial, every=True):
        near: list[str] = []
        for consumer in trial.case.forward.consumers(name[1:]):
            other = f"d{consumer}"
            if other not in trial.comparisons:
                near.extend(found[other].near)
            elif (lost or other in trial.returned) and not trial.is_correct(other):
                near.append(other)
        further = [more for other in near for more in found[other].all]
        found[name] = _Upstream(tuple(dict.fromkeys(near)), tuple(dict.fromkeys([*near, *further])))
    return found


def _in_backward_order(trial: Trial, *, every: bool = False) -> list[str]:
    """Return the names of gradients from the output to the inputs; those judged, or of every value."""
    names = [f"d{name}" for name in reversed(list(trial.case.forward.leaves))]
    return [name for name in names if every or name in trial.comparisons]


def _may_carry(name: str, trial: Trial) -> bool:
    """Return whether a slip is of a size at which what rests on it can be judged."""
    own, true = _norm([trial.own(name)]), _norm([trial.case.expected[name[1:]]])
    return LEAST_SIZE * true <= own <= MOST_SIZE * true


def _is_zero_in_truth(name: str, trial: Trial) -> bool:
    return _norm([trial.case.expected[name[1:]]]) <= ZERO * _norm(trial.case.upstream.values())


def _norm(tensors: Iterable[Tensor]) -> float:
    return math.sqrt(sum(float(tensor.square().sum()) for tensor in tensors))


def _is_constant(tensor: Tensor, axis: int) -> bool:
    if tensor.shape[axis] <= 1:
        return False
    spread = (tensor - tensor.narrow(axis, 0, 1)).abs().max()
    return bool(spread <= ZERO * tensor.abs().max())
