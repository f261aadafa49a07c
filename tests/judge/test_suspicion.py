"""What the grader finds suspicious in answers, looked at from outside."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from grader.grading import Grader
from grader.judge.judge import find_difference, find_processor_time, measure_backward
from grader.sandbox.answer import Answer, Outcome

ZERO = torch.zeros(2, 3)


def _answer(*, outcome: Outcome = Outcome.RETURNED, **gradients: torch.Tensor) -> Answer:
    return Answer(outcome, gradients=gradients)


SAME = {
    "equal bits": (_answer(dx=ZERO), _answer(dx=ZERO.clone())),
    "nan": (_answer(dx=ZERO * math.nan), _answer(dx=ZERO * math.nan)),
    "nothing in it": (_answer(dx=torch.zeros(0, 3)), _answer(dx=torch.zeros(0, 3))),
    "no dimension": (_answer(dx=torch.tensor(1.0)), _answer(dx=torch.tensor(1.0))),
    "no gradient": (_answer(outcome=Outcome.RAISED), _answer(outcome=Outcome.RAISED)),
    "a log took too long": (_answer(dx=ZERO), _answer(outcome=Outcome.TIMED_OUT)),
}
DIFFERENT = {
    "the sign of zero": (_answer(dx=ZERO), _answer(dx=-ZERO), "other bits: dx"),
    "the last bit": (_answer(dx=ZERO + 1), _answer(dx=ZERO + 1 + 2**-23), "other bits: dx"),
    "a shape": (_answer(dx=ZERO), _answer(dx=ZERO.T), "other bits: dx"),
    "a dtype": (_answer(dx=ZERO), _answer(dx=ZERO.double()), "other bits: dx"),
    "one is not there": (_answer(dx=ZERO, dW=ZERO), _answer(dW=ZERO), "other bits: dx"),
    "an outcome": (_answer(dx=ZERO), _answer(outcome=Outcome.RAISED), "returned at first, raised when made again"),
}


@pytest.mark.parametrize(("first", "second"), SAME.values(), ids=SAME)
def test_answers_that_are_the_same(first: Answer, second: Answer):
    assert find_difference(first, second) == []


@pytest.mark.parametrize(("first", "second", "said"), DIFFERENT.values(), ids=DIFFERENT)
def test_answers_that_differ(first: Answer, second: Answer, said: str):
    (flag,) = find_difference(first, second)

    assert flag.kind == "nondeterministic"
    assert said in flag.detail


def _kinds(grader: Grader, times: float, floor: float, answer: Answer) -> list[str]:
    cases = grader.prepared("linear_backward").cases[:1]
    flags = find_processor_time(cases, [replace(answer, cpu_seconds=times * floor)], lambda _: floor)
    return [flag.kind for flag in flags]


def test_processor_time_counts_only_if_it_is_long_and_out_of_proportion(small_grader: Grader):
    returned = Answer(Outcome.RETURNED)

    assert _kinds(small_grader, 1000, 0.001, returned) == ["processor_time"]
    assert _kinds(small_grader, 1000, 0.0001, returned) == []
    assert _kinds(small_grader, 100, 0.01, returned) == []


def test_a_call_that_ran_out_of_time_says_so_and_needs_no_flag(small_grader: Grader):
    assert _kinds(small_grader, 1000, 0.01, Answer(Outcome.TIMED_OUT)) == []


def test_processor_time_that_is_not_known_is_no_suspicion(small_grader: Grader):
    cases = small_grader.prepared("linear_backward").cases

    assert find_processor_time(cases, [Answer(Outcome.RETURNED), None]) == []


def test_measuring_autograd_leaves_the_number_of_threads_as_it_was(small_grader: Grader):
    threads = torch.get_num_threads()

    seconds = measure_backward(small_grader.prepared("linear_backward").cases[0])

    assert seconds > 0
    assert torch.get_num_threads() == threads
