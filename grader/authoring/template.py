"""The template that students start from, made from the solutions by taking out what is between the markers."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.course import Course, Rubric, Style
from grader.course.source import find_imports
from grader.errors import CourseError, UsageError
from grader.text import one_line

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
CELL, TEXT = "# %%", "# %% [markdown]"
# `dx = ...  # (N, D)`, or several of both: `dx, dW = ...  # (N, D), (D, M)`.
_SHAPE = re.compile(r"\([^()]*\)")
_FIRST_LINE = re.compile(r"\s*(?P<names>\w+(, \w+)*)\s*=[^#]*#\s*(?P<shapes>\(.*\))\s*$")


@dataclass(frozen=True)
class SolutionBlock:
    """The lines of one solution, without its markers; `line` is that of its begin marker, from 1."""

    line: int
    indent: str
    lines: tuple[str, ...]


# A stub unpacks and imports what it will need, which a linter would call unused.
_UNUSED = "# ruff: noqa: F401, F841, RUF059, RUF100"
_STUCK = "# Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others."


def make_template(path: Path) -> str:
    """Return the template of one solution file.

    A block becomes `dname = None  # (shape)` for each name of the return statement behind it, with the
    shape of the name's first line in the block; without one it raises NotImplementedError. Of a solution in cells,
    which begin with `# %%`, each line with a shape becomes such a line, and the template is a notebook. Raises
    CourseError, with file and line, for markers that do not pair up or a gradient without a shape.
    """
    source = read_solution(path)
    if is_in_cells(source):
        return _make_cells(source, find_blocks(path), path)
    functions = [node for node in _parse(source, path).body if isinstance(node, ast.FunctionDef)]
    lines = source.splitlines()
    blocks = {block.line: block for block in find_blocks(path)}
    template: list[str] = []
    skip = 0
    for number, line in enumerate(lines, start=1):
        if number in blocks:
            template.extend(_stub(blocks[number], _function_around(blocks[number], functions, path), path))
            skip = len(blocks[number].lines) + 2
        if skip:
            skip -= 1
        else:
            template.append(line)
    text = "\n".join(template) + "\n"
    return _with_note(text) if blocks else text


def _with_note(template: str) -> str:
    """Return a template with the note for linters, behind its docstring."""
    lines = template.splitlines(keepends=True)
    first = next(iter(ast.parse(template).body), None)
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    end = (first.end_lineno or 0) if first is not None and is_docstring else 0
    return "".join([*lines[:end], *(["\n"] if end else []), f"{_UNUSED}\n", *lines[end:]])


def is_in_cells(source: str) -> bool:
    """Return whether a solution is statements in cells, which begin with `# %%`, and not functions."""
    return source.startswith(CELL) or f"\n{CELL}" in source


def template_name(solution: Path) -> str:
    """Return the name of the file that is made of a solution. Raises CourseError if there is no solution."""
    return f"{solution.stem}.ipynb" if is_in_cells(read_solution(solution)) else solution.name


def find_blocks(path: Path) -> list[SolutionBlock]:
    """Return what stands between the markers of a solution file. Raises CourseError if they do not pair up."""
    blocks: list[SolutionBlock] = []
    begin: int | None = None
    lines = read_solution(path).splitlines()
    for number, line in enumerate(lines, start=1):
        if line.strip() == BEGIN:
            if begin is not None:
                raise CourseError([f"{path}:{number}: {BEGIN} inside the block that begins on line {begin}"])
            begin = number
        elif line.strip() == END:
            if begin is None:
                raise CourseError([f"{path}:{number}: {END} without {BEGIN}"])
            indent = line[: len(line) - len(line.lstrip())]
            blocks.append(SolutionBlock(begin, indent, tuple(lines[begin : number - 1])))
            begin = None
    if begin is not None:
        raise CourseError([f"{path}:{begin}: {BEGIN} without {END}"])
    return blocks


def write_templates(course: Course) -> list[Path]:
    """Write student_template/ from solutions/ and return the files; one that no assignment has is removed."""
    folder = course.folder / "student_template"
    solutions = [course.folder / "solutions" / f"{rubric.name}.py" for rubric in course.rubrics]
    contents = {template_name(solution): make_template(solution) for solution in solutions}
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.suffix in (".py", ".ipynb") and path.name not in contents:
            path.unlink()
    if _in_notebook(course):
        contents[NAME] = make_notebook(course, contents)
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in contents]


def start_work(course: Course, folder: Path, only: Collection[str] = ()) -> tuple[list[Path], list[Path]]:
    """Copy the template, and each assignment's text, into a folder; return what was written and what was kept.

    That is of the assignments in `only`, or else of all that are not optional, and of those whose functions their
    templates import. A file that is there already is never overwritten. Raises UsageError if the folder cannot be made
    or a name is no assignment's, and CourseError if the course lacks one of the files.
    """
    for name in only:
        if name not in course.names:
            raise UsageError(
                f"{one_line(name, 100)} is no assignment of the course; there are {', '.join(course.names)}"
            )
    chosen = with_imported(
        course,
        [rubric.name for rubric in course.rubrics if (rubric.name in only if only else not rubric.optional)],
    )
    files = {}
    for rubric in course.rubrics:
        if rubric.name not in chosen:
            continue
        name = f"{rubric.name}.ipynb" if rubric.style is Style.STATEMENTS else f"{rubric.name}.py"
        files[folder / name] = course.folder / "student_template" / name
        files[folder / f"{rubric.name}.md"] = rubric.folder / "README.md"
    missing = [source for source in files.values() if not source.is_file()]
    if missing:
        advice = "; `grade template` writes the templates"
        raise CourseError(
            [f"{source}: the file is not there{'' if source.suffix == '.md' else advice}" for source in missing]
        )
    if not only and notebook_path(course).is_file():
        files[folder / NAME] = notebook_path(course)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = [target for target in files if target.exists()]
        written = [target for target in files if target not in kept]
        for target in written:
            shutil.copyfile(files[target], target)
    except OSError as error:
        raise UsageError(f"{folder} could not be written: {error.strerror}; choose another folder") from error
    return written, kept


def with_imported(course: Course, names: Collection[str]) -> list[str]:
    """Return names of assignments, and of those whose functions their templates import."""
    chosen = list(names)
    for name in chosen:  # and those that are found on the way
        template = course.folder / "student_template" / f"{name}.py"
        imported = find_imports(template.read_text(encoding="utf-8")) if template.is_file() else ()
        chosen += [other for other in imported if other in course.names and other not in chosen]
    return chosen


def next_steps(course: Course, folder: Path, only: Collection[str] = (), *, is_named: bool = False) -> list[str]:
    """Return what a student does next in a folder with the template, in order; commands name the course if asked to."""
    named = f" --course {shlex.quote(os.path.relpath(course.folder, folder))}" if is_named else ""
    names = [rubric.name for rubric in course.rubrics if (rubric.name in only if only else not rubric.optional)]
    notebook = f" (or in {NAME}, not in both)" if (folder / NAME).is_file() else ""
    steps = [] if folder == Path() else [f"Go there: cd {shlex.quote(str(folder))}"]
    steps += [
        f"Read {names[0]}.md, and write the functions in {names[0]}.py{notebook}.",
        f"Grade it: grade --only {names[0]}{named} (with --watch, again on every save)",
    ]
    if names[1:]:
        steps.append(f"Go on in this order: {', '.join(names[1:])}. To see all of it: grade{named}")
    return steps


def _parse(source: str, path: Path) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise CourseError([f"{path}:{error.lineno}: not Python: {error.msg}"]) from error


def _function_around(block: SolutionBlock, functions: list[ast.FunctionDef], path: Path) -> ast.FunctionDef:
    before = [function for function in functions if function.lineno < block.line]
    if not before or not block.indent:
        raise CourseError([f"{path}:{block.line}: the block stands in no function"])
    return before[-1]


def _stub(block: SolutionBlock, function: ast.FunctionDef, path: Path) -> list[str]:
    returned = next((node for node in function.body if isinstance(node, ast.Return)), None)
    if returned is None or returned.lineno <= block.line + len(block.lines):
        return [f'{block.indent}raise NotImplementedError("{function.name} is not written yet")']
    names = [node.id for node in ast.walk(returned) if isinstance(node, ast.Name)]
    shapes: dict[str, str] = {}
    for line in block.lines:
        for name, shape in _shapes(line).items():
            shapes.setdefault(name, shape)
    missing = [name for name in names if name not in shapes]
    if missing:
        raise CourseError(
            [f"{path}:{block.line}: the block has no line `{missing[0]} = ...  # (shape)`, which the template needs"]
        )
    stubs = [f"{block.indent}{name} = None  # {shapes[name]}" for name in names]
    return [f"{block.indent}{_STUCK}", *stubs] if len(names) > 1 else stubs


def _make_cells(source: str, blocks: Sequence[SolutionBlock], path: Path) -> str:
    """Return the notebook of a solution in cells, with a line for each gradient in the place of what makes it."""
    lines = source.splitlines()
    for block in reversed(blocks):
        stub = [f"{name} = None  # {shape}" for line in block.lines for name, shape in _shapes(line).items()]
        if not stub:
            raise CourseError([f"{path}:{block.line}: the block has no line `... = ...  # (shape)`"])
        lines[block.line - 1 : block.line + len(block.lines) + 1] = stub
    cells: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith(CELL):
            cells.append(("markdown" if line.strip() == TEXT else "code", []))
        elif cells:
            cells[-1][1].append(line.removeprefix("# ").removeprefix("#") if cells[-1][0] == "markdown" else line)
    made = [_cell(f"cell-{place}", kind, "\n".join(text).strip("\n")) for place, (kind, text) in enumerate(cells)]
    return _as_notebook(made)


def _shapes(line: str) -> dict[str, str]:
    """Return the shapes that a line of a solution gives to the names that it assigns."""
    match = _FIRST_LINE.fullmatch(line)
    if match is None:
        return {}
    names = match["names"].split(", ")
    shapes = [match["shapes"]] if len(names) == 1 else _SHAPE.findall(match["shapes"])
    return dict(zip(names, shapes, strict=True)) if len(names) == len(shapes) else {}


def read_solution(path: Path) -> str:
    """Return the text of a solution. Raises CourseError if it is not there or not text."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise CourseError([f"{path}: the solution is not there"]) from error
    except UnicodeDecodeError as error:
        raise CourseError([f"{path}: not UTF-8"]) from error


