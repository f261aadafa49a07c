"""The distance of right answers below a tolerance and of wrong ones above it, and what the cases are good for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from grader.authoring.trials import Tried
from grader.course import Course, Exercise, Gradient, Rubric
from grader.course.cases import Case
from grader.course.source import find_imports
from grader.grading import Grader
from grader.results import ExerciseFeedback
from grader.sandbox.warm import Warm
from grader.submission import Submission


@dataclass(frozen=True)
class Nearest:
    """What comes nearest to a tolerance on one of its sides; `excess` is its error in tolerances."""

    name: str
    excess: float


@dataclass(frozen=True)
class Margin:
    """One gradient over all seeds: the right answer with the largest error, and the wrong ones with the smallest.

    `right` is of the solution and its honest variants, `trial` of what is wrong everywhere, `mistake` of the
    bank; None where there is no such answer.
    """

    function: str
    gradient: str
    points: float
    right: Nearest | None
    trial: Nearest | None
    mistake: Nearest | None

    @property
    def wrong(self) -> Nearest | None:
        """The nearest of all wrong answers."""
        both = [one for one in (self.trial, self.mistake) if one]
        return min(both, key=lambda one: one.excess, default=None)


def measure_margins(exercise: Exercise, tried: Sequence[Sequence[Tried]], right: Mapping[str, Nearest]) -> list[Margin]:
    """Return a margin for each gradient; `tried` has one list per seed, `right` the nearest right answers."""
    return [
        Margin(
            exercise.function,
            gradient.name,
            gradient.points,
            right.get(gradient.name),
            _nearest(gradient, tried, is_mistake=False),
            _nearest(gradient, tried, is_mistake=True),
        )
        for gradient in exercise.gradients
    ]


def indistinct(tried: Sequence[Tried]) -> list[tuple[str, str, str]]:
    """Return pairs of mistakes of a gradient, with its name, that have the same values on every case."""
    mistakes = [one for one in tried if one.mistake and one.values]
    return [
        (first.gradient, first.name, second.name)
        for number, first in enumerate(mistakes)
        for second in mistakes[number + 1 :]
        if first.gradient == second.gradient and _is_equal(first, second)
    ]


def needed_cases(exercise: Exercise, tried: Iterable[Tried]) -> list[str]:
    """Return few cases that reject, together, every wrong gradient that all of them reject."""
    rejecting = [frozenset(case for case, excess in one.excess.items() if excess > 0) for one in tried]
    pending = {cases for cases in rejecting if cases}
    needed: list[str] = []
    while pending:
        # The one that rejects most of what is left; of several, the first in the rubric.
        best = max(exercise.cases, key=lambda case: sum(case.name in cases for cases in pending)).name
        needed.append(best)
        pending = {cases for cases in pending if best not in cases}
    return [case.name for case in exercise.cases if case.name in needed]


def powers(excess: float | None) -> str:
    """Return an excess as a power of ten: how many places beyond the tolerance, or within it."""
    if excess is None:
        return "-"
    if excess == 0.0:
        return "exact"
    return "misfit" if math.isinf(excess) else f"10^{math.log10(excess):+.1f}"


def _nearest(gradient: Gradient, tried: Sequence[Sequence[Tried]], *, is_mistake: bool) -> Nearest | None:
    each = [one for seed in tried for one in seed if one.gradient == gradient.name and bool(one.mistake) is is_mistake]
    nearest = min(each, key=lambda one: one.worst, default=None)
    return Nearest(nearest.name, nearest.worst) if nearest else None


def _is_equal(first: Tried, second: Tried) -> bool:
    if first.values.keys() != second.values.keys():
        return False
    pairs = [(first.values[case], second.values[case]) for case in first.values]
    return all(
        one.shape == other.shape and one.dtype == other.dtype and torch.allclose(one, other, rtol=1e-9, atol=1e-14)
        for one, other in pairs
    )


@dataclass
class Proof:
    """What was found out about one assignment: findings to mend, notices to think about, margins to read.

    `mistakes` counts its bank; it is None for what is no assignment, such as the notebook.
    """

    name: str
    findings: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    margins: list[Margin] = field(default_factory=list)
    mistakes: int | None = None


@dataclass(frozen=True)
class Subject:
    """One assignment under proof, and what it takes to grade answers to it.

    `graders` are those that are ready, by seed and what they grade.
    """

    course: Course
    rubric: Rubric
    warm: Warm
    proof: Proof
    graders: dict[tuple[int, str], Grader] = field(default_factory=dict)

    @property
    def solution(self) -> Path:
        """The file of the instructor's answers."""
        return self.course.folder / "solutions" / f"{self.rubric.name}.py"

    @property
    def honest(self) -> Path:
        """The file of right answers that are written otherwise, which a course may have."""
        return self.course.folder / "tests" / "honest" / f"{self.rubric.name}.py"

    def hand_in(self, source: str, read: Callable[[Path], str]) -> Submission:
        """Return a submission of this assignment's file, with those of other assignments that it imports.

        `read` gives the text of another one's solution, or what stands for it.
        """
        others = {f"{name}.py": self.solution.with_name(f"{name}.py") for name in self.course.names}
        files = {self.solution.name: source}
        pending = [source]
        while pending:
            for name in find_imports(pending.pop()):
                file = f"{name}.py"
                if file in others and file not in files and others[file].is_file():
                    files[file] = read(others[file])
                    pending.append(files[file])
        return Submission(self.solution.name, {file: text.encode() for file, text in files.items()}, {})

    def grade(self, seed: int, submission: Submission, only: str = "") -> Sequence[ExerciseFeedback]:
        """Grade a submission on the whole assignment, or on one function."""
        return self._grader(seed, only).grade(submission, self.warm).selected[0].exercises

    def cases(self, exercise: Exercise, seed: int) -> tuple[Case, ...]:
        """Return the cases of an exercise in the rubric's order, those that answers are graded on."""
        made = {case.name: case for case in self._grader(seed).cases(exercise.function)}
        return tuple(made[spec.name] for spec in exercise.cases)

    def _grader(self, seed: int, only: str = "") -> Grader:
        key = (seed, only or self.rubric.name)
        if key not in self.graders:
            self.graders[key] = Grader(self.course, seed, only=[key[1]])
        return self.graders[key]
