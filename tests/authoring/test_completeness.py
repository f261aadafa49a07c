"""What a strict check finds missing that no proof needs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from grader.authoring.completeness import check_completeness
from grader.course import Rubric, load_course, load_rubric

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "assignments" / "linear", tmp_path / "linear"))


def test_this_course_lacks_nothing():
    assert [line for rubric in load_course(ROOT).rubrics for line in check_completeness(rubric)] == []


def _said(folder: Path) -> list[str]:
    rubric: Rubric = load_rubric(folder)
    return [line.removeprefix(f"{folder}/") for line in check_completeness(rubric)]


def test_a_gradient_without_a_mistake_is_named(folder: Path):
    bank = folder / "mistakes.py"
    bank.write_text(bank.read_text().replace("linear_backward__db__", "linear_backward__dW__db_"))

    assert _said(folder) == [
        f"rubric.yaml:{_line(folder, 'db:')}:7: db of linear_backward has no mistake in {bank}; what do people get "
        "wrong in it?"
    ]


def test_a_gradient_without_points_needs_none(folder: Path):
    bank, rubric = folder / "mistakes.py", folder / "rubric.yaml"
    bank.write_text(bank.read_text().replace("linear_backward__db__", "linear_backward__dW__db_"))
    rubric.write_text(rubric.read_text().replace("points: 1.5\n        shape_hints", "points: 0\n        shape_hints"))

    assert load_rubric(folder).exercise("linear_backward").gradient("db").points == 0
    assert _said(folder) == []


def test_a_function_without_a_formula_is_named(folder: Path):
    rubric = folder / "rubric.yaml"
    rubric.write_text(re.sub(r"    maths:\n(      - .*\n)+", "", rubric.read_text()))

    assert _said(folder) == [
        f"rubric.yaml:{_line(folder, 'linear_backward:')}:3: linear_backward has no `maths`; write its forward as a "
        "line of TeX"
    ]


def test_a_thin_text_is_said_with_what_it_lacks(folder: Path):
    (folder / "README.md").write_text("# Linear\n\nWrite `linear_backward`. It returns `dx` and `dW`.\n")

    assert _said(folder) == [
        "README.md: the text has 9 words; the goal, the forward, a worked number and pitfalls take some 250",
        "README.md: does not name db of linear_backward; say each with its shape",
    ]


def _line(folder: Path, start: str) -> int:
    lines = (folder / "rubric.yaml").read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if line.strip().startswith(start))
