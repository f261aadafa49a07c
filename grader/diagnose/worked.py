"""One entry of a gradient worked by hand: which entries it went into, and which products add up to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from grader.course import Exercise, Gradient
from grader.course.cases import Case
from grader.course.trace import Step
from grader.verdict.compare import Verdict
from grader.verdict.follow import Trial

# More products than these nobody adds by hand, and in a larger value the search for them takes time.
MOST_TERMS = 8
MOST_ENTRIES = 20_000

Index = tuple[int, ...]


@dataclass(frozen=True)
class Term:
    """What comes back from one entry of a later value: its gradient, times how fast it moves with the worked entry."""

    value: str
    index: Index
    gradient: float
    slope: float


@dataclass(frozen=True)
class Worked:
    """One entry of a gradient in a case, counted from 1: the terms, their sum, and what was returned in its place."""

    case_number: int
    index: Index
    terms: tuple[Term, ...]
    expected: float
    actual: float


def work_out(exercise: Exercise, gradient: Gradient, trials: Sequence[Trial]) -> Worked | None:
    """Return one wrong entry as a sum of few products of true numbers, from the case with most of them.

    None where there is no such case, or where it takes a gradient that the student has wrong as well: the numbers
    would not be those of their own code.
    """
    found = [each for number, trial in enumerate(trials, 1) for each in _work_out(exercise, gradient, trial, number)]
    return max(found, key=lambda worked: len(worked.terms), default=None)


def _work_out(exercise: Exercise, gradient: Gradient, trial: Trial, number: int) -> Iterator[Worked]:
    case, comparison = trial.case, trial.comparisons[gradient.name]
    if comparison.verdict is not Verdict.WRONG_VALUES or comparison.worst_index is None or case.detached:
        return
    if any(name in trial.comparisons and not trial.is_correct(name) for name in _behind(case, gradient)):
        return
    index = comparison.worst_index
    terms = _terms(case, gradient.value, index)
    if terms:
        expected, actual = case.expected[gradient.value][index], trial.returned[gradient.name][index]
        yield Worked(number, index, terms, float(expected), float(actual))


def _behind(case: Case, gradient: Gradient) -> list[str]:
    return [f"d{name}" for name in case.forward.consumers(gradient.value)]


def _terms(case: Case, value: str, index: Index) -> tuple[Term, ...]:
    """Return the products that add up to one entry, or none if they are too many."""
    terms: list[Term] = []
    for step in case.forward.steps:
        if value in step.reads:
            slopes = _slopes(case, step, value, index)
            if slopes is None:
                return ()
            upstream = case.expected[step.name]
            for place in map(tuple, slopes.nonzero().tolist()):
                terms.append(Term(step.name, place, float(upstream[place]), float(slopes[place])))
            if len(terms) > MOST_TERMS:
                return ()
    return tuple(terms)


def _slopes(case: Case, step: Step, value: str, index: Index) -> torch.Tensor | None:
    """Return how fast each entry of a step's value moves with one entry of a value that it reads.

    What comes back is linear in the upstream gradient, and its own derivative by it is just that.
    """
    if step.output.numel() > MOST_ENTRIES:
        return None
    with torch.enable_grad():
        upstream = torch.ones_like(step.output).requires_grad_()
        scalar = (step.output * upstream).sum()
        (arrived,) = torch.autograd.grad(scalar, [case.forward.leaves[value]], create_graph=True)
        if arrived.grad_fn is None:  # a step that no upstream gradient passes
            return None
        (slopes,) = torch.autograd.grad(arrived[index], [upstream], retain_graph=True, allow_unused=True)
    return torch.zeros_like(step.output) if slopes is None else slopes.detach()
