"""Does an assignment hold together? Each proof yields one line for whatever fails."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

from grader.authoring.files import check_files, check_maths, check_secrecy, check_template
from grader.authoring.margins import Margin, idle_cases, indistinct, measure_margins, passing
from grader.authoring.notebook import NAME, check_notebook
from grader.authoring.template import make_template
from grader.authoring.trials import Tried, is_zero_in_truth, try_wrong_gradients
from grader.bank import load_bank
from grader.cases import Case, Reference
from grader.compare import Verdict, compare
from grader.errors import CourseError, UsageError
from grader.feedback import ExerciseFeedback
from grader.grading import Grader
from grader.rubric import DEFAULT_TOLERANCE, Course, Exercise, Gradient, Rubric
from grader.sandbox.answer import Outcome
from grader.sandbox.warm import Warm
from grader.submission import Submission, read_submission

SEEDS = range(10)


@dataclass
class Proof:
    """What was found out about one assignment: findings to mend, notices to think about, margins to read."""

    name: str
    findings: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    margins: list[Margin] = field(default_factory=list)
    mistakes: int = 0


@dataclass(frozen=True)
class _Subject:
    """One assignment under proof."""

    course: Course
    rubric: Rubric
    warm: Warm
    proof: Proof

    @property
    def solution(self) -> Path:
        return self.course.folder / "solutions" / f"{self.rubric.name}.py"


def check_course(
    course: Course, names: Sequence[str], warm: Warm, say: Callable[[Proof], None] = lambda _: None
) -> list[Proof]:
    """Return what was found out about all assignments, or those named; `say` is told of each as it is done.

    Raises UsageError for a name that is no assignment, or a course without solutions, and CourseError for
    rubrics that ask for what their forward does not have.
    """
    known = [rubric.name for rubric in course.rubrics]
    for name in names:
        if name not in known:
            raise UsageError(f"{name} is no assignment of the course; there are {', '.join(known)}")
    if not (course.folder / "solutions").is_dir():
        text = f"{course.folder} has no solutions/, which the proof needs; run it in the course's own checkout"
        raise UsageError(text)
    _check_rubrics(course, names)
    proofs = []
    for rubric in course.rubrics:
        if not names or rubric.name in names:
            proofs.append(_check_assignment(_Subject(course, rubric, warm, Proof(rubric.name))))
            say(proofs[-1])
    if not names:
        proofs.append(Proof(NAME, list(check_notebook(course))))
        say(proofs[-1])
    return proofs


def plain_gradients(forward: Callable[[SimpleNamespace], object], case: Case) -> dict[str, Tensor]:
    """Run a forward on a plain namespace and return autograd's gradient of every value, without any trace."""
    values = SimpleNamespace()
    for name, value in case.forward.values.items():
        if name not in [step.name for step in case.forward.steps]:
            own = value.clone() if isinstance(value, Tensor) else value
            if isinstance(own, Tensor) and name in case.forward.leaves:
                own.requires_grad_()
            setattr(values, name, own)
    forward(values)
    tensors = {name: getattr(values, name) for name in case.forward.leaves}
    scalar = (getattr(values, case.forward.output) * case.dout).sum()
    return dict(zip(tensors, torch.autograd.grad(scalar, list(tensors.values())), strict=True))


def _check_rubrics(course: Course, names: Sequence[str]) -> None:
    try:
        Grader(course, only=names)
    except CourseError as error:
        # What is wrong with a reference is a finding of its assignment; the others are still proved.
        paths = tuple(f"{rubric.path}:" for rubric in course.rubrics)
        problems = [problem for problem in error.problems if problem.startswith(paths)]
        if problems:
            raise CourseError(problems) from error


def _check_assignment(subject: _Subject) -> Proof:
    proof = subject.proof
    proofs: list[Callable[[], Iterator[str]]] = [
        lambda: check_files(subject.rubric),
        lambda: check_maths(subject.rubric),
        lambda: check_template(subject.course, subject.solution),
        lambda: check_secrecy(subject.course, subject.solution),
        lambda: _forwards(subject),
        lambda: _stub(subject),
        lambda: _answers(subject),
        lambda: _honest(subject),
    ]
    for each in proofs:
        try:
            proof.findings.extend(each())
        except CourseError as error:
            proof.findings.extend(error.problems)
    proof.findings[:] = dict.fromkeys(proof.findings)
    return proof


def _forwards(subject: _Subject) -> Iterator[str]:
    reference = Reference(subject.rubric)
    for exercise in subject.rubric.exercises:
        cases = reference.make_cases(exercise, seed=0)
        for case in cases:
            for name, plain in plain_gradients(reference.forward(exercise), case).items():
                # Not bit for bit: what a forward computes before it needs it is added up in another order.
                if compare(plain, case.expected[name], DEFAULT_TOLERANCE).verdict is not Verdict.CORRECT:
                    error = float((plain - case.expected[name]).abs().max())
                    yield (
                        f"{exercise.place}: case {case.name}: the trace's d{name} differs from plain autograd's "
                        f"by {error:.1e}; is a value of {exercise.forward} computed past its name?"
                    )
        for gradient in exercise.gradients:
            if gradient.points > 0 and is_zero_in_truth(gradient, cases):
                yield f"{gradient.place}: {gradient.name} is zero in truth, so zeros would earn its points; give it 0"


