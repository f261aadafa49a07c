"""A course folder to frozen data, with everything that is wrong in it said at once."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from grader.course.model import (
    CaseSpec,
    Course,
    Exercise,
    Gradient,
    Invariant,
    InvariantKind,
    Limits,
    Loan,
    Place,
    Rubric,
    Timing,
    Tolerance,
)
from grader.course.schema import CaseEntry, CourseEntry, ExerciseEntry, RubricEntry, ToleranceEntry, validate
from grader.course.yaml import Document, read_document
from grader.errors import CourseError

DEFAULT_TOLERANCE = Tolerance(rtol=1.0e-11, atol=1.0e-13)


def default_course() -> Path:
    """Return the folder of the course that is installed with the package, or of the checkout it runs from."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "installed_course"
    return installed if installed.is_dir() else package.parent


def load_course(folder: Path) -> Course:
    """Read course.yaml and every rubric.yaml of the course in `folder`.

    Raises CourseError with one line, `path:line:column: what is wrong`, for every problem in every file.
    """
    path = folder / "assignments" / "course.yaml"
    if not _is_there(path):
        raise CourseError(
            [f"{folder} is not a course: {path} is not there; --course takes the folder above assignments/"]
        )
    document = read_document(path)
    entry = validate(document, CourseEntry) if document.data is not None else None
    if entry is None or document.problems:
        raise CourseError(document.problems)
    problems: list[str] = []
    rubrics: list[Rubric] = []
    for index, name in enumerate(entry.assignments):
        place = document.place(("assignments", index))
        if name in entry.assignments[:index]:
            problems.append(f"{place}: the assignment {name!r} is listed twice; remove one")
        elif not (path.parent / name / "rubric.yaml").is_file():
            problems.append(f"{place}: {path.parent / name / 'rubric.yaml'} is not there")
        else:
            try:
                rubrics.append(load_rubric(path.parent / name))
            except CourseError as error:
                problems.extend(error.problems)
    owners: dict[str, Rubric] = {}
    for rubric in rubrics:
        for exercise in rubric.exercises:
            owner = owners.setdefault(exercise.function, rubric)
            if owner is not rubric:
                problems.append(f"{exercise.place}: {exercise.function} is an exercise of {owner.name} already")
            problems.extend(_find_stranger(exercise.reference, exercise.place, entry))
            for loan in exercise.loans:
                problems.extend(_find_stranger(loan.path, loan.place, entry))
    if problems:
        raise CourseError(problems)
    return Course(entry.title, tuple(rubrics), Limits(**entry.limits.model_dump()), folder)


def _find_stranger(path: Path, place: Place, course: CourseEntry) -> list[str]:
    """Return a line if a file belongs to no assignment of the course: then students would not get it."""
    name, known = path.parent.name, course.assignments
    return [] if name in known else [f"{place}: {name!r} is no assignment of the course; there are {', '.join(known)}"]


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that may not be searched
        return False


def load_rubric(folder: Path) -> Rubric:
    """Read the rubric.yaml of one assignment folder.

    Raises CourseError with one line, `path:line:column: what is wrong`, for every problem in it.
    """
    document = read_document(folder / "rubric.yaml")
    entry = validate(document, RubricEntry) if document.data is not None else None
    if entry is None or document.problems:
        raise CourseError(document.problems)
    exercises = tuple(_exercise(function, entry, document) for function in entry.exercises)
    if document.problems:
        raise CourseError(document.problems)
    return Rubric(folder.name, entry.title, exercises, folder)


