"""The shape of the package: who may import whom, and what is loaded when."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import grader

PACKAGE = Path(grader.__file__).parent
ROOT = PACKAGE.parent

# From the bottom up: a module imports only from those before it.
ORDER = [
    "errors",
    "adjustment",
    "text",
    "rubric",
    "trace",
    "cases",
    "listing",
    "script",
    "bank",
    "submission",
    "sandbox",
    "compare",
    "picture",
    "follow",
    "diagnose",
    "feedback",
    "invariants",
    "timing",
    "grading",
    "report",
    "keys",
    "watch",
    "batch",
    "authoring",
    "cli",
]
# What runs in the process of the student's code, and all that it may import of the grader.
CHILD_SIDE = {"frames", "lines", "notebook", "modules", "calling", "block", "respond", "server"} | {
    "guard",
    "operators",
    "box",
    "seccomp",
    "landlock",
    "limits",
    "libc",
    "proof",
    "readable",
}
POSIX_ONLY = {"resource", "fcntl", "pwd", "grp", "termios"}
POSIX_SIDE = {"warm", "child", *CHILD_SIDE}
FILES = sorted(PACKAGE.rglob("*.py"))


def _imports(path: Path, *, at_top: bool = False) -> set[str]:
    """Return the dotted names that a module imports, those for type checkers left out; or only those at its top."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if at_top and isinstance(node, ast.FunctionDef):
            continue
        match node:
            case ast.Import(names=found):
                names.update(alias.name for alias in found)
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module)
        pending.extend(ast.iter_child_nodes(node))
    return names


def _noun(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_from_those_before_it(path: Path):
    own = _noun(path)
    used = {name.split(".")[1] for name in _imports(path) if name.startswith("grader.")}

    if own in ("__init__", "__main__"):
        return
    late = [noun for noun in used if ORDER.index(noun) > ORDER.index(own)]
    assert not late


@pytest.mark.parametrize("name", sorted(CHILD_SIDE))
def test_the_childs_side_imports_nothing_else_of_the_grader(name: str):
    used = {found for found in _imports(PACKAGE / "sandbox" / f"{name}.py") if found.startswith("grader")}

    assert used <= {f"grader.sandbox.{other}" for other in CHILD_SIDE}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_the_sandboxs_posix_side_imports_posix_modules(path: Path):
    if path.parent.name != "sandbox" or path.stem not in POSIX_SIDE:
        assert not _imports(path, at_top=True) & POSIX_ONLY


LIGHT = {
    "import grader": "import grader",
    "grade --help": "import runpy; sys.argv = ['grade', '--help']; runpy.run_module('grader', run_name='__main__')",
}


@pytest.mark.parametrize("code", LIGHT.values(), ids=LIGHT)
def test_neither_torch_nor_numpy_is_loaded_by(code: str):
    ending = "print(sorted({'torch', 'numpy'} & set(sys.modules)))"
    program = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\n{ending}"
    command = [sys.executable, "-c", program]

    finished = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)

    assert finished.stdout.splitlines()[-1] == "[]"


def test_every_public_name_is_there_and_sorted():
    assert sorted(grader.__all__) == grader.__all__
    assert all(getattr(grader, name) is not None for name in grader.__all__)


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'grader' has no attribute 'grades'"):
        _ = grader.grades
