"""The course packed for students: assignments and template, without solutions, mistakes and what is hidden."""

from __future__ import annotations

import difflib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from grader.authoring.folder import check_files, check_imports, check_template, files_of_assignments
from grader.authoring.secrecy import check_secrecy
from grader.authoring.template import NAME, check_notebook, make_notebook, notebook_path, with_imported
from grader.course import Course, Exercise, Rubric
from grader.errors import CourseError, UsageError
from grader.text import one_line

# Of every file, so that one course gives one archive, byte for byte; the earliest date that a zip can hold.
DATE = (1980, 1, 1, 0, 0, 0)
README = """\
# {title}

Unpack this into a folder of its own, say `course`. Then:

    pip install backprop-grader
    grade start work --course course
    cd work
    grade

`grade start` writes a text and a file of functions for each assignment into `work`, and `grade` in there takes this
course. Read the text, write the functions, and grade as often as you like.
"""
HIDDEN = "Some cases are hidden. They are not in here, and they count when your instructor grades."


@dataclass(frozen=True)
class Release:
    """The names of the files in an archive, and a line for all that was left out because it is hidden."""

    files: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def pack_release(course: Course, path: Path, only: Sequence[str] = ()) -> Release:
    """Write the archive for students, of the whole course or `only` some weeks and assignments.

    Raises UsageError if the file cannot be written or is there already, or for a name that the course does not have,
    and CourseError if a template is stale or what students get has a stray file or a line of a solution in it.
    """
    check_archive(path)
    if not (course.folder / "solutions").is_dir():
        text = f"{course.folder} has no solutions/, so nobody can tell what must not be packed; pack the whole course"
        raise UsageError(text)
    part = select(course, with_imported(course, course.spell_out(only)))
    problems = _problems(course, part)
    if problems:
        raise CourseError(list(dict.fromkeys(problems)))
    left_out = [line for rubric in part.rubrics for line in _hidden_of(rubric)]
    contents = course_files(course, part)
    for rubric in part.rubrics:
        contents[f"assignments/{rubric.name}/rubric.yaml"] = _without_hidden(rubric)
    contents = {name: content for name, content in contents.items() if not name.endswith("/mistakes.py")}
    contents |= _templates(course, part)
    readme = README.format(title=course.title) + (f"\n{HIDDEN}\n" if left_out else "")
    contents["README.md"] = readme.encode()
    write_archive(path, contents)
    return Release(tuple(sorted(contents)), tuple(left_out))


def select(course: Course, only: Sequence[str]) -> Course:
    """Return the part of a course that weeks and assignments name. Raises UsageError for another name."""
    chosen = course.spell_out(only)
    for name in chosen:
        if name not in course.names:
            known = [*course.weeks, *course.names]
            near = difflib.get_close_matches(name, known, n=1)
            advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise UsageError(
                f"--only {one_line(name, 100)}: the course has no week or assignment of that name; {advice}"
            )
    if not chosen:
        return course
    listed = tuple(each for each in course.assignments if each.name in chosen)
    return replace(course, assignments=listed, rubrics=tuple(each for each in course.rubrics if each.name in chosen))


def course_files(course: Course, part: Course) -> dict[str, bytes]:
    """Return the files of a part of a course by name, as they are but for course.yaml."""
    files = [course.folder / "assignments" / "course.yaml", *files_of_assignments(part)]
    contents = {file.relative_to(course.folder).as_posix(): file.read_bytes() for file in files}
    if part is not course:
        data = yaml.safe_load(contents["assignments/course.yaml"])
        data.pop("weeks", None)
        listed = [{"name": each.name, "optional": True} if each.optional else each.name for each in part.assignments]
        contents["assignments/course.yaml"] = _as_yaml({**data, "assignments": listed})
    return contents


def check_archive(path: Path) -> None:
    """Raise UsageError unless a path names an archive."""
    if path.suffix != ".zip":
        raise UsageError(f"{path} is not the name of an archive; give one that ends in .zip")


def write_archive(path: Path, contents: Mapping[str, bytes], runnable: Sequence[str] = ()) -> None:
    """Write files by name as a zip; those that are `runnable` may be run. Raises UsageError if that cannot be done."""
    try:
        with path.open("xb") as file:
            file.write(_zip(contents, runnable))
    except FileExistsError as error:
        raise UsageError(f"{path} is there already; remove it or give another name") from error
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror}") from error


def _problems(course: Course, part: Course) -> list[str]:
    found: list[str] = []
    known = {f"{rubric.name}.py" for rubric in course.rubrics}
    for path in sorted((course.folder / "student_template").glob("*.py")):
        if path.name not in known:
            found.append(f"{path}: the template of no assignment; run `grade template`")
    for rubric in part.rubrics:
        solution = course.folder / "solutions" / f"{rubric.name}.py"
        if not any(exercise.shown for exercise in rubric.exercises):
            found.append(f"{rubric.path}: every function is hidden, so students would not get it; show a case of one")
        try:
            found += check_files(rubric)
            found += check_imports(course, rubric)
            found += check_template(course, solution)
            found += check_secrecy(course, rubric)
        except CourseError as error:
            found += error.problems
    return [*found, *(check_notebook(course) if part is course else [])]


def _hidden_of(rubric: Rubric) -> Iterator[str]:
    for exercise in rubric.exercises:
        if exercise.shown is None:
            yield f"{exercise.function} of {rubric.name}"
        elif exercise.concealed is not None:
            count = len(exercise.concealed.cases)
            yield f"{count} case{'s' * (count != 1)} of {exercise.function}"


def _without_hidden(rubric: Rubric) -> bytes:
    """Return a rubric as students get it; one from which nothing is taken stays as it is, byte for byte."""
    has_hidden = any(_hidden_of(rubric))
    if not has_hidden and not any(exercise.mistakes_of for exercise in rubric.exercises):
        return rubric.path.read_bytes()
    # Written anew: a comment beside a hidden case may tell of it.
    data = yaml.safe_load(rubric.path.read_bytes())
    shown = {each.function: each.shown for each in rubric.exercises if each.shown}
    data["exercises"] = {name: _narrow(data["exercises"][name], exercise) for name, exercise in shown.items()}
    return (f"# {HIDDEN}\n".encode() if has_hidden else b"") + _as_yaml(data)


def _narrow(entry: Mapping[str, Any], shown: Exercise) -> dict[str, Any]:
    names = [case.name for case in shown.cases]
    left = {key: value for key, value in entry.items() if key not in ("hidden", "mistakes_of")}
    # A number under that name is a size.
    cases = [{key: case[key] for key in case if not isinstance(case[key], bool)} for case in entry["cases"]]
    return {**left, "cases": [case for case in cases if case["name"].strip() in names]}


def _templates(course: Course, part: Course) -> dict[str, bytes]:
    folder = course.folder / "student_template"
    texts = {f"{name}.py": (folder / f"{name}.py").read_bytes() for name in part.names}
    if part is not course:
        notebook = make_notebook(part, {name: text.decode() for name, text in texts.items()}).encode()
    else:
        notebook = notebook_path(course).read_bytes()
    return {f"student_template/{name}": text for name, text in {**texts, NAME: notebook}.items()}


def _as_yaml(data: object) -> bytes:
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000)
    return text.encode()


def _zip(contents: Mapping[str, bytes], runnable: Sequence[str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            info = zipfile.ZipInfo(name, DATE)
            info.create_system = 3  # the same on every system, with the rights below
            info.external_attr = (0o755 if name in runnable else 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, contents[name])
    return packed.getvalue()
