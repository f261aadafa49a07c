"""The shape of the package: who may import whom, and what is loaded when."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import grader

PACKAGE = Path(grader.__file__).parent
ROOT = PACKAGE.parent

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


def test_no_module_imports_another_by_string():
    calls = [node for path in FILES for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert [ast.unparse(call) for call in calls if _is_import_by_string(call)] == []


def _is_import_by_string(call: ast.Call) -> bool:
    name = ast.unparse(call.func).rpartition(".")[2]
    return name in ("import_module", "__import__") and isinstance(call.args[0], ast.Constant | ast.JoinedStr)


WRONG_IMPORTS = {
    "verdict/compare.py": ("import grader.judge.judge", "grader.verdict is not allowed to import grader.judge"),
    "sandbox/guest/box.py": ("import grader.text", "grader.sandbox.guest is not allowed to import grader.text"),
    "judge/speed.py": ("import grader.judge.judge", "It could be made acyclic by removing 1 dependency"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG_IMPORTS)
def test_an_import_against_the_layers_fails_the_lint(name: str, tmp_path: Path):
    statement, complaint = WRONG_IMPORTS[name]
    shutil.copytree(PACKAGE, tmp_path / "grader", ignore=shutil.ignore_patterns("__pycache__", "installed_course"))
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    with (tmp_path / "grader" / name).open("a") as file:
        file.write(f"\n\ndef late():\n    {statement}\n")
    program = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as main; main()"

    finished = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert finished.returncode == 1, finished.stdout
    assert complaint in " ".join(finished.stdout.split())


WITHOUT_POSIX = """
import sys
import tomllib
import torch, grader.grading, grader.cli, grader.batch  # torch may use what it finds
for name in [name for name in sys.modules if name.startswith("grader")]:
    del sys.modules[name]
sys.modules.update(dict.fromkeys({modules!r}))
import grader.sandbox.warm, grader.sandbox.fresh, grader.sandbox.guest.requests, grader.sandbox.guest.child_main
import grader.grading, grader.cli, grader.report.html
print(sorted(name for name in sys.modules if name in {side!r}))
"""


@pytest.mark.slow
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


def test_the_drawing_of_the_layers_is_that_of_the_contracts():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    drawing = (ROOT / "CONTRIBUTING.md").read_text().split("```")[3]

    assert [re.split(r" {2,}", line)[0] for line in drawing.strip().splitlines()] == layers


def test_every_module_that_contributing_names_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    places = re.findall(r"`((?:batch|course|diagnose|judge|report|sandbox|verdict)/[\w/]*(?:\.py)?)`", text)
    dotted = re.findall(r"`((?:batch|course|diagnose|guest|judge|report|sandbox|verdict)\.[a-z_]+)`", text)
    places += [name.replace(".", "/") for name in dotted]
    homes = (PACKAGE, PACKAGE / "sandbox")

    assert places
    assert [
        each for each in places if not any((at / each).exists() or (at / f"{each}.py").exists() for at in homes)
    ] == []
