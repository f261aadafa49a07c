"""The conversation with one submission: what its time limits and its own ends cost, and what they do not."""

from __future__ import annotations

from dataclasses import replace

from grader.feedback import ExerciseFeedback
from grader.grading import Grader
from grader.rubric import Course
from grader.sandbox.warm import Warm
from grader.submission import Submission

SLEEPS = """
import time


def add_backward(dout):
    time.sleep(0.4)
    return dout, dout


def exp_backward(dout, out):
    return dout * out
"""


def _grade(source: str, course: Course, warm: Warm, **limits: float) -> dict[str, ExerciseFeedback]:
    limited = replace(course, limits=replace(course.limits, **limits))
    grader = Grader(limited, only=["add_backward", "exp_backward"])
    report = grader.grade(Submission("student", {"primitives.py": source.encode()}, {}), warm)
    return {each.function: each for assignment in report.selected for each in assignment.exercises}


def test_functions_behind_the_time_of_a_submission_are_timed_out_and_not_the_graders_fault(course: Course, warm: Warm):
    exercises = _grade(SLEEPS, course, warm, call_seconds=1, submission_seconds=0.7)

    assert {function: each.outcome.value for function, each in exercises.items()} == {
        "add_backward": "timed_out",
        "exp_backward": "timed_out",
    }
    assert exercises["exp_backward"].score == 0
    assert exercises["exp_backward"].message == "the 0.7 s for the whole submission were used up before this call"


def test_a_function_that_is_slow_within_its_limits_is_right_and_is_not_made_to_repeat(course: Course, warm: Warm):
    exercises = _grade(SLEEPS, course, warm, call_seconds=1, submission_seconds=20)

    assert {each.outcome.value for each in exercises.values()} == {"returned"}
    assert all(each.score == each.max_score for each in exercises.values())
    assert exercises["add_backward"].flags == ()
