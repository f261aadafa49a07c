"""Answers judged once for all who gave them: what is shared, and what stays each student's own."""

from __future__ import annotations

import pytest

from grader.course import load_course
from grader.grading import Grader
from grader.judge.judge import REMEMBERED
from grader.results import ExerciseFeedback
from grader.sandbox.warm import Warm
from grader.submission import Submission

WRONG = "    return dout @ W.T, x.T @ dout, dout.sum(1)\n"
RIGHT = "    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
HEAD = "def linear_backward(dout, x, W):\n"


@pytest.fixture
def grader(small_course_folder) -> Grader:
    """A grader that has judged nothing yet."""
    return Grader(load_course(small_course_folder), only=["linear"])


def _grade(source: str, grader: Grader, warm: Warm) -> ExerciseFeedback:
    report = grader.grade(Submission("student", {"linear.py": source.encode()}, {}), warm)
    return report.selected[0].exercises[0]


def test_the_same_answers_get_the_same_judgement_and_keep_their_own_lines(grader: Grader, warm: Warm):
    first = _grade(HEAD + WRONG, grader, warm)
    second = _grade(f"# mine\n\n{HEAD}    print('here')\n{WRONG}", grader, warm)

    assert [each.diagnosis for each in second.gradients] == [each.diagnosis for each in first.gradients]
    assert (first.gradients[2].code.line, second.gradients[2].code.line) == (2, 5)
    assert (first.printed, second.printed) == ("", "here\n")


def test_what_was_judged_before_is_not_judged_again(grader: Grader, warm: Warm):
    first, second = (_grade(HEAD + RIGHT, grader, warm) for _ in range(2))

    assert all(again is judged for again, judged in zip(second.gradients, first.gradients, strict=True))


@pytest.mark.parametrize(
    "source",
    [
        HEAD + RIGHT.replace("dout.sum(0)", "dout.sum(0) * (1 + 1e-15)"),
        HEAD + RIGHT.replace("dout.sum(0)", "-dout.sum(0)"),
        HEAD + RIGHT.replace("dout.sum(0)", "dout.sum(0).float()"),
        HEAD + RIGHT.replace("dout.sum(0)", "dout.sum(0, keepdim=True)"),
        HEAD + RIGHT.replace("dout.sum(0)", "3"),
        HEAD + RIGHT.replace("dout.sum(0)", "None"),
        HEAD + RIGHT.replace("dout @ W.T, x.T @ dout", "x.T @ dout, dout @ W.T"),
        HEAD + f"    dx, dW, db = {RIGHT.partition('return ')[2]}    raise ValueError\n",
    ],
    ids=["last bits", "sign", "dtype", "shape", "a number", "None", "order", "an exception"],
)
def test_answers_that_differ_in_anything_are_judged_apart(source: str, grader: Grader, warm: Warm):
    alone = _grade(source, grader, warm)
    other = Grader(grader.course, only=["linear"])
    _grade(HEAD + RIGHT, other, warm)

    after = _grade(source, other, warm)

    assert [(each.verdict, each.comparison) for each in after.gradients] == [
        (each.verdict, each.comparison) for each in alone.gradients
    ]


def test_only_so_many_judgements_are_remembered(grader: Grader, warm: Warm):
    for number in range(REMEMBERED + 2):
        _grade(f"{HEAD}    return dout @ W.T, x.T @ dout, dout.sum(0) + {number}\n", grader, warm)

    (judge,) = grader._judges["linear"]
    assert len(judge._known) == REMEMBERED
