"""`grade case`: a script that runs without the grader."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from grader.course import Course
from grader.course.cases import Reference
from grader.errors import UsageError
from grader.workbench.script import find_module, write_case

RIGHT = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"


def _run(script: Path) -> str:
    """Run a script as a student would, with nothing of the grader on the path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-I", "-c", f"import sys, runpy; sys.path.insert(0, {str(script.parent)!r}); "]
    command[-1] += f"runpy.run_path({str(script)!r}); assert 'grader' not in sys.modules"
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.slow
def test_a_right_function_agrees_with_autograd(course: Course, tmp_path: Path):
    (tmp_path / "linear.py").write_text(RIGHT)

    path, _ = write_case(course, "linear_backward", None, 0, tmp_path)

    said = _run(path).splitlines()
    assert [line.split()[0] for line in said] == ["dx", "dW", "db"]
    assert all("approximate: True" in line for line in said)


@pytest.mark.slow
def test_the_whole_network_runs_and_says_which_is_wrong(course: Course, tmp_path: Path):
    body = "    print('cache has', len(vars(cache)))\n    return {'dlogprobs': cache.logprobs, 'dh': cache.b2}\n"
    (tmp_path / "mlp.py").write_text(f"def mlp_backward(cache):\n{body}")

    said = _run(write_case(course, "mlp_backward", "2", 0, tmp_path)[0])

    assert re.match(r"cache has \d\d\n", said)
    assert re.search(r"dlogprobs +\| exact: False \| approximate: False \| maxdiff: \d", said)
    assert re.search(r"dh +\| \(\d+,\) torch.float64, expected \(\d+, \d+\) torch.float64", said)
    assert re.search(r"dW1 +\| None", said)


@pytest.mark.slow
def test_a_function_in_another_folder_and_a_file_with_a_dash_are_found(course: Course, tmp_path: Path):
    (tmp_path / "my-answers").mkdir()
    (tmp_path / "my-answers" / "part one.py").write_text(RIGHT)

    path, _ = write_case(course, "linear_backward", "one row", 0, tmp_path)

    assert find_module(tmp_path, "linear", "linear_backward") == "my-answers.part one"
    assert "approximate: True" in _run(path)


def test_the_inputs_are_those_that_are_graded(course: Course, tmp_path: Path):
    rubric, exercise = course.exercise("linear_backward")
    graded = Reference(rubric).make_case(exercise, exercise.cases[1], seed=7)

    path, _ = write_case(course, "linear_backward", "2", 7, tmp_path)

    names: dict[str, torch.Tensor] = {}
    exec(re.search(r"^x = torch.tensor\(.*?^\], .*?\)$", path.read_text(), re.MULTILINE | re.DOTALL)[0], {"torch": torch}, names)  # fmt: skip # noqa: E501
    assert torch.equal(names["x"], graded.forward.values["x"])
    assert path.name == "case_linear_backward_2_seed_7.py"


def test_a_script_that_a_student_changed_is_kept(course: Course, tmp_path: Path):
    path, is_fresh = write_case(course, "linear_backward", None, 0, tmp_path)
    path.write_text(path.read_text() + "print('mine')\n")

    again = write_case(course, "linear_backward", None, 0, tmp_path)

    assert (is_fresh, again) == (True, (path, False))
    assert path.read_text().endswith("print('mine')\n")


MISUSES = {
    "an unknown function": ("linear_bakcward", None, "linear_bakcward is no function of the course"),
    "a case that is not there": (
        "linear_backward",
        "9",
        "--case 9: linear_backward has the cases 1 (all sizes differ)",
    ),
    "case zero": ("linear_backward", "0", "--case 0"),
    "a case of another name": ("linear_backward", "²", "--case ²"),
}


@pytest.mark.parametrize(("function", "case", "said"), MISUSES.values(), ids=MISUSES)
def test_a_name_that_is_not_there_is_said(function: str, case: str | None, said: str, course: Course, tmp_path: Path):
    with pytest.raises(UsageError, match=re.escape(said)):
        write_case(course, function, case, 0, tmp_path)


@pytest.mark.slow
def test_the_command_says_how_to_run_it(run_grade, tmp_path: Path):
    finished = run_grade("case", "linear_backward", "--case", "2")

    assert finished.stdout == "run it: python case_linear_backward_2.py\n"
    assert (tmp_path / "case_linear_backward_2.py").is_file()
