"""One small change that makes a student's own lines right: what to try them with, and which of the changes it is.

A formula is tried with a random upstream gradient, and with what autograd makes of that for the other gradients. So it
is known what a right formula makes of them, and the child is told nothing of what was asked for: neither the gradients
that are looked for nor any that rests on them.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from grader.course import Exercise
from grader.course.cases import Case
from grader.diagnose import NOT_LOOKED_INTO, Diagnosis
from grader.diagnose.repairs import explain_edits
from grader.diagnose.search import CERTAIN
from grader.results import GradientFeedback
from grader.sandbox.guest.repair import Pair, directions
from grader.sandbox.question import Question
from grader.sandbox.repairing import Repairing, Setting, TriedChange
from grader.verdict.compare import Verdict
from grader.verdict.follow import Trial

# Relative to a gradient's norm, how far its product with a random tensor may be from that of the right one: a numerical
# derivative is further off, and not right.
SAME = 2e-12
# And what rounding leaves of the sum, relative to both norms.
ROUNDING = 1e-15
# Of each function, for so many gradients a change is looked for, and each is tried in so many cases: several at once
# cost several times as much.
MOST_GRADIENTS, MOST_CASES, MOST_CASES_AT_ONCE = 6, 3, 2
COMPUTED = (Verdict.WRONG_VALUES, Verdict.WRONG_SHAPE, Verdict.WRONG_DTYPE, Verdict.NOT_FINITE)

# Of each product what is right, and how far from it another may be.
Bounds = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Draft:
    """A case with another upstream gradient: arguments in place of the case's, the other gradients, what is right.

    Of each in `expected` there are two where a rubric names values as detached.
    """

    arguments: Mapping[str, Tensor]
    gradients: Mapping[str, Tensor]
    expected: Mapping[str, tuple[Tensor, ...]]


@dataclass(frozen=True)
class Mend:
    """A change of a student's text, and the gradients that it makes right."""

    change: TriedChange
    gradients: frozenset[str]


@dataclass(frozen=True)
class Repair:
    """The search for a change in the formula of some gradients: what is asked, and what would be right."""

    repairing: Repairing
    drafts: tuple[Draft, ...]

    def mends(self, tried: Sequence[TriedChange]) -> list[Mend]:
        """Return the changes that make gradients right in every case, those of one place first."""
        found = [Mend(each, self._right(each)) for each in tried]
        # The first that was tried is the formula as it is: where that is right, the slip is not in it.
        plain = found[0].gradients if found and not found[0].change.edits else frozenset()
        mends = [replace(each, gradients=each.gradients - plain) for each in found]
        return [each for each in mends if each.gradients]

    def _right(self, tried: TriedChange) -> frozenset[str]:
        return frozenset(name for name, made in tried.products.items() if self._is_right(name, made))

    def _is_right(self, name: str, made: Sequence[Pair]) -> bool:
        return all(
            any(_is_within(each, pair) for each in bounds[name])
            for bounds, pair in zip(self._bounds, made, strict=True)
        )

    @cached_property
    def _bounds(self) -> list[dict[str, list[Bounds]]]:
        """For each case what the products of right gradients may be."""
        seed = self.repairing.seed
        return [
            {name: [_bounds_of(each, seed) for each in ways] for name, ways in draft.expected.items()}
            for draft in self.drafts
        ]


def draw_repairs(
    exercise: Exercise, question: Question, trials: Sequence[Trial], slips: Sequence[str]
) -> Iterator[Repair]:
    """Draw what it takes to look for a change that makes slips right: several of them at once, then each by itself.

    At once are tried those on which nothing rests: what several of them lack was lost in a value that is not asked for.
    """
    computed = [name for name in slips if any(trial.comparisons[name].verdict in COMPUTED for trial in trials)]
    resting = {value for trial in trials for name in computed for value in _behind(trial.case, name[1:])}
    ends = [name for name in computed if name[1:] not in resting and exercise.gradient(name).points]
    groups = [(name,) for name in computed[:MOST_GRADIENTS]]
    for group in [tuple(ends), *groups] if len(ends) > 1 else groups:
        repair = _draw_repair(exercise, question, trials, group)
        if repair is not None:
            yield repair


def _draw_repair(
    exercise: Exercise, question: Question, trials: Sequence[Trial], names: tuple[str, ...]
) -> Repair | None:
    """Draw what is asked of some gradients; where they are right in some case, what is changed must be right there.

    The cases that tell most go first: where an axis has one entry, a sum over it is a mean, and no sum at all.
    """
    numbers = sorted(range(len(trials)), key=lambda n: _telling(exercise, trials[n].case))
    wrong = [place for place in numbers if not all(map(trials[place].is_correct, names))]
    right = [place for place in numbers if place not in wrong]
    most = MOST_CASES if len(names) == 1 else MOST_CASES_AT_ONCE
    chosen = [*wrong[: most - bool(right)], *right[:1]]
    drafts = [draw_draft(exercise, trials[place].case, names) for place in chosen]
    if not all(any(bool(draft.expected[name][0].any()) for draft in drafts) for name in names):
        return None
    settings = tuple(
        Setting(
            place, draft.arguments, draft.gradients, {name: tuple(e[0].shape) for name, e in draft.expected.items()}
        )
        for place, draft in zip(chosen, drafts, strict=True)
    )
    # A seed of torch's has 64 bits.
    return Repair(Repairing(question, names, settings, random.SystemRandom().getrandbits(62)), tuple(drafts))


