"""Does an assignment hold together? Each proof yields one line for whatever fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace

import torch
from torch import Tensor

from grader.authoring.answers import check_answers, place_of_function
from grader.authoring.completeness import check_completeness
from grader.authoring.folder import check_files, check_imports, check_maths, check_template
from grader.authoring.margins import Margin, Nearest, Proof, Subject, powers
from grader.authoring.secrecy import check_secrecy
from grader.authoring.template import NAME, check_notebook, make_template, template_name
from grader.authoring.trials import is_zero_in_truth
from grader.course import DEFAULT_TOLERANCE, Course, Style
from grader.course.cases import Case, Reference
from grader.errors import CourseError, UsageError
from grader.grading import Grader
from grader.sandbox.answer import Outcome
from grader.sandbox.warm import Warm
from grader.submission import Submission
from grader.verdict.compare import Verdict, compare


def check_course(
    course: Course,
    names: Sequence[str],
    warm: Warm,
    say: Callable[[Proof], None] = lambda _: None,
    *,
    is_strict: bool = False,
) -> list[Proof]:
    """Return what was found out about all assignments, or those named; `say` is told of each as it is done.

    A strict check also finds what an author has not written yet.

    Raises UsageError for a name that is no assignment, or a course without solutions, and CourseError for
    rubrics that ask for what their forward does not have.
    """
    for name in names:
        if name not in course.names:
            raise UsageError(f"{name} is no assignment of the course; there are {', '.join(course.names)}")
    if not (course.folder / "solutions").is_dir():
        text = f"{course.folder} has no solutions/, which the proof needs; run it in the course's own checkout"
        raise UsageError(text)
    _check_rubrics(course, names)
    proofs = []
    for rubric in course.rubrics:
        if not names or rubric.name in names:
            subject = Subject(course, rubric, warm, Proof(rubric.name, mistakes=0))
            proofs.append(_check_assignment(subject, is_strict=is_strict))
            say(proofs[-1])
    if not names:
        proofs.append(Proof(NAME, list(check_notebook(course))))
        say(proofs[-1])
    return proofs


def plain_gradients(forward: Callable[[SimpleNamespace], object], case: Case) -> dict[str, Tensor]:
    """Run a forward on a plain namespace and return autograd's gradient of every value, without any trace."""
    values = SimpleNamespace()
    for name, value in case.forward.inputs.items():
        own = value.clone() if isinstance(value, Tensor) else value
        if isinstance(own, Tensor) and name in case.forward.leaves:
            own.requires_grad_()
        setattr(values, name, own)
    forward(values)
    tensors = {name: getattr(values, name) for name in case.forward.leaves}
    found = torch.autograd.grad(case.objective(vars(values)), list(tensors.values()))
    return dict(zip(tensors, found, strict=True))


def _check_rubrics(course: Course, names: Sequence[str]) -> None:
    try:
        Grader(course, only=names or course.names)
    except CourseError as error:
        # What is wrong with a reference is a finding of its assignment; the others are still proved.
        paths = tuple(f"{rubric.path}:" for rubric in course.rubrics)
        problems = [problem for problem in error.problems if problem.startswith(paths)]
        if problems:
            raise CourseError(problems) from error


def _check_assignment(subject: Subject, *, is_strict: bool) -> Proof:
    proof = subject.proof
    proofs: list[Callable[[], Iterator[str]]] = [
        lambda: check_files(subject.rubric),
        lambda: check_imports(subject.course, subject.rubric),
        lambda: check_maths(subject.rubric),
        lambda: check_template(subject.course, subject.solution),
        lambda: check_secrecy(subject.course, subject.rubric),
        lambda: _forwards(subject),
        lambda: _stub(subject),
        lambda: check_answers(subject),
    ]
    if is_strict:
        proofs.append(lambda: check_completeness(subject.rubric))
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
        cases = subject.cases(exercise, 0)
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
    if subject.rubric.style is Style.STATEMENTS:
        name = template_name(subject.solution)
        submission = Submission(name, {name: make_template(subject.solution).encode()}, {}, single=True)
    else:
        submission = subject.hand_in(make_template(subject.solution), make_template)
    for exercise in subject.grade(0, submission):
        if exercise.outcome is Outcome.MISSING:
            continue  # said of the solution
        if exercise.score != 0 or exercise.outcome is not Outcome.NOT_WRITTEN:
            text = f"the template's {exercise.function} scores {exercise.score:g} and is {exercise.outcome}"
            yield f"{place_of_function(subject, exercise.function)}: {text}; it must score 0 and be not_written"


HEAD = ("gradient", "points", "right", "trial", "", "mistake", "")
_LEFT = (0, 4, 6)


def margins_table(proof: Proof) -> Iterator[str]:
    """Yield a head, a line for each function, and below it one for each gradient with its margins.

    `right` is how far right answers lie within the tolerance, `trial` and `mistake` how far wrong ones lie
    beyond it, as powers of ten of the tolerance.
    """
    rows = [(margin.function, _cells(margin)) for margin in proof.margins]
    if not rows:
        return
    widths = [max(len(cells[column]) for cells in (HEAD, *(cells for _, cells in rows))) for column in range(len(HEAD))]
    yield _line(HEAD, widths)
    function = ""
    for name, cells in rows:
        if name != function:
            function = name
            yield f"  {function}"
        yield _line(cells, widths)


def summary(proofs: Sequence[Proof]) -> Iterator[str]:
    """Yield what is nearest to a tolerance on either side over all assignments, and the number of mistakes."""
    margins = [(proof.name, margin) for proof in proofs for margin in proof.margins]
    mistakes = sum(proof.mistakes or 0 for proof in proofs)
    count = len({name for name, _ in margins})
    assignments = f"{count} assignment{'' if count == 1 else 's'}"
    yield f"{mistakes} mistakes and {len(margins)} gradients in {assignments}, each on ten seeds."
    right = [(margin.right, name, margin) for name, margin in margins if margin.right]
    if right:
        yield _nearest("right answer", *max(right, key=lambda one: one[0].excess))
    wrong = [(margin.wrong, name, margin) for name, margin in margins if margin.wrong]
    if wrong:
        yield _nearest("wrong answer", *min(wrong, key=lambda one: one[0].excess))
    of_bank = [(margin.mistake, name, margin) for name, margin in margins if margin.mistake]
    if of_bank:
        yield _nearest("mistake", *min(of_bank, key=lambda one: one[0].excess))


def _nearest(kind: str, nearest: Nearest, assignment: str, margin: Margin) -> str:
    place = f"{margin.gradient} of {margin.function} in {assignment}"
    far = powers(nearest.excess) if kind == "right answer" else _beyond(nearest)
    return f"nearest {kind:12}  {far if far.isalpha() else f'{far} of the tolerance'}: {nearest.name}, for {place}"


def _cells(margin: Margin) -> tuple[str, ...]:
    right, trial, mistake = margin.right, margin.trial, margin.mistake
    return (
        margin.gradient,
        f"{margin.points:g}",
        powers(right.excess if right else None),
        _beyond(trial),
        trial.name if trial else "",
        _beyond(mistake),
        mistake.name if mistake else "",
    )


def _beyond(wrong: Nearest | None) -> str:
    return "passes" if wrong and wrong.excess == 0.0 else powers(wrong.excess if wrong else None)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if column in _LEFT else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return ("    " + "  ".join(padded)).rstrip()