def _exercise(function: str, rubric: RubricEntry, document: Document) -> Exercise:
    entry = rubric.exercises[function]
    route = ("exercises", function)
    nearest = entry.tolerance or rubric.tolerance
    gradients = tuple(
        Gradient(
            name=name,
            points=gradient.points,
            tolerance=_tolerance(gradient.tolerance or nearest),
            hints=tuple(gradient.hints),
            place=document.place((*route, "gradients", name), key=True),
        )
        for name, gradient in entry.gradients.items()
    )
    return Exercise(
        function=function,
        forward=entry.forward.split(".")[-1],
        reference=_beside(document, entry.forward) / "reference.py",
        given=tuple(entry.given),
        gradients=gradients,
        cases=_cases(function, entry, document),
        detached=tuple(entry.detached),
        follow_through=rubric.follow_through if entry.follow_through is None else entry.follow_through,
        place=document.place(route, key=True),
        invariants=_invariants(function, entry, document),
        timing=_timing(function, entry, document),
        maths=tuple(entry.maths),
        loans=_loans(function, entry, document),
    )


def _loans(function: str, entry: ExerciseEntry, document: Document) -> tuple[Loan, ...]:
    """Return whose mistakes hold for an exercise as well, and for which of its gradients."""
    found: list[Loan] = []
    for name, gradients in entry.mistakes_of.items():
        place = document.place(("exercises", function, "mistakes_of", name), key=True)
        for gradient in gradients:
            if gradient not in entry.gradients:
                document.complain(place, f"`mistakes_of` names {gradient!r}, which {function} does not return")
        found.append(Loan(_beside(document, name) / "mistakes.py", name.split(".")[-1], tuple(gradients), place))
    return tuple(found)


def _beside(document: Document, name: str) -> Path:
    """Return the folder of the assignment that has a function: another one's if the name has a dot."""
    folder, (assignment, dot, _) = document.path.parent, name.partition(".")
    return folder.parent / assignment if dot else folder


def _invariants(function: str, entry: ExerciseEntry, document: Document) -> tuple[Invariant, ...]:
    """Return an exercise's invariants, each with the gradients it looks at: those named, or all."""
    found: list[Invariant] = []
    for index, each in enumerate(entry.invariants):
        place = document.place(("exercises", function, "invariants", index))
        for name in each.of:
            if name not in entry.gradients:
                document.complain(place, f"`of` names {name!r}, which {function} does not return")
        kind = InvariantKind(each.kind)
        if kind is InvariantKind.SUMS_TO_ZERO and (each.dim is None or not each.of):
            document.complain(place, "sums_to_zero needs `of`, the gradients, and `dim`, the axis to sum over")
        if kind is InvariantKind.LINEAR and "dout" not in entry.given:
            document.complain(place, f"linear is about dout, which {function} is not given")
        of = tuple(each.of or entry.gradients)
        found.append(Invariant(each.name, kind, of, each.dim, each.step, each.points, place))
    return tuple(found)


def _timing(function: str, entry: ExerciseEntry, document: Document) -> Timing | None:
    if entry.timing is None:
        return None
    place = document.place(("exercises", function, "timing"))
    names = [case.name for case in entry.cases]
    if entry.timing.case not in names:
        document.complain(place, f"`case` names {entry.timing.case!r}; the cases are {', '.join(names)}")
    return Timing(entry.timing.case, entry.timing.ratio, entry.timing.points, place)


def _tolerance(entry: ToleranceEntry | None) -> Tolerance:
    return Tolerance(entry.rtol, entry.atol) if entry else DEFAULT_TOLERANCE


def _cases(function: str, entry: ExerciseEntry, document: Document) -> tuple[CaseSpec, ...]:
    names: list[str] = []
    for index, case in enumerate(entry.cases):
        if case.name in names:
            place = document.place(("exercises", function, "cases", index, "name"))
            document.complain(place, f"the case {case.name!r} is named twice; give it a name of its own")
        names.append(case.name)
    return tuple(
        CaseSpec(case.name, MappingProxyType(_sizes(case)), document.place(("exercises", function, "cases", index)))
        for index, case in enumerate(entry.cases)
    )


def _sizes(case: CaseEntry) -> dict[str, object]:
    return dict(case.model_extra or {})
