"""The conversation with one submission: what its time limits and its own ends cost, and what they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from grader.course import Course
from grader.grading import Grader
from grader.results import ExerciseFeedback
from grader.sandbox.child import MAX_MARKS, FloodError, Output

SLEEPS = """
import time


def add_backward(dout):
    time.sleep(0.4)
    return dout, dout


def exp_backward(dout, out):
    return dout * out
"""


@pytest.fixture(scope="module")
def feedback_on(course: Course, grade_source) -> Callable[..., dict[str, ExerciseFeedback]]:
    """Grade two functions within the limits that are given, and return what is said of each."""

    def feedback_on(source: str, **limits: float) -> dict[str, ExerciseFeedback]:
        limited = replace(course, limits=replace(course.limits, **limits))
        grader = Grader(limited, only=["add_backward", "exp_backward"])
        report = grade_source(source, file="primitives.py", grader=grader)
        return {each.function: each for each in report.selected[0].exercises}

    return feedback_on


def test_functions_behind_the_time_of_a_submission_are_timed_out_and_not_the_graders_fault(feedback_on):
    exercises = feedback_on(SLEEPS, call_seconds=1, submission_seconds=0.7)

    assert {function: each.outcome.value for function, each in exercises.items()} == {
        "add_backward": "timed_out",
        "exp_backward": "timed_out",
    }
    assert exercises["exp_backward"].score == 0
    assert exercises["exp_backward"].message == "the 0.7 s for the whole submission were used up before this call"


def test_a_function_that_is_slow_within_its_limits_is_right_and_unsuspected(feedback_on):
    exercises = feedback_on(SLEEPS, call_seconds=1, submission_seconds=20)

    assert {each.outcome.value for each in exercises.values()} == {"returned"}
    assert all(each.score == each.max_score for each in exercises.values())
    assert exercises["add_backward"].flags == ()


SLOW_TO_HIDE = """
import time

seen = []


def add_backward(dout):
    time.sleep(0.15)
    seen.append(1)
    return dout, dout * (len(seen) < 4)
"""


def test_a_slow_function_gets_new_numbers_too(feedback_on):
    flags = feedback_on(SLOW_TO_HIDE, call_seconds=1, submission_seconds=20)["add_backward"].flags

    assert [flag.kind for flag in flags] == ["other_with_new_numbers"]


LEAVES = """
import os

seen = []


def add_backward(dout):
    if any(each.shape == dout.shape and each.equal(dout) for each in seen):
        os._exit(0)
    seen.append(dout.clone())
    return dout, -dout


def exp_backward(dout, out):
    return dout * out
"""


def test_a_slip_is_explained_with_its_line_when_the_child_ended_in_the_repeated_call(feedback_on):
    exercises = feedback_on(LEAVES)

    slip = exercises["add_backward"].gradients[1]
    assert (slip.verdict.value, slip.code and slip.code.text) == ("wrong_values", "    return dout, -dout")
    assert slip.diagnosis is not None
    assert exercises["exp_backward"].score == exercises["exp_backward"].max_score


LEAVES_BEHIND_A_SLOW_ONE = """
import os
import time


def add_backward(dout):
    time.sleep(0.15)
    return dout, dout


def exp_backward(dout, out):
    os._exit(0)
"""


def test_time_is_given_back_where_the_end_of_another_function_has_one_asked_again(course: Course, feedback_on):
    calls = len(Grader(course, only=["add_backward"]).prepared("add_backward").question.order)

    # Enough for all calls, and too little to make them twice.
    exercises = feedback_on(LEAVES_BEHIND_A_SLOW_ONE, call_seconds=1, submission_seconds=0.15 * calls + 0.5)

    assert {function: each.outcome.value for function, each in exercises.items()} == {
        "add_backward": "returned",
        "exp_backward": "crashed",
    }
    assert exercises["add_backward"].score == exercises["add_backward"].max_score


def test_answers_that_are_too_many_bytes_in_all_are_not_read(feedback_on, monkeypatch):
    source = LEAVES_BEHIND_A_SLOW_ONE.replace("time.sleep(0.15)", "").replace("os._exit(0)", "return dout * out")
    monkeypatch.setattr("grader.sandbox.session.MAX_ANSWERS", 64)

    exercises = feedback_on(source)

    assert {each.outcome.value for each in exercises.values()} == {"bad_return"}
    assert exercises["exp_backward"].message == "the answers are larger than 0 MB in all"


def test_printed_marks_are_borne_once_each_and_none_that_no_answer_has():
    def printed(parts: Iterable[int], room: int) -> None:
        output = Output(room)
        output.expect("ab")
        for part in parts:
            output.add(b"[ab %d]" % part)

    printed(range(MAX_MARKS), room=20)
    for forged in ([MAX_MARKS] * 3, [7] * 8):
        with pytest.raises(FloodError):
            printed(forged, room=20)
