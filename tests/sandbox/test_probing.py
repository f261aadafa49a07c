"""What is tried with random numbers in place of sums takes many runs, and is left out where they take too long."""

from __future__ import annotations

import pytest
import torch

from grader.course import Course
from grader.grading import Grader
from grader.sandbox.probing import MAX_RUNS, Probing


@pytest.mark.parametrize(("call", "is_kept"), [(0.01, True), (0.2, False)])
def test_sums_are_tried_where_their_runs_fit_into_the_time_of_a_call(call: float, is_kept: bool, course: Course):
    question = Grader(course, only=["linear_backward"]).judge("linear_backward").prepared.question
    sums = ({"db": torch.ones(3)},) * 9
    probing = Probing(question, ({},), frozenset(), (sums,))

    found = probing.within(1.0, [0.9, call, call])

    assert found.sums == ((sums,) if is_kept else ())
    assert found.probes == probing.probes
    assert (MAX_RUNS + len(sums)) * 0.01 < 0.5 < (MAX_RUNS + len(sums)) * 0.2
