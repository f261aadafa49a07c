"""What of a solution may stand in front of students: what anybody would write, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.authoring.secrecy import check_secrecy
from grader.course import load_course

ROOT = Path(__file__).resolve().parents[2]
SOLUTION = '''\
"""A linear layer."""


def linear_backward(dout, x, W):
    """Find them."""
    # BEGIN SOLUTION
    LINE
    dx, dW, db = dout @ W.T, x.T @ dout, dout.sum(dim=0)  # (N, D), (D, M), (M,)
    # END SOLUTION
    return dx, dW, db
'''
ANYBODYS = [
    "import torch.nn.functional as F",
    "rows, columns = x.shape",
    "B, T, D = dout.shape[0], dout.shape[1], len(W)",
    "(rows, columns), count = x.shape, x.size(0)",
    "dW = torch.zeros_like(W)",
    "dx = torch.zeros(rows, columns, dtype=x.dtype)",
    "db = dout.new_zeros(len(W))",
    "for row in reversed(range(rows)):",
    "return dx, dW, db",
    "out = x @ W + b",  # the reference has it, as t.out = t.x @ t.W + t.b
]
TELLING = [
    "dx = dout @ W.T + 0",
    "rows = x.shape[0] * W.shape[1]",
    "dW = torch.zeros_like(W) + x.T @ dout",
    "dW = torch.full_like(W, x.sum() * dout.sum())",
    "dx = dout.new_zeros(2) @ W.T",
    "return dout @ W.T, x.T @ dout, dout.sum(0)",
    "db.index_add_(0, rows, dout)",
]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "assignments" / "linear", tmp_path / "assignments" / "linear")
    (tmp_path / "assignments" / "course.yaml").write_text("format: 1\ntitle: One\nassignments: [linear]\n")
    for folder in ("solutions", "student_template"):
        (tmp_path / folder).mkdir()
    return tmp_path


def _said(course: Path, line: str) -> list[str]:
    (course / "solutions" / "linear.py").write_text(SOLUTION.replace("LINE", line.ljust(15)))
    (course / "student_template" / "linear.py").write_text(f"# as it was handed out\n{line}\n")
    loaded = load_course(course)
    return list(check_secrecy(loaded, loaded.rubrics[0]))


@pytest.mark.parametrize("line", ANYBODYS)
def test_what_anybody_would_write_tells_nothing(course: Path, line: str):
    assert _said(course, line) == []


@pytest.mark.parametrize("line", TELLING)
def test_what_solves_it_is_found(course: Path, line: str):
    file = course / "student_template" / "linear.py"

    assert _said(course, line) == [f"{file}:2: a line of the solution of linear: {line}"]


def test_a_reference_is_public_but_for_its_gradients(course: Path):
    reference = course / "assignments" / "linear" / "reference.py"
    reference.write_text(reference.read_text() + "\n\ndef told(dout, W):\n    dx = dout @ W.mT\n    return dx\n")

    found = _said(course, "dx = dout @ W.mT")

    assert [line.split(": ")[1:] for line in found] == [["a line of the solution of linear", "dx = dout @ W.mT"]] * 2
