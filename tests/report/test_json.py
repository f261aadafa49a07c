"""The JSON of a report: its keys are a contract, its numbers are JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.report.json import report_as_json

KEYS = [
    "format", "course", "submission", "seed", "grader", "torch", "rules", "isolation", "score",
    "max_score", "seconds", "submitted_at", "adjustments", "assignments",
]  # fmt: skip
EXERCISE_KEYS = [
    "function", "score", "max_score", "outcome", "message", "line", "printed", "seconds",
    "flags", "invariants", "timing", "gradients",
]  # fmt: skip
GRADIENT_KEYS = [
    "name", "verdict", "score", "max_score", "case", "exact", "expected_shape", "actual_shape",
    "max_abs_error", "max_rel_error", "worst_index", "expected", "actual", "diagnosis",
]  # fmt: skip


@pytest.fixture(scope="module")
def graded(grade_source) -> Callable[[str], dict]:
    """Grade a body of linear_backward, and read what the JSON says."""

    def graded(body: str) -> dict:
        report = grade_source(f"def linear_backward(dout, x, W):\n    {body}\n")
        return json.loads(json.dumps(report_as_json(report), allow_nan=False))

    return graded


def _gradients(content: dict) -> dict[str, dict]:
    exercise = content["assignments"][0]["exercises"][0]
    return {gradient["name"]: gradient for gradient in exercise["gradients"]}


def test_the_keys_are_those_of_the_contract(graded):
    content = graded("return dout @ W.T, x.T @ dout, dout.sum(0)")

    exercise = content["assignments"][0]["exercises"][0]
    assert list(content) == KEYS
    assert list(content["assignments"][0]) == ["name", "title", "optional", "score", "max_score", "exercises"]
    assert list(exercise) == EXERCISE_KEYS
    assert list(exercise["gradients"][0]) == GRADIENT_KEYS


def test_every_assignment_is_listed_in_course_order(graded):
    content = graded("return None")

    assert [part["name"] for part in content["assignments"]] == ["linear", "dropout"]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_number_that_is_not_finite_is_a_string(value: str, graded):
    body = f"db = dout.sum(0); db[0] = float('{value}'); return dout @ W.T, x.T @ dout, db"

    db = _gradients(graded(body))["db"]

    assert (db["verdict"], db["actual"], db["worst_index"]) == ("not_finite", value, [0])
    assert db["max_abs_error"] in ("nan", "inf")


def test_the_numbers_of_the_worst_place_are_given(graded):
    body = "dW = x.T @ dout; dW[1, 2] += 0.5; return dout @ W.T, dW, dout.sum(0)"

    dW = _gradients(graded(body))["dW"]

    assert (dW["verdict"], dW["exact"], dW["expected_shape"]) == ("wrong_values", False, dW["actual_shape"])
    assert dW["max_abs_error"] == pytest.approx(0.5)
    assert dW["actual"] - dW["expected"] == pytest.approx(0.5)


def test_what_does_not_apply_is_null(graded):
    dx = _gradients(graded("return None, x.T @ dout, dout.sum(0)"))["dx"]

    assert dx["verdict"] == "not_returned"
    assert [dx[key] for key in ("actual_shape", "max_abs_error", "worst_index", "actual", "exact")] == [None] * 5


@pytest.mark.slow
def test_the_command_writes_the_same(run_grade, tmp_path: Path):
    (tmp_path / "linear.py").write_text("def linear_backward(dout, x, W):\n    return None\n")

    finished = run_grade("linear.py", "--json", "out.json", cwd=tmp_path)

    assert finished.returncode == 1
    assert list(json.loads((tmp_path / "out.json").read_text())) == KEYS
