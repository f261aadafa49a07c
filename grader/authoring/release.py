"""The course packed for students: its assignments and the template, and not a line of a solution."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from grader.authoring.folder import check_files, check_imports, check_secrecy, check_template, shipped_files
from grader.authoring.template import check_notebook
from grader.course import Course
from grader.errors import CourseError, UsageError

# Of every file, so that one course gives one archive, byte for byte; the earliest date that a zip can hold.
DATE = (1980, 1, 1, 0, 0, 0)
README = """\
# {title}

Unpack this into a folder of its own, say `course`. Then:

    pip install backprop-grader
    grade start work --course course
    grade work --course course

`grade start` writes a text and a file of functions for each assignment into `work`. Read the text, write the functions,
and grade as often as you like.
"""


def pack_release(course: Course, path: Path) -> list[str]:
    """Write the archive and return the names of the files in it.

    Raises UsageError if the file cannot be written or is there already, and CourseError if a template is
    stale or what students get has a stray file or a line of a solution in it.
    """
    if path.suffix != ".zip":
        raise UsageError(f"{path} is not the name of an archive; give one that ends in .zip")
    if not (course.folder / "solutions").is_dir():
        text = f"{course.folder} has no solutions/, so nobody can tell what must not be packed; pack the whole course"
        raise UsageError(text)
    problems = _problems(course)
    if problems:
        raise CourseError(list(dict.fromkeys(problems)))
    contents = {file.relative_to(course.folder).as_posix(): file.read_bytes() for file in shipped_files(course)}
    contents["README.md"] = README.format(title=course.title).encode()
    try:
        with path.open("xb") as file:
            file.write(_zip(contents))
    except FileExistsError as error:
        raise UsageError(f"{path} is there already; remove it or give another name") from error
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror}") from error
    return sorted(contents)


def _problems(course: Course) -> list[str]:
    found: list[str] = []
    known = {f"{rubric.name}.py" for rubric in course.rubrics}
    for path in sorted((course.folder / "student_template").glob("*.py")):
        if path.name not in known:
            found.append(f"{path}: the template of no assignment; run `grade template`")
    for rubric in course.rubrics:
        solution = course.folder / "solutions" / f"{rubric.name}.py"
        try:
            found += check_files(rubric)
            found += check_imports(course, rubric)
            found += check_template(course, solution)
            found += check_secrecy(course, solution)
        except CourseError as error:
            found += error.problems
    return [*found, *check_notebook(course)]


def _zip(contents: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            info = zipfile.ZipInfo(name, DATE)
            info.create_system = 3  # the same on every system, with the rights below
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, contents[name])
    return packed.getvalue()
