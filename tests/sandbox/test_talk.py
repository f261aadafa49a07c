"""The time of a submission: it runs out, and what is asked again gets it back, once in all."""

from __future__ import annotations

from grader.sandbox.talk import Allowance


def test_time_is_used_up_when_it_was_spent():
    allowed = Allowance(2.0)

    allowed.spend(1.5)
    assert not allowed.is_used_up

    allowed.spend(0.5)
    assert allowed.is_used_up


def test_what_is_asked_again_gets_its_time_back():
    allowed = Allowance(2.0)

    allowed.spend(1.5)
    allowed.give_back(1.5)

    assert allowed.left == 2.0


def test_in_all_no_more_is_given_back_than_there_was():
    allowed = Allowance(2.0)

    for _ in range(10):
        allowed.spend(1.0)
        allowed.give_back(1.0)

    assert allowed.left == 2.0 - 10.0 + 2.0