def _stub(subject: _Subject) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / subject.solution.name
        path.write_text(make_template(subject.solution), encoding="utf-8")
        for exercise in _grade(subject, 0, read_submission(path)):
            if exercise.score != 0 or exercise.outcome is not Outcome.NOT_WRITTEN:
                text = f"the template's {exercise.function} scores {exercise.score} and is {exercise.outcome}"
                yield f"{subject.solution}: {text}; it must score 0 and be not_written"


def _answers(subject: _Subject) -> Iterator[str]:
    """Prove that on every seed right answers pass and wrong ones do not, and take the margins between them."""
    path = subject.rubric.folder / "mistakes.py"
    bank = load_bank(subject.rubric)
    subject.proof.mistakes = len(bank)
    reference = Reference(subject.rubric)
    worst = yield from _solution(subject)
    for exercise in subject.rubric.exercises:
        if not any(mistake.function == exercise.function for mistake in bank):
            yield f"{path}: {exercise.function} has no mistake; what do people get wrong in it?"
        tried: list[list[Tried]] = []
        for seed in SEEDS:
            cases = reference.make_cases(exercise, seed)
            # Once is enough for numerical derivatives: they cost as much as all the rest.
            forward = reference.forward(exercise) if seed == SEEDS[0] else None
            tried.append(try_wrong_gradients(exercise, cases, bank, forward))
        yield from _passing(exercise, tried, path)
        subject.proof.margins.extend(measure_margins(exercise, tried, worst.get(exercise.function, {})))
        subject.proof.notices.extend(_notices(exercise, tried))


def _passing(exercise: Exercise, tried: Sequence[Sequence[Tried]], path: Path) -> Iterator[str]:
    """Yield a line for every wrong gradient that passes on some seed."""
    seeds: dict[tuple[Gradient, str], list[int]] = {}
    for seed, each in zip(SEEDS, tried, strict=True):
        for gradient, one in passing(exercise, each):
            name = f"{exercise.function}__{one.gradient}__{one.name} ({path})" if one.is_mistake else one.name
            seeds.setdefault((gradient, name), []).append(seed)
    for (gradient, name), passed in seeds.items():
        tolerance = f"rtol {gradient.tolerance.rtol:g}, atol {gradient.tolerance.atol:g}"
        yield (
            f"{gradient.place}: {name} passes for {gradient.name} on every case of seed "
            f"{', '.join(map(str, passed))}; tighten the tolerance ({tolerance}) or mend the cases"
        )


def _notices(exercise: Exercise, tried: Sequence[Sequence[Tried]]) -> Iterator[str]:
    for gradient, first, second in indistinct(tried[0]):
        yield f"{exercise.function}: no case tells the mistakes {first} and {second} of {gradient} apart"
    idle = set.intersection(*(set(idle_cases(exercise, seed)) for seed in tried))
    if idle:
        names = ", ".join(case.name for case in exercise.cases if case.name in idle)
        yield f"{exercise.function}: cases without which every wrong gradient is still rejected: {names}"


def _solution(subject: _Subject) -> Generator[str, None, dict[str, dict[str, float]]]:
    """Yield what is wrong with the solution on any seed; return the worst excess of each function's gradients."""
    worst: dict[str, dict[str, float]] = {}
    if not subject.solution.is_file():
        return worst  # said where the template is made from it
    submission = read_submission(subject.solution)
    for seed in SEEDS:
        for exercise in _grade(subject, seed, submission):
            said = _shortcoming(exercise)
            if said:
                line = f":{exercise.line}" if exercise.line else ""
                yield f"{subject.solution}{line}: {exercise.function} is not right with seed {seed}: {said}"
            found = worst.setdefault(exercise.function, {})
            for gradient in exercise.gradients:
                excess = gradient.comparison.excess if gradient.comparison else None
                found[gradient.name] = max(found.get(gradient.name, 0.0), excess or 0.0)
    return worst


def _honest(subject: _Subject) -> Iterator[str]:
    """Yield the right answers, written otherwise in tests/honest/, that a tolerance is too tight for."""
    path = subject.course.folder / "tests" / "honest" / subject.solution.name
    if not path.is_file():
        return
    source = path.read_text(encoding="utf-8")
    functions = [exercise.function for exercise in subject.rubric.exercises]
    names = {line.split("(")[0].removeprefix("def ") for line in source.splitlines() if line.startswith("def ")}
    for variant in sorted(names):
        function = variant.partition("__")[0]
        if function in functions and "__" in variant:
            content = f"{source}\n\n{function} = {variant}\n".encode()
            submission = Submission(path.name, {path.name: content}, {})
            for exercise in _grade(subject, 0, submission, only=function):
                said = _shortcoming(exercise)
                if said:
                    yield f"{path}: {variant} is right and does not pass: {said}; is a tolerance too tight?"


def _shortcoming(exercise: ExerciseFeedback) -> str:
    """Say why an exercise is not all right, or nothing if it is."""
    said = "" if exercise.outcome is Outcome.RETURNED else f"{exercise.outcome} {exercise.message}"
    wrong = [f"{each.name} {each.verdict}" for each in exercise.gradients if each.verdict is not Verdict.CORRECT]
    wrong += [f"not held: {each.name}" for each in exercise.invariants if each.held is False]
    return ", ".join(part for part in (said.strip(), *wrong) if part)


def _grade(subject: _Subject, seed: int, submission: Submission, only: str = "") -> Sequence[ExerciseFeedback]:
    grader = Grader(subject.course, seed, only=[only or subject.rubric.name])
    return grader.grade(submission, subject.warm).selected[0].exercises
