"""What somebody probably meant who wrote a word that is no path, no function or no assignment."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from grader.course.rubric import Course
from grader.text import one_line


def explain_path(course: Course, path: Path, commands: Sequence[str]) -> str:
    """Say why there is nothing to grade at a path that is not there, and which command was probably meant."""
    word = one_line(str(path), 300)
    name = path.name
    if course_name := _of_course(course, name):
        return f"{word} is no file or folder here; {course_name}: `grade --only {name}`"
    functions = _with_gradient(course, name)
    if functions:
        return f"{word} is no file or folder here, but a gradient of {functions[0]}: `grade --only {functions[0]}`"
    home = path.suffix == ".py" and path.stem in _assignments(course)
    if home and path.parent == Path():
        return f"{word} is not there; `grade start` writes it, and a folder with your files is graded by `grade FOLDER`"
    folder = path.parent
    beside = [each.name for each in folder.iterdir() if each.suffix in (".py", ".ipynb")] if folder.is_dir() else []
    known = [*commands, *_assignments(course), *course.functions]
    near = difflib.get_close_matches(name, [*beside, *(known if folder == Path() else [])], n=1, cutoff=0.7)
    if not near:
        return f"{word} is not there; give the folder or the file with your functions"
    meant = near[0] if near[0] in commands else f"--only {near[0]}"
    return f"{word} is not there; did you mean `grade {folder / near[0] if near[0] in beside else meant}`?"


def explain_function(course: Course, word: str, command: str) -> str:
    """Say that a word is no function of the course, and which one was probably meant; `command` takes a function."""
    shown = one_line(word, 100)
    name = Path(word).stem if word.endswith(".py") else word
    for rubric in course.rubrics:
        if rubric.name == name:
            functions = [each.function for each in rubric.exercises]
            listed = f"its function is {functions[0]}" if len(functions) == 1 else f"it has {', '.join(functions)}"
            return f"{shown} is an assignment; {listed}: `{command} {functions[0]}`"
    functions = _with_gradient(course, name)
    if functions:
        return f"{shown} is a gradient of {', '.join(functions)}: `{command} {functions[0]}`"
    near = difflib.get_close_matches(name, course.functions, n=1)
    if near:
        return f"{shown} is no function of the course; did you mean `{command} {near[0]}`?"
    return f"{shown} is no function of the course; there are {', '.join(course.functions)}"


def _of_course(course: Course, word: str) -> str:
    if word in _assignments(course):
        return "it is an assignment of the course"
    return "it is a function of the course" if word in course.functions else ""


def _assignments(course: Course) -> list[str]:
    return [rubric.name for rubric in course.rubrics]


def _with_gradient(course: Course, name: str) -> list[str]:
    exercises = [exercise for rubric in course.rubrics for exercise in rubric.exercises]
    return [exercise.function for exercise in exercises if name in exercise.gradient_names]
