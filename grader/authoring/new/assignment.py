"""A new assignment: whatever its reference tells is written down, and what only an author knows is listed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.authoring.new.axes import UNKNOWN, name_shapes
from grader.authoring.new.bank import write_bank
from grader.authoring.new.formulas import tex_of_line
from grader.authoring.new.listing import add_to_listing, write_listing
from grader.authoring.new.passes import Pass, find_passes
from grader.authoring.new.rubric_text import function_name, write_rubric
from grader.authoring.new.texts import title_of, write_solution, write_start, write_text
from grader.authoring.template import NAME, check_notebook, make_notebook, make_template, template_name
from grader.course import Course, Rubric, Style, default_course, load_course, load_rubric
from grader.errors import CourseError, UsageError
from grader.text import one_line


@dataclass
class Made:
    """What was written and what was there already, and what an author does next, in order."""

    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    next_steps: list[str] = field(default_factory=list)

    def write(self, path: Path, make: Callable[[], str]) -> bool:
        """Write a file that is not there yet; return whether it was written."""
        if path.exists():
            self.kept.append(path)
            return False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(make(), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path} could not be written: {error.strerror}; choose another folder") from error
        self.written.append(path)
        return True


def new_assignment(course_folder: Path | None, name: str) -> Made:
    """Make what is missing of an assignment, in a course or in that of this checkout; nothing is overwritten.

    Without a reference.py a small one is written, and nothing else. Raises UsageError for a name that cannot be one or
    a course that is not to be changed, and CourseError with file and line for a reference that does not hold or a
    course that cannot be read.
    """
    folder = course_folder or default_course()
    command = f" --course {shlex.quote(str(course_folder))}" if course_folder else ""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise UsageError(
            f"{one_line(name, 100)} cannot name an assignment: it is also a file in Python; write rms_norm"
        )
    if not course_folder and not (folder / "solutions").is_dir():
        # What is installed is everybody's, and gone with the next version.
        raise UsageError(f"which course is {name} to be in? write: grade new {name} --course DIR")
    made = Made()
    own = folder / "assignments" / name
    listing = own.parent / "course.yaml"
    course = load_course(folder) if listing.is_file() else None
    if not (own / "reference.py").exists():
        made.write(own / "reference.py", lambda: write_start(name, title_of(name)))
        made.next_steps += [
            f"Write the forward pass in {own / 'reference.py'}: what is there is an example.",
            f"Make the rest of it: grade new {name}{command}",
        ]
        return made
    rubric = load_rubric(own) if (own / "rubric.yaml").is_file() else None
    asked = rubric.exercises if rubric else ()
    if any(exercise.style is Style.STATEMENTS for exercise in asked):
        raise CourseError(
            [f"{own / 'rubric.yaml'}:1: its exercises are statements, and what is made here is functions"]
        )
    outputs = {exercise.forward: exercise.outputs for exercise in asked}
    passes = {found.name: found for found in find_passes(own / "reference.py", outputs)}
    _check_names(course, name, own, list(passes.values()))
    title = title_of(name, (own / "reference.py").read_text(encoding="utf-8"))
    made.kept.append(own / "reference.py")
    made.write(own / "rubric.yaml", lambda: write_rubric(title, list(passes.values())))
    rubric = load_rubric(own)
    made.write(own / "mistakes.py", lambda: write_bank(rubric, passes))
    made.write(own / "README.md", lambda: write_text(rubric, passes))
    solution = folder / "solutions" / f"{name}.py"
    made.write(solution, lambda: write_solution(rubric, passes))
    _list(made, course, listing, name)
    _make_template(made, course, load_course(folder), solution)
    made.next_steps += _next_steps(made, rubric, passes, solution, command)
    return made


def _check_names(course: Course | None, name: str, own: Path, passes: Sequence[Pass]) -> None:
    """Raise CourseError for a function that another assignment has already, before anything is written."""
    owners = {
        exercise.function: rubric.name
        for rubric in (course.rubrics if course else ())
        for exercise in rubric.exercises
        if rubric.name != name
    }
    problems = [
        f"{own / 'reference.py'}:{found.definition.lineno}: {function_name(found)} is a function of "
        f"{owners[function_name(found)]} already; give the forward {found.name} another name"
        for found in passes
        if function_name(found) in owners and not (own / "rubric.yaml").is_file()
    ]
    if problems:
        raise CourseError(problems)


def _list(made: Made, course: Course | None, listing: Path, name: str) -> None:
    if course is None:
        title = title_of(listing.parents[1].resolve().name)
        made.write(listing, lambda: write_listing(title, name))
        return
    text = add_to_listing(listing, name)
    if text is None:
        made.kept.append(listing)
    else:
        listing.write_text(text, encoding="utf-8")
        made.written.append(listing)


def _make_template(made: Made, before: Course | None, course: Course, solution: Path) -> None:
    """Write the template of a solution, and the notebook anew if it was what the templates gave before."""
    folder = course.folder / "student_template"
    was_current = before is None or not list(check_notebook(before))
    made.write(folder / template_name(solution), lambda: make_template(solution))
    files = [folder / f"{rubric.name}.py" for rubric in course.rubrics if not rubric.optional]
    if was_current and all(file.is_file() for file in files) and list(check_notebook(course)):
        templates = {file.name: file.read_text(encoding="utf-8") for file in files}
        (folder / NAME).write_text(make_notebook(course, templates), encoding="utf-8")
        made.written.append(folder / NAME)


def _next_steps(made: Made, rubric: Rubric, passes: Mapping[str, Pass], solution: Path, command: str) -> list[str]:
    unknown = [name for found in passes.values() for name, shape in name_shapes(found).items() if UNKNOWN in shape]
    untold = [name for found in passes.values() for name in found.lines if tex_of_line(found, name) is None]
    shifting = [found.name for found in passes.values() if len(found.common) < len(found.forward.leaves)]
    steps = [
        f"Write the solution in {solution}: a formula in place of each None.",
        f"Prove it: grade check {rubric.name}{command}",
        f"Read {rubric.path}: points, which gradients to ask for, and hints that lead further.",
    ]
    if untold and rubric.path in made.written:
        steps.append(f"Write `maths` in it for {', '.join(dict.fromkeys(untold))}, which have no formula yet.")
    if unknown:
        steps.append(f"Write the shapes that are still {UNKNOWN}: {', '.join(dict.fromkeys(unknown))}.")
    if shifting:
        steps.append(f"Not asked for, as they are not in every case: steps of {', '.join(shifting)}.")
    steps += [
        f"Read {rubric.folder / 'mistakes.py'}: add the slips that your students make, in your own words.",
        f"Write what is marked in {rubric.folder / 'README.md'}, then: grade template{command}",
        f"See what is missing: grade check {rubric.name} --strict{command}",
    ]
    return steps
