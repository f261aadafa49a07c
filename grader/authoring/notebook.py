"""The notebook that students may start from: cells that write the files of the template, and run `grade`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.course import Course

NAME = "backprop.ipynb"
_WELCOME = """# {title}

Each part has a text, a cell that writes a file, and a cell that grades it. Fill in the functions, run the cell that \
writes the file, then the cell below it.

Work here or in the `.py` files, not in both: running a cell that begins with `%%writefile` replaces the file."""
_SETUP = "%pip install -q backprop-grader"
_SHOW = """from grader import grade

grade(".")"""


def make_notebook(course: Course, templates: Mapping[str, str]) -> str:
    """Return the notebook of a course as text; `templates` are its template files by name."""
    cells = [
        _cell("welcome", "markdown", _WELCOME.format(title=course.title)),
        _cell("setup", "code", _SETUP),
    ]
    for rubric in course.rubrics:
        text = rubric.folder / "README.md"
        if text.is_file():
            cells.append(_cell(f"{rubric.name}-text", "markdown", text.read_text(encoding="utf-8").strip()))
        file = f"{rubric.name}.py"
        cells.append(_cell(f"{rubric.name}-write", "code", f"%%writefile {file}\n{templates[file].rstrip()}"))
        cells.append(_cell(f"{rubric.name}-grade", "code", f"!grade --only {rubric.name}"))
    cells.append(_cell("all-text", "markdown", "## Everything\n\nThe whole report, with pictures and hints:"))
    cells.append(_cell("all-grade", "code", _SHOW))
    content = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def notebook_path(course: Course) -> Path:
    """Return where the notebook of a course stands."""
    return course.folder / "student_template" / NAME


def check_notebook(course: Course) -> Iterator[str]:
    """Yield a line if the notebook is not what the templates and texts give."""
    path = notebook_path(course)
    files = [path.parent / f"{rubric.name}.py" for rubric in course.rubrics]
    if not all(file.is_file() for file in files):
        return  # a template that is missing has its own line, and `grade template` mends both
    wanted = make_notebook(course, {file.name: file.read_text(encoding="utf-8") for file in files})
    if not path.is_file() or path.read_text(encoding="utf-8") != wanted:
        yield f"{path}: not what the templates and texts give; run `grade template`"


def _cell(name: str, kind: str, source: str) -> dict[str, object]:
    # An id of letters, digits and - of at most 64 characters, the same in every run.
    cell: dict[str, object] = {"cell_type": kind, "id": name.replace("_", "-")[:64], "metadata": {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return {**cell, "source": source.splitlines(keepends=True)}