NAME = "backprop.ipynb"
_WELCOME = """# {title}

Each part has a text, a cell that writes a file, and a cell that grades it. Fill in the functions, run the cell that \
writes the file, then the cell below it, which shows the report.

Stuck is not lost: leave a step `None`, and go on with the next. It costs its own points and no others.

Work here or in the `.py` files, not in both: running a cell that begins with `%%writefile` replaces the file."""
_SETUP = "%pip install -q backprop-grader"
_CHECK = "import grader\n\ngrader.check({})"


def make_notebook(course: Course, templates: Mapping[str, str]) -> str:
    """Return the notebook of a course as text; `templates` are its template files by name."""
    cells = [
        _cell("welcome", "markdown", _WELCOME.format(title=course.title)),
        _cell("setup", "code", _SETUP),
    ]
    for rubric in _in_notebook(course):
        text = rubric.folder / "README.md"
        if text.is_file():
            cells.append(_cell(f"{rubric.name}-text", "markdown", text.read_text(encoding="utf-8").strip()))
        file = f"{rubric.name}.py"
        cells.append(_cell(f"{rubric.name}-write", "code", f"%%writefile {file}\n{templates[file].rstrip()}"))
        cells.append(_cell(f"{rubric.name}-grade", "code", _CHECK.format(f'"{rubric.name}"')))
    cells.append(_cell("all-text", "markdown", "## Everything\n\nAll assignments in one report:"))
    cells.append(_cell("all-grade", "code", _CHECK.format("")))
    return _as_notebook(cells)


def _as_notebook(cells: Sequence[object]) -> str:
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


def _in_notebook(course: Course) -> list[Rubric]:
    """Return the assignments that the notebook of a course has: all that are functions, and not optional."""
    return [rubric for rubric in course.rubrics if not rubric.optional and rubric.style is Style.FUNCTION]


def notebook_path(course: Course) -> Path:
    """Return where the notebook of a course stands."""
    return course.folder / "student_template" / NAME


def check_notebook(course: Course) -> Iterator[str]:
    """Yield a line if the notebook is not what the templates and texts give."""
    path = notebook_path(course)
    files = [path.parent / f"{rubric.name}.py" for rubric in _in_notebook(course)]
    if not files:
        return
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
