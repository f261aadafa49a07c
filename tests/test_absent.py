"""A Python that lacks torch, or is too old: one sentence with what to do, and no traceback."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from grader.absent import leave_absent

ROOT = Path(__file__).resolve().parents[1]
OLDEST = (3, 7)  # what may still be found on a computer, and knows `from __future__ import annotations`


def _run(python: Path | str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [str(python), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own, with every library of this one but torch."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    (own,) = folder.glob("lib/python*/site-packages")
    for path in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not path.name.startswith(("torch", "_virtualenv")) and path.suffix != ".pth":
            (own / path.name).symlink_to(path)
    return python


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "class" / "ada"
    folder.mkdir(parents=True)
    (folder / "linear.py").write_text("def linear_backward(dout, x, W):\n    return None\n")
    return folder


NEED_TORCH = {
    "grade": ["-m", "grader"],
    "grade case": ["-m", "grader", "case", "linear_backward"],
    "grade check": ["-m", "grader", "check", "linear"],
    "grade batch": ["-m", "grader", "batch", "..", "--out", "../../out"],
    "from Python": ["-c", "from grader import grade"],
}


@pytest.mark.slow
@pytest.mark.parametrize("arguments", NEED_TORCH.values(), ids=NEED_TORCH)
def test_without_torch_the_command_that_installs_it_is_said(arguments: list[str], bare_python: Path, work: Path):
    finished = _run(bare_python, *arguments, cwd=work)

    assert finished.returncode == 2
    assert finished.stderr == (
        f"grade: torch is not installed for this Python, {bare_python}; run: {bare_python} -m pip install torch\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["-m", "grader", "--help"], ["-c", "import grader"]])
def test_what_needs_no_torch_works_without_it(arguments: list[str], bare_python: Path, work: Path):
    finished = _run(bare_python, *arguments, cwd=work)

    assert (finished.returncode, finished.stderr) == (0, "")


def test_a_module_that_is_none_of_ours_is_not_explained_away():
    error = ModuleNotFoundError("No module named 'nowhere'", name="nowhere")

    with pytest.raises(ModuleNotFoundError) as caught:
        leave_absent(error)

    assert caught.value is error


@pytest.mark.parametrize("arguments", ["import grader", "import grader.cli", "from grader import grade"])
def test_a_python_that_is_too_old_is_told_which_one_is_needed(arguments: str, tmp_path: Path):
    finished = _run(sys.executable, "-c", f"import sys\nsys.version_info = (3, 8, 10)\n{arguments}", cwd=tmp_path)

    assert finished.returncode == 2
    assert finished.stderr == (
        "grade: Python 3.11 or newer is needed, and this is 3.8; install one from python.org, then run: "
        "python3.11 -m pip install backprop-grader\n"
    )


@pytest.mark.parametrize("file", ["__init__.py", "__main__.py"])
def test_what_an_old_python_reads_first_it_can_read(file: str):
    ast.parse((ROOT / "grader" / file).read_text(), feature_version=OLDEST)
