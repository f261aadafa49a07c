"""What the grader finds suspicious in answers, looked at from outside."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import torch

from grader.flags import WEIGHTS
from grader.judge.flags import by_weight, find_difference
from grader.sandbox.answer import Answer, Flag, Outcome

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


def test_every_flag_is_explained_with_its_weight():
    text = (Path(__file__).resolve().parents[2] / "docs" / "flags.md").read_text()
    rows = re.findall(r"^\| (`.*?`) \| (\d) \|", text, re.MULTILINE)
    explained = {kind: int(weight) for kinds, weight in rows for kind in re.findall(r"`(\w+)`", kinds)}

    assert explained == WEIGHTS


def test_flags_come_by_weight_and_once_and_one_that_a_child_made_up_weighs_most():
    flags = [Flag("mutated_input", "x"), Flag("numerical", "1j"), Flag("mutated_input", "x"), Flag("nonsense", "?")]

    assert [flag.kind for flag in by_weight(flags)] == ["nonsense", "numerical", "mutated_input"]
