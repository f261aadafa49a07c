"""The lesson behind a function: what is shown, for every function of the course, and what never is."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from grader.authoring.secrecy import secret_lines
from grader.course import Course
from grader.report.screen import Screen
from grader.workbench.lesson import find_lessons, plain_maths, print_lessons
from grader.workbench.rules import find_rules

ROOT = Path(__file__).resolve().parents[2]


def _shown(course: Course, word: str, width: int = 80) -> str:
    out = StringIO()
    console = Console(file=out, force_terminal=True, no_color=True, color_system=None, width=width)
    print_lessons(find_lessons(course, word), Screen(console))
    return out.getvalue()


def test_a_function_is_told_by_its_forward_the_maths_and_the_rules(course: Course):
    shown = _shown(course, "linear_backward")

    assert shown.startswith(
        "linear · A linear layer\n\n"
        "linear_backward(dout, x, W) returns dx, dW, db\n"
        "    out = x @ W + b\n"
        "The maths:\n"
        "    out_{nm} = sum_{d=1}^D x_{nd} W_{dm} + b_m\n"
        "The rules:\n"
        "    a @ b: a matmul swaps: "
    )
    assert "linear.md" in shown


def test_a_gradient_is_told_by_the_lines_about_its_value(course: Course):
    (lesson,) = find_lessons(course, "dbn_diff").lessons

    assert lesson.forward == ("bn_diff = h_prebn - bn_mean", "bn_diff_sq = bn_diff**2", "bn_raw = bn_diff * bn_var_inv")
    assert (
        "bn_diff, which is read more than once",
        "two uses add: what comes back from each is added up",
    ) in lesson.rules


def test_a_gradient_of_a_named_function_is_told_of_that_one(course: Course):
    assert find_lessons(course, "dropout_backward.dh").lessons[0].function == "dropout_backward"
    assert find_lessons(course, "mlp_backward.dprobs").lessons[0].function == "mlp_backward"


def test_an_assignment_is_told_by_its_goal_and_the_forward_of_each_function(course: Course):
    shown = _shown(course, "dropout")

    assert "Goal" in shown
    assert "dropout_backward(dout, mask, p)" in shown
    assert "tanh_dropout_backward(" in shown


def test_an_unknown_word_has_no_lesson(course: Course):
    assert find_lessons(course, "nothing") is None


@pytest.mark.parametrize("width", [40, 80])
def test_every_lesson_fits_a_terminal(width: int, course: Course):
    for function in course.functions:
        assert max(map(len, _shown(course, function, width).splitlines())) <= width, function


def test_every_function_has_a_forward_and_a_rule(course: Course):
    for function in course.functions:
        (lesson,) = find_lessons(course, function).lessons
        assert lesson.forward, function
        assert lesson.rules, function


def test_no_lesson_holds_a_line_of_a_solution(course: Course):
    secret = set().union(*(secret_lines(course, rubric) for rubric in course.rubrics))

    for word in [*course.names, *course.functions]:
        shown = _shown(course, word, 1000)
        forward = {line.strip() for lesson in find_lessons(course, word).lessons for line in lesson.forward}
        told = [line for line in map(str.strip, shown.splitlines()) if line not in forward]
        assert [line for line in secret if any(line in each for each in told)] == [], word


RULES = {
    "x.sum(1)": "a sum",
    "x.exp()": "exp",
    "-x": "-a",
    "C[X]": "a[...]",
    "x.T": ".T",
    "x / y": "a / b",
}


@pytest.mark.parametrize(("code", "operation"), RULES.items(), ids=RULES)
def test_each_operation_has_its_rule(code: str, operation: str):
    assert operation in dict(find_rules(f"out = {code}"))


def test_a_size_is_no_operation_that_passes_a_gradient():
    assert list(find_rules("n = x.shape[0]")) == []


def test_maths_loses_its_markup():
    assert plain_maths(r"\mathrm{h\_prebn}_{ij} = \frac{1}{N} \sum_{i} x_{i} \, \text{W1}_j \cdot y") == (
        "h_prebn_{ij} = 1/N sum_i x_i W1_j * y"
    )


def test_no_torch_is_loaded_for_it():
    code = (
        "import sys\nfrom grader.cli import main\nsys.argv = ['grade', 'explain', 'dW']\n"
        "try:\n    main()\nexcept SystemExit:\n    sys.exit('torch' in sys.modules)"
    )

    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stderr
    assert "linear_backward(dout, x, W) returns dW, among others" in finished.stdout