def _telling(exercise: Exercise, case: Case) -> tuple[int, int]:
    """Return how many axes of a case have one entry, then how large it is: the fewer the better."""
    shapes = [case.expected[each.value].shape for each in exercise.gradients]
    return sum(list(shape).count(1) for shape in shapes), sum(map(torch.Size.numel, shapes))


def most_telling(repairs: Sequence[Repair], most: int) -> list[Repair]:
    """Return the searches for which there is room: those first that may charge several gradients once.

    Else the marks of one function would depend on how much is wrong in those before it.
    """
    return sorted(repairs, key=lambda repair: len(repair.repairing.gradients) == 1)[:most]


def share(slips: Sequence[str], groups: Collection[frozenset[str]]) -> dict[str, str]:
    """Return for each slip that a change makes right together with others the one of them that is charged: the first.

    `groups` are what changes make right; the one with most of the slips goes first.
    """
    shared: dict[str, str] = {}
    left = list(slips)
    while True:
        best = max(groups, key=lambda group: len(group.intersection(left)), default=frozenset[str]())
        same = [name for name in left if name in best]
        if len(same) < 2:
            return shared
        shared |= dict.fromkeys(same[1:], same[0])
        left = [name for name in left if name not in same]


def first_changes(mends: Sequence[Mend]) -> dict[str, TriedChange]:
    """Return for each gradient the first change that makes it right, with as many others as possible."""
    found: dict[str, TriedChange] = {}
    for mend in sorted(mends, key=lambda mend: -len(mend.gradients)):
        found |= {name: mend.change for name in mend.gradients if name not in found}
    return found


def explain(feedback: GradientFeedback, change: TriedChange | None) -> GradientFeedback:
    """Add to a wrong gradient that a change makes its formula right, unless more is known of it."""
    if change is None or says_more(feedback.diagnosis):
        return feedback
    found = explain_edits(change.edits, feedback.code.line if feedback.code is not None else None)
    return replace(feedback, diagnosis=found or feedback.diagnosis)


def says_more(diagnosis: Diagnosis | None) -> bool:
    """Return whether a diagnosis tells more than a change that makes a formula right."""
    if diagnosis is None or diagnosis is NOT_LOOKED_INTO:
        return False
    # Where it is wrong, and to how many digits, explains less than what would be right.
    is_place = diagnosis.id.startswith("support:")
    return diagnosis.id.startswith(("mistake:", "written_in:")) or (diagnosis.certainty == CERTAIN and not is_place)


def draw_draft(exercise: Exercise, case: Case, names: Collection[str]) -> Draft:
    """Draw another upstream gradient for a case, in which the gradients of these names are looked for."""
    forward, values = case.forward, {name[1:] for name in names}
    outputs = dict(zip(exercise.upstream_names, forward.outputs, strict=True))
    arguments = {
        given: _draw(each)
        for given, each in case.arguments.items()
        if isinstance(each, Tensor) and (given in outputs or _is_gradient(case, given))
    }
    upstream = {**case.upstream, **{outputs[given]: each for given, each in arguments.items() if given in outputs}}
    roots = {given[1:]: each for given, each in arguments.items() if given not in outputs}
    if not arguments:
        # A loss has an upstream of one: the change is made in what comes first on the way back from it.
        behind = set().union(*(_behind(case, value) for value in values)) - values
        first = next(
            (s.name for s in reversed(forward.steps) if s.name in behind and _is_asked(exercise, s.name)), None
        )
        roots = {first: _draw(case.expected[first])} if first else {}
    reached = {**forward.gradients(upstream, roots), **roots}
    ways = [reached, *([forward.gradients(upstream, roots, exercise.detached)] if exercise.detached else [])]
    gradients = {
        each.name: reached[each.value]
        for each in exercise.gradients
        if each.value not in values
        and values.isdisjoint(_behind(case, each.value))
        and not _is_told(case, each.value, reached)
    }
    return Draft(arguments, gradients, {name: tuple(way[name[1:]] for way in ways) for name in names})


def _draw(true: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(random.SystemRandom().getrandbits(62))
    made = torch.randn(true.shape, dtype=torch.float64, generator=generator)
    size = float(true.norm()) / max(true.numel(), 1) ** 0.5 or 1.0
    # What the truth leaves out, one entry of each row say, an honest formula may leave out as well.
    return made * size * (true != 0) if bool(true.any()) else made


def _is_gradient(case: Case, given: str) -> bool:
    """Return whether what is given is the gradient of a value: Wx beside x is a value itself."""
    return given not in case.forward.values and given[1:] in case.forward.leaves


def _is_asked(exercise: Exercise, value: str) -> bool:
    return f"d{value}" in exercise.gradient_names


def _is_told(case: Case, value: str, reached: Mapping[str, Tensor]) -> bool:
    return torch.equal(reached[value], case.expected[value]) and bool(reached[value].any())


def _behind(case: Case, value: str) -> set[str]:
    """Return the values that are computed from one."""
    found: set[str] = set()
    pending = list(case.forward.consumers(value))
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += case.forward.consumers(name)
    return found


def _bounds_of(expected: Tensor, seed: int) -> Bounds:
    flat, size = expected.reshape(-1), float(expected.norm())
    return tuple(
        (float(flat @ direction), size * (SAME + ROUNDING * float(direction.norm())))
        for direction in directions(seed, flat.shape[0])
    )


def _is_within(bounds: Bounds, pair: Pair) -> bool:
    return all(abs(found - right) <= bound for found, (right, bound) in zip(pair, bounds, strict=True))
