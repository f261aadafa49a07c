"""Answers judged once for all who gave them: what is shared, and what stays each student's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.course import load_course
from grader.grading import Grader
from grader.judge.judge import REMEMBERED
from grader.results import ExerciseFeedback

WRONG = "    return dout @ W.T, x.T @ dout, dout.sum(1)\n"
RIGHT = "    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
HEAD = "def linear_backward(dout, x, W):\n"


@pytest.fixture
def grader(small_course_folder) -> Grader:
    """A grader that has judged nothing yet."""
    return Grader(load_course(small_course_folder), only=["linear"])


@pytest.fixture
def feedback_on(grader: Grader, grade_source) -> Callable[..., ExerciseFeedback]:
    return lambda source, by=grader: grade_source(source, grader=by).selected[0].exercises[0]


def test_the_same_answers_get_the_same_judgement_and_keep_their_own_lines(feedback_on):
    first = feedback_on(HEAD + WRONG)
    second = feedback_on(f"# mine\n\n{HEAD}    print('here')\n{WRONG}")

    assert [each.diagnosis for each in second.gradients] == [each.diagnosis for each in first.gradients]
    assert (first.gradients[2].code.line, second.gradients[2].code.line) == (2, 5)
    assert (first.printed, second.printed) == ("", "here\n")


def test_what_was_judged_before_is_not_judged_again(feedback_on):
    first, second = (feedback_on(HEAD + RIGHT) for _ in range(2))

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
def test_answers_that_differ_in_anything_are_judged_apart(source: str, grader: Grader, feedback_on):
    alone = feedback_on(source)
    other = Grader(grader.course, only=["linear"])
    feedback_on(HEAD + RIGHT, other)

    after = feedback_on(source, other)

    assert [(each.verdict, each.comparison) for each in after.gradients] == [
        (each.verdict, each.comparison) for each in alone.gradients
    ]


@pytest.mark.slow
def test_only_so_many_judgements_are_remembered(grader: Grader, feedback_on):
    for number in range(REMEMBERED + 2):
        feedback_on(f"{HEAD}    return dout @ W.T, x.T @ dout, dout.sum(0) + {number}\n")

    judge = grader.judge("linear_backward")
    assert len(judge._known) == REMEMBERED
