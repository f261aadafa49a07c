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
    "literals",
    "script",
    "bank",
    "submission",
    "sandbox",
    "schedule",
    "suspicion",
    "compare",
    "picture",
    "follow",
    "diagnose",
    "feedback",
    "invariants",
    "timing",
    "prepared",
    "judging",
    "grading",
    "report",
    "keys",
    "watch",
    "batch",
    "authoring",
    "cli",
]
GUEST = PACKAGE / "sandbox" / "guest"
POSIX_ONLY = {"resource", "fcntl", "pwd", "grp", "termios"}
POSIX_GUESTS = {"warm_main", "box", "seccomp", "landlock", "limits", "libc"}
POSIX_SIDE = {"grader.sandbox.forking", *(f"grader.sandbox.guest.{name}" for name in POSIX_GUESTS)}
FILES = sorted(PACKAGE.rglob("*.py"))


def _imports(path: Path, *, inside_functions: bool = True) -> set[str]:
    """Return the dotted names that a module imports, those for type checkers left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if not inside_functions and isinstance(node, ast.FunctionDef):
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


@pytest.mark.parametrize("path", sorted(GUEST.glob("*.py")), ids=lambda path: path.stem)
def test_a_guest_imports_nothing_else_of_the_grader(path: Path):
    used = {found for found in _imports(path) if found.startswith("grader")}

    assert all(name.startswith("grader.sandbox.guest") for name in used)


WITHOUT_POSIX = """
import sys
import torch, grader.grading, grader.cli, grader.batch  # torch may use what it finds
for name in [name for name in sys.modules if name.startswith("grader")]:
    del sys.modules[name]
sys.modules.update(dict.fromkeys({modules!r}))
import grader.sandbox.warm, grader.sandbox.fresh, grader.sandbox.guest.requests, grader.sandbox.guest.child_main
import grader.grading, grader.cli, grader.report.html
print(sorted(name for name in sys.modules if name in {side!r}))
"""


def test_a_system_without_posix_modules_can_import_all_that_it_needs():
    program = WITHOUT_POSIX.format(modules=sorted(POSIX_ONLY), side=POSIX_SIDE)

    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)

    assert (finished.stdout, finished.stderr) == ("[]\n", "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_the_sandboxs_posix_side_imports_posix_modules(path: Path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    if name not in POSIX_SIDE:
        assert not _imports(path, inside_functions=False) & (POSIX_ONLY | POSIX_SIDE)


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
