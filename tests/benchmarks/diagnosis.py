"""How much of the bank the diagnosis names when the bank itself is left out.

Run it as `python tests/benchmarks/diagnosis.py`; it measures the grader and not a course. With `unseen` it takes wrong
lines that were written without a look at the banks (see `unseen/`), also of forwards that the course does not have, and
prints what is said of each: whether that is true is for a reader to judge.
"""

# ruff: noqa: T201 # a benchmark prints its table

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from grader.course import Course, Exercise, Rubric, default_course, load_course
from grader.course.cases import Case, Reference
from grader.course.mistakes import Mistake, load_bank
from grader.diagnose import Diagnosis, diagnose
from grader.verdict.compare import Comparison, Verdict, compare
from grader.verdict.follow import Trial

SEEDS = range(3)
UNSEEN = Path(__file__).parent / "unseen"


@dataclass(frozen=True)
class Naming:
    """One mistake: what is said of it without the bank and with it. `half` is "A" or "B"."""

    assignment: str
    mistake: str
    half: str
    truth: str
    without_bank: Diagnosis | None
    with_bank: Diagnosis | None


@dataclass(frozen=True)
class DiagnosisReport:
    """All mistakes of the bank that give a wrong gradient of numbers, one entry for each seed.

    `not_numeric` are those whose formula raises in every case, so that no student could return them.
    """

    namings: tuple[Naming, ...]
    not_numeric: tuple[str, ...]

    def share(self, half: str | None = None, *, with_bank: bool = False) -> float:
        """Return the share of mistakes that are named, of one half or of both."""
        chosen = [naming for naming in self.namings if half in (None, naming.half)]
        named = [naming for naming in chosen if (naming.with_bank if with_bank else naming.without_bank)]
        return len(named) / len(chosen) if chosen else 0.0

    @property
    def unnamed(self) -> tuple[Naming, ...]:
        """The mistakes that only the bank names."""
        return tuple(naming for naming in self.namings if naming.without_bank is None)


def unseen_bank(rubric: Rubric) -> tuple[Mistake, ...]:
    """Return the wrong lines that were written for an assignment without a look at its bank."""
    own = tuple(replace(exercise, mistakes_of=()) for exercise in rubric.exercises)
    # Of the forwards that the course does not have, the lines stand beside the forward.
    is_more, folder = UNSEEN in rubric.folder.parents, UNSEEN / rubric.name
    return load_bank(
        replace(rubric, folder=folder if folder.is_dir() and not is_more else rubric.folder, exercises=own)
    )


def measure_diagnosis(
    course: Course, seeds: Sequence[int], bank_of: Callable[[Rubric], tuple[Mistake, ...]] = load_bank
) -> DiagnosisReport:
    """Diagnose every mistake of the course's banks by itself, all other gradients being right."""
    namings: list[Naming] = []
    silent: list[str] = []
    for rubric in course.rubrics:
        bank, reference = bank_of(rubric), Reference(rubric)
        for exercise in rubric.exercises:
            chosen = [mistake for mistake in bank if mistake.function == exercise.function]
            for seed in seeds:
                cases = reference.make_cases(exercise, seed)
                for mistake in chosen:
                    gradient = exercise.gradient(mistake.gradient)
                    trials = make_trials(exercise, cases, mistake)
                    name = mistake_name(mistake)
                    if not any(gradient.name in trial.returned for trial in trials):
                        silent.append(name)
                        continue
                    found = [diagnose(exercise, gradient, trials, given) for given in ((), bank)]
                    namings.append(Naming(rubric.name, name, half_of(name), mistake.sentence, *found))
    return DiagnosisReport(tuple(namings), tuple(dict.fromkeys(silent)))


def make_trials(exercise: Exercise, cases: Sequence[Case], mistake: Mistake) -> list[Trial]:
    """Return the cases as they would go for a student who makes this one mistake and no other."""
    return [_make_trial(exercise, case, {mistake.gradient: mistake.evaluate(case, {})}) for case in cases]


def _make_trial(exercise: Exercise, case: Case, wrong: Mapping[str, Tensor | None]) -> Trial:
    returned = {gradient.name: case.expected[gradient.value] for gradient in exercise.gradients}
    for name, tensor in wrong.items():
        if tensor is None:
            del returned[name]
        else:
            # What a child sends is a copy of its own.
            returned[name] = tensor.clone(memory_format=torch.contiguous_format)
    comparisons = {
        gradient.name: compare(case.expected[gradient.value], returned[gradient.name], gradient.tolerance)
        if gradient.name in returned
        else Comparison(Verdict.NOT_RETURNED, tuple(case.expected[gradient.value].shape))
        for gradient in exercise.gradients
    }
    return Trial(case, returned, comparisons)


def mistake_name(mistake: Mistake) -> str:
    """Return the name that a mistake has in its file."""
    return f"{mistake.function}__{mistake.gradient}__{mistake.name}"


def half_of(name: str) -> str:
    """Return the half of the bank that a mistake belongs to; detectors are made by looking at half A only."""
    return "AB"[hashlib.sha256(name.encode()).digest()[-1] % 2]


def render_diagnosis(report: DiagnosisReport) -> Iterator[str]:
    """Yield the measurement as lines of text."""
    for half in ("A", "B", None):
        count = sum(half in (None, naming.half) for naming in report.namings)
        label = f"half {half}" if half else "together"
        yield (
            f"{label:9} {count:5} mistakes: {report.share(half):6.1%} named without the bank, "
            f"{report.share(half, with_bank=True):6.1%} with it"
        )
    for assignment in dict.fromkeys(naming.assignment for naming in report.namings):
        own = [naming.without_bank is not None for naming in report.namings if naming.assignment == assignment]
        yield f"{assignment}: {sum(own)} of {len(own)}, {sum(own) / len(own):.1%}"
    for name in dict.fromkeys(naming.mistake for naming in report.unnamed):
        yield f"not named without the bank: {name}"
    for name in dict.fromkeys(naming.mistake for naming in report.namings if naming.with_bank is None):
        yield f"not named at all: {name}"
    for name in report.not_numeric:
        yield f"raises in every case: {name}"


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:] != ["unseen"]:
        print(*render_diagnosis(measure_diagnosis(load_course(default_course()), SEEDS)), sep="\n")
    else:
        for course in (load_course(default_course()), load_course(UNSEEN / "more")):
            measured = measure_diagnosis(course, [0], unseen_bank)
            for naming in measured.namings:
                said = naming.without_bank
                print(f"{naming.mistake}: {naming.truth}\n    {said.message if said else '-'}")
            print(*render_diagnosis(measured), sep="\n")
