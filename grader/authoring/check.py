"""Does an assignment hold together? Each proof yields one line for whatever fails."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

from grader.authoring.notebook import make_notebook, notebook_path
from grader.authoring.template import find_blocks, make_template
from grader.bank import Mistake, load_bank
from grader.cases import Case, Reference
from grader.compare import Verdict, compare
from grader.errors import CourseError, UsageError
from grader.feedback import ExerciseFeedback
from grader.grading import Grader
from grader.report.maths import MathsError, to_mathml
from grader.rubric import Course, Exercise, Rubric
from grader.sandbox.answer import Outcome
from grader.sandbox.warm import Warm
from grader.submission import read_submission

SEEDS = range(10)
OWN_FILES = ("README.md", "rubric.yaml", "reference.py", "mistakes.py")
# A shorter line says nothing: `n = 5` may stand anywhere.
TELLING_LENGTH = 14


@dataclass(frozen=True)
class _Subject:
    """One assignment under proof."""

    course: Course
    rubric: Rubric
    warm: Warm

    @property
    def solution(self) -> Path:
        return self.course.folder / "solutions" / f"{self.rubric.name}.py"


def check_course(course: Course, names: Sequence[str], warm: Warm, say: Callable[[str], None]) -> list[str]:
    """Return a line for everything that does not hold, over all assignments or those named; `say` reports progress.

    Raises UsageError for a name that is no assignment, or a course without solutions.
    """
    known = [rubric.name for rubric in course.rubrics]
    for name in names:
        if name not in known:
            raise UsageError(f"{name} is no assignment of the course; there are {', '.join(known)}")
    if not (course.folder / "solutions").is_dir():
        text = f"{course.folder} has no solutions/, which the proof needs; run it in the course's own checkout"
        raise UsageError(text)
    findings: list[str] = []
    for rubric in course.rubrics:
        if not names or rubric.name in names:
            found = _check_assignment(_Subject(course, rubric, warm))
            say(f"{'✗' if found else '✓'} {rubric.name}")
            findings.extend(found)
    if not names:
        findings.extend(_notebook(course))
    return findings


def _notebook(course: Course) -> Iterator[str]:
    path = notebook_path(course)
    files = [course.folder / "student_template" / f"{rubric.name}.py" for rubric in course.rubrics]
    if not all(file.is_file() for file in files):
        return  # said already, and `grade template` mends both
    wanted = make_notebook(course, {file.name: file.read_text(encoding="utf-8") for file in files})
    if not path.is_file() or path.read_text(encoding="utf-8") != wanted:
        yield f"{path}: not what the templates and texts give; run `grade template`"


def _check_assignment(subject: _Subject) -> list[str]:
    findings: list[str] = []
    for proof in (_files, _maths, _template, _secrecy, _forwards, _mistakes, _solution, _stub):
        try:
            findings.extend(proof(subject))
        except CourseError as error:
            findings.extend(error.problems)
    return list(dict.fromkeys(findings))


def _files(subject: _Subject) -> Iterator[str]:
    folder = subject.rubric.folder
    for name in OWN_FILES:
        if not (folder / name).is_file():
            yield f"{folder / name}: the file is missing"
    reference = (folder / "reference.py").read_text(encoding="utf-8") if (folder / "reference.py").is_file() else ""
    for path in sorted(folder.iterdir()):
        # A file of data is one that the reference names.
        if path.name not in OWN_FILES and path.name != "__pycache__" and path.name not in reference:
            yield f"{path}: a stray file; an assignment has {', '.join(OWN_FILES)} and what reference.py reads"


def _maths(subject: _Subject) -> Iterator[str]:
    for exercise in subject.rubric.exercises:
        for line in exercise.maths:
            try:
                to_mathml(line)
            except MathsError as error:
                yield f"{exercise.place}: maths of {exercise.function}: {error}"


def _template(subject: _Subject) -> Iterator[str]:
    path = subject.course.folder / "student_template" / subject.solution.name
    wanted = make_template(subject.solution)
    if not path.is_file() or path.read_text(encoding="utf-8") != wanted:
        yield f"{path}: not what the solution gives; run `grade template`"


def _secrecy(subject: _Subject) -> Iterator[str]:
    secret = {
        line.split("#")[0].strip()
        for block in find_blocks(subject.solution)
        for line in block.lines
        if len(line.split("#")[0].strip()) >= TELLING_LENGTH
    }
    assignments = subject.course.folder / "assignments"
    shipped = sorted(path for path in assignments.rglob("*") if path.suffix in (".py", ".md", ".yaml"))
    for path in [*shipped, *sorted((subject.course.folder / "student_template").glob("*.py"))]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.split("#")[0].strip() in secret:
                yield f"{path}:{number}: a line of the solution of {subject.rubric.name}: {line.strip()}"


def _forwards(subject: _Subject) -> Iterator[str]:
    reference = Reference(subject.rubric)
    for exercise in subject.rubric.exercises:
        for case in reference.make_cases(exercise, seed=0):
            function = getattr(reference.module, exercise.forward)
            for name, plain in plain_gradients(function, case).items():
                if not torch.equal(plain, case.expected[name]):
                    error = float((plain - case.expected[name]).abs().max())
                    yield (
                        f"{exercise.place}: case {case.name}: the trace's d{name} differs from plain autograd's "
                        f"by {error:.1e}; is a value of {exercise.forward} computed past its name?"
                    )
        for gradient in exercise.gradients:
            zero = all(
                float(case.expected[gradient.value].norm()) <= 1e-12 * float(case.dout.norm())
                for case in reference.make_cases(exercise, seed=0)
            )
            if zero and gradient.points > 0:
                yield f"{gradient.place}: {gradient.name} is zero in truth, so zeros would earn its points; give it 0"


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


def _mistakes(subject: _Subject) -> Iterator[str]:
    path = subject.rubric.folder / "mistakes.py"
    bank = load_bank(subject.rubric)
    reference = Reference(subject.rubric)
    for exercise in subject.rubric.exercises:
        own = [mistake for mistake in bank if mistake.function == exercise.function]
        if not own:
            yield f"{path}: {exercise.function} has no mistake; what do people get wrong in it?"
        for seed in SEEDS:
            cases = reference.make_cases(exercise, seed)
            for mistake in own:
                if not any(_is_rejected(mistake, exercise, case) for case in cases):
                    name = f"{mistake.function}__{mistake.gradient}__{mistake.name}"
                    line = mistake.formula.__code__.co_firstlineno
                    yield f"{path}:{line}: {name} passes every case of seed {seed}; mend the cases or the mistake"


def _is_rejected(mistake: Mistake, exercise: Exercise, case: Case) -> bool:
    gradient = next(each for each in exercise.gradients if each.name == mistake.gradient)
    actual = mistake.evaluate(case, {})
    if not isinstance(actual, Tensor):
        return True
    return compare(case.expected[gradient.value], actual, gradient.tolerance).verdict is not Verdict.CORRECT


def _solution(subject: _Subject) -> Iterator[str]:
    for seed in SEEDS:
        for exercise in _grade(subject, seed, subject.solution):
            if exercise.score != exercise.max_score or exercise.outcome is not Outcome.RETURNED:
                wrong = ", ".join(
                    f"{gradient.name} {gradient.verdict}"
                    for gradient in exercise.gradients
                    if gradient.verdict is not Verdict.CORRECT
                )
                said = f"{exercise.outcome} {exercise.message}".strip()
                yield f"{subject.solution}: {exercise.function} is not right with seed {seed}: {said} {wrong}".rstrip()


def _stub(subject: _Subject) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / subject.solution.name
        path.write_text(make_template(subject.solution), encoding="utf-8")
        for exercise in _grade(subject, 0, path):
            if exercise.score != 0 or exercise.outcome is not Outcome.NOT_WRITTEN:
                text = f"the template's {exercise.function} scores {exercise.score} and is {exercise.outcome}"
                yield f"{subject.solution}: {text}; it must score 0 and be not_written"


def _grade(subject: _Subject, seed: int, path: Path) -> Sequence[ExerciseFeedback]:
    grader = Grader(subject.course, seed, only=[subject.rubric.name])
    report = grader.grade(read_submission(path), subject.warm)
    return report.selected[0].exercises
