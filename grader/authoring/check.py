"""Does an assignment hold together? Each proof yields one line for whatever fails."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

from grader.authoring.answers import check_answers, place_of_function
from grader.authoring.files import check_files, check_maths, check_secrecy, check_template
from grader.authoring.notebook import NAME, check_notebook
from grader.authoring.proof import Proof, Subject
from grader.authoring.template import make_template
from grader.authoring.trials import is_zero_in_truth
from grader.compare import Verdict, compare
from grader.course import DEFAULT_TOLERANCE, Course
from grader.course.cases import Case, Reference
from grader.errors import CourseError, UsageError
from grader.grading import Grader
from grader.sandbox.answer import Outcome
from grader.sandbox.warm import Warm
from grader.submission import read_submission


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
            proofs.append(_check_assignment(Subject(course, rubric, warm, Proof(rubric.name, mistakes=0))))
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


def _check_assignment(subject: Subject) -> Proof:
    proof = subject.proof
    proofs: list[Callable[[], Iterator[str]]] = [
        lambda: check_files(subject.rubric),
        lambda: check_maths(subject.rubric),
        lambda: check_template(subject.course, subject.solution),
        lambda: check_secrecy(subject.course, subject.solution),
        lambda: _forwards(subject),
        lambda: _stub(subject),
        lambda: check_answers(subject),
    ]
    for each in proofs:
        try:
            proof.findings.extend(each())
        except CourseError as error:
            proof.findings.extend(error.problems)
    proof.findings[:] = dict.fromkeys(proof.findings)
    return proof


def _forwards(subject: Subject) -> Iterator[str]:
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


def _stub(subject: Subject) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / subject.solution.name
        path.write_text(make_template(subject.solution), encoding="utf-8")
        for exercise in subject.grade(0, read_submission(path)):
            if exercise.outcome is Outcome.MISSING:
                continue  # said of the solution
            if exercise.score != 0 or exercise.outcome is not Outcome.NOT_WRITTEN:
                text = f"the template's {exercise.function} scores {exercise.score:g} and is {exercise.outcome}"
                yield f"{place_of_function(subject, exercise.function)}: {text}; it must score 0 and be not_written"
