"""Sizes of one case that are written into the code: named, or asked about, where the student looks."""

from __future__ import annotations

import pytest
from verdict.slip_table import ROOT

from grader.course import Course
from grader.grading import Grader
from grader.results import ExerciseFeedback

SOLUTION = (ROOT / "solutions" / "mlp.py").read_text()


@pytest.fixture(scope="module")
def feedback_on(course: Course, grade_source):
    grader = Grader(course, only=["mlp_backward"])

    def feedback_on(old: str, new: str) -> ExerciseFeedback:
        assert old in SOLUTION
        source = SOLUTION.replace(old, new)
        return grade_source(source, file="mlp.py", grader=grader).selected[0].exercises[0]

    return feedback_on


def test_a_size_of_the_lesson_in_a_factor_is_named_with_the_case_where_it_is_right(feedback_on):
    exercise = feedback_on("dlogprobs[range(n), Y] = -1.0 / n", "dlogprobs[range(n), Y] = -1.0 / 32")

    diagnosis = {each.name: each.diagnosis for each in exercise.gradients}["dlogprobs"]
    assert diagnosis is not None
    assert diagnosis.message == (
        "Your dlogprobs has 32 where N belongs. That is right in the case 'the sizes of the lesson', where N is 32, "
        "and nowhere else. Look for a 32 in your code, and take the size from a tensor."
    )


def test_a_size_of_the_lesson_in_a_shape_is_named_at_the_line_that_makes_it(feedback_on):
    exercise = feedback_on("dbn_diff_sq = dbn_var.expand_as(bn_diff_sq)", "dbn_diff_sq = dbn_var.expand(32, -1)")

    slip = {each.name: each for each in exercise.gradients}["dbn_diff_sq"]
    assert slip.diagnosis is not None
    assert slip.diagnosis.id == "written_in:N=32"
    assert slip.code is not None
    assert "expand(32, -1)" in slip.code.text


def test_a_size_of_the_lesson_that_raises_elsewhere_is_asked_about_with_its_line(feedback_on):
    exercise = feedback_on("dlogprobs = torch.zeros_like(logprobs)", "dlogprobs = torch.zeros((32, 27))")

    assert exercise.outcome.value == "raised"
    assert exercise.line is not None
    assert exercise.message.endswith(
        "Is 27 written into your code where the size of axis 0 of C belongs? That is 27 in the case 'the sizes of the "
        "lesson', which went well, and 10 here"
    )
