"""What grading one exercise costs with what else there is: the same 20 submissions of linear, side by side.

    python tests/benchmarks/peers.py [--otter PYTHON]

It compares, one submission after the other:
  pytest   `python -m pytest` in a process of its own, on a test that compares with autograd
  otter    `otter run`, its grading without a container, where PYTHON has otter-grader and torch installed
  grade    `grade batch --jobs 1`, start-up, reports and gradebook included
Only the last confines the submission, says what is wrong with it, and knows what follows from an earlier slip.
"""

# ruff: noqa: T201 # a benchmark prints its table

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIZE = 20
RIGHT = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
WRONG = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.mean(0)\n"
COMPARE = """
import torch
from linear import linear_backward

torch.manual_seed(0)
x, W, b = (torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in ((5, 3), (3, 4), (4,)))
out = x @ W + b
dout = torch.randn_like(out)
out.backward(dout)
answers = linear_backward(dout, x.detach(), W.detach())
right = [torch.allclose(answer, value.grad, rtol=1e-11) for answer, value in zip(answers, (x, W, b))]
"""
TEST = f"{COMPARE}\n\ndef test_linear():\n    assert all(right)\n"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--otter", metavar="PYTHON", help="an interpreter that has otter-grader and torch")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = _write_class(Path(scratch) / "class")
        kinds: dict[str, Callable[[], None]] = {f"pytest {version('pytest')}": lambda: _pytest(folder)}
        if options.otter:
            said = [options.otter, "-c", "import importlib.metadata as m; print(m.version('otter-grader'))"]
            number = subprocess.run(said, check=True, capture_output=True, text=True).stdout.strip()
            kinds[f"otter {number}"] = lambda: _otter(folder, options.otter)
        kinds["grade"] = lambda: _grade(folder, Path(scratch) / "out")
        print(f"{SIZE} submissions of one exercise, one after the other; torch {version('torch')}:")
        for name, run in kinds.items():
            started = time.perf_counter()
            run()
            seconds = time.perf_counter() - started
            print(f"  {name:16}{seconds:8.1f} s in all {seconds / SIZE * 1e3:8.0f} ms each")


def _write_class(folder: Path) -> Path:
    for number in range(SIZE):
        student = folder / f"s{number:02}"
        student.mkdir(parents=True)
        (student / "linear.py").write_text(WRONG if number % 2 else RIGHT, encoding="utf-8")
    return folder


def _pytest(folder: Path) -> None:
    test = folder.parent / "test_linear.py"
    test.write_text(TEST, encoding="utf-8")
    for student in sorted(folder.iterdir()):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", test]
        environment = {**os.environ, "PYTHONPATH": str(student)}
        done = subprocess.run(command, env=environment, cwd=folder.parent, capture_output=True, text=True, check=False)
        assert done.returncode == int(student.name[1:]) % 2, done.stdout + done.stderr


def _otter(folder: Path, python: str) -> None:
    configuration = folder.parent / "autograder.zip"
    code = "".join(
        f">>> {line}\n" for line in COMPARE.replace("from linear import linear_backward\n", "").split("\n") if line
    )
    case = {"code": f"{code}>>> all(right)\nTrue\n", "hidden": False, "locked": False}
    suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    with zipfile.ZipFile(configuration, "w") as archive:
        archive.writestr("otter_config.json", json.dumps({"pdf": False}))
        archive.writestr("tests/linear.py", f"test = {{'name': 'linear', 'points': 5, 'suites': [{suite!r}]}}\n")
    for student in sorted(folder.iterdir()):
        out = folder.parent / "otter" / student.name
        out.mkdir(parents=True)
        command = [python, "-m", "otter", "run", "-a", configuration, "-o", out, "--no-logo", student / "linear.py"]
        subprocess.run(command, cwd=folder.parent, check=True, capture_output=True)
        score = json.loads((out / "results.json").read_text(encoding="utf-8"))["tests"][-1]["score"]
        assert bool(score) is not bool(int(student.name[1:]) % 2), f"{student.name} got {score}"


def _grade(folder: Path, out: Path) -> None:
    command = [sys.executable, "-m", "grader", "batch", folder, "--out", out, "--only", "linear", "--jobs", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=environment, check=True, capture_output=True)


if __name__ == "__main__":
    main()
