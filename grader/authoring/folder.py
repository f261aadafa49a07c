"""The files of an assignment: all that are needed, and none besides."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from grader.authoring.template import make_template, template_name
from grader.course import Course, Rubric
from grader.course.source import ASSIGNMENTS, find_imports
from grader.report.maths import MathsError, to_mathml

OWN_FILES = ("README.md", "rubric.yaml", "reference.py", "mistakes.py")


def check_files(rubric: Rubric) -> Iterator[str]:
    """Yield a line for a file that is missing from an assignment's folder, and for one that has no place there."""
    folder = rubric.folder
    for name in OWN_FILES:
        if not (folder / name).is_file():
            yield f"{folder / name}: the file is missing"
    reference = (folder / "reference.py").read_text(encoding="utf-8") if (folder / "reference.py").is_file() else ""
    for path in sorted(folder.iterdir()):
        # A file of data is one that the reference names.
        if path.name not in OWN_FILES and path.name != "__pycache__" and path.name not in reference:
            yield f"{path}: a stray file; an assignment has {', '.join(OWN_FILES)} and what reference.py reads"


def check_imports(course: Course, rubric: Rubric) -> Iterator[str]:
    """Yield a line for every import from an assignment that is not of the course: students would not get it."""
    for path in (rubric.folder / "reference.py", rubric.folder / "mistakes.py"):
        for module in find_imports(path.read_text(encoding="utf-8")) if path.is_file() else ():
            package, _, name = module.partition(".")
            if package == ASSIGNMENTS and name.split(".")[0] not in course.names:
                known = ", ".join(course.names)
                yield f"{path}: imports {module}, and that is no assignment of the course; it has {known}"


def check_maths(rubric: Rubric) -> Iterator[str]:
    """Yield a line for every formula that a report could not show."""
    for exercise in rubric.exercises:
        for line in exercise.maths:
            try:
                to_mathml(line)
            except MathsError as error:
                yield f"{exercise.place}: maths of {exercise.function}: {error}"


def check_template(course: Course, solution: Path) -> Iterator[str]:
    """Yield a line if the template is not what the solution gives."""
    path = course.folder / "student_template" / template_name(solution)
    wanted = make_template(solution).splitlines()
    found = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    if found != wanted:
        pairs = zip_longest(found, wanted)
        line = next(number for number, (one, other) in enumerate(pairs, start=1) if one != other)
        yield f"{path}:{line}: not what the solution gives; run `grade template`"


def files_of_assignments(course: Course) -> list[Path]:
    """Return the files that a course needs to be graded with: those of its assignments, and what they borrow."""
    own = list_files(*(rubric.folder for rubric in course.rubrics))
    exercises = [exercise for rubric in course.rubrics for exercise in rubric.exercises]
    found = {exercise.reference for exercise in exercises}
    found |= {loan.path for exercise in exercises for loan in exercise.mistakes_of}
    pending = [*own, *found.difference(own)]
    while pending:
        new = set(_borrowed_by(pending.pop())).difference(own, found)
        found |= new
        pending += new
    return [*own, *sorted(found.difference(own))]


def _borrowed_by(path: Path) -> Iterator[Path]:
    """Yield the files that one imports from another assignment, and those of data that a reference reads."""
    if path.name not in ("reference.py", "mistakes.py") or not path.is_file():
        return
    text = path.read_text(encoding="utf-8")
    for module in find_imports(text):
        package, _, name = module.partition(".")
        file = path.parents[1].joinpath(*name.split(".")).with_suffix(".py")
        if package == ASSIGNMENTS and file.is_file():
            yield file
    if path.name == "reference.py":
        yield from (file for file in list_files(path.parent) if file.name not in OWN_FILES and file.name in text)


def list_files(*folders: Path) -> list[Path]:
    """Return the files in folders, at any depth and in order."""
    found = (path for folder in folders for path in sorted(folder.rglob("*")))
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]
