"""Every error that the grader raises on purpose, and the tree that its docstring draws."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from grader import errors
from grader.errors import CourseError, GraderError

PACKAGE = Path(errors.__file__).parent
CLASSES = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}


def drawn_tree() -> dict[str, str]:
    """Return each class that the docstring draws, with the class above it."""
    parents, above = {}, []
    for line in errors.__doc__.splitlines():
        match = re.match(r"([├└│─ ]*)([A-Z]\w+Error)\b", line)
        if match:
            depth = len(match[1]) // 4
            above[depth:] = [match[2]]
            parents[match[2]] = above[depth - 1] if depth else "Exception"
    return parents


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    assert {each.__name__: each.__bases__[0].__name__ for each in CLASSES} == drawn_tree()


def test_the_module_imports_nothing_that_needs_more_than_typing():
    tree = ast.parse((PACKAGE / "errors.py").read_text(encoding="utf-8"))
    imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]

    assert {"__future__", "collections.abc"} == set(imported)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]


@pytest.mark.parametrize("name", sorted(each.__name__ for each in CLASSES))
def test_every_error_says_what_it_stands_for_and_ends_the_command_with_two(name):
    error = getattr(errors, name)

    assert error.__doc__.strip().endswith(".")
    assert error.exit_code == 2


def test_a_course_error_reads_as_its_problems_line_by_line():
    error = CourseError(["a.yaml:1:1: one", "a.yaml:2:1: two"])

    assert str(error) == "a.yaml:1:1: one\na.yaml:2:1: two"
    assert error.problems == ("a.yaml:1:1: one", "a.yaml:2:1: two")


def test_every_error_is_raised_somewhere():
    code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))

    unused = [each.__name__ for each in CLASSES - {GraderError} if f"raise {each.__name__}(" not in code]

    assert unused == []
