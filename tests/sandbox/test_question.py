"""A question: every call of a function is made, in a drawn order, and its inputs arrive as they were."""

from __future__ import annotations

from types import SimpleNamespace

import torch

from grader.course import Course
from grader.grading import Grader
from grader.sandbox.answer import Answer, Outcome
from grader.sandbox.guest.inputs import Form, unpack_inputs
from grader.sandbox.question import Question, Questionnaire, draw_order, flatten


def question(order: tuple[int, ...], *calls: dict) -> Question:
    return Question("f_backward", "f.py", ("dout", "cache"), ("dx",), calls, order)


def test_answers_go_back_to_the_places_of_their_calls():
    answers = [Answer(Outcome.RETURNED, str(place)) for place in (2, 0, 1)]

    restored = question((2, 0, 1)).restore(answers)

    assert [answer and answer.message for answer in restored] == ["0", "1", "2"]


def test_calls_that_were_not_answered_have_no_answer():
    ended = Answer(Outcome.CRASHED, "1")

    assert question((2, 1, 0)).restore([Answer(Outcome.RETURNED), ended]) == [None, ended, Answer(Outcome.RETURNED)]


def test_an_order_depends_on_the_seed_and_on_nothing_else():
    orders = {draw_order(5, seed, "linear") for seed in range(20)}

    assert len(orders) > 10
    assert draw_order(5, 3, "linear") == draw_order(5, 3, "linear")
    assert all(sorted(order) == list(range(5)) for order in orders)


def test_the_functions_of_a_course_have_orders_of_their_own(course: Course):
    asked = Grader(course, 0, ("primitives",)).questionnaires[0].questions

    assert len({question.order for question in asked}) > 3


def test_inputs_arrive_as_they_were_and_as_copies():
    x, Y = torch.randn(3, 1).expand(3, 2), torch.tensor([True, False])
    asked = question((0, 1), flatten({"dout": x, "cache": {"Y": Y, "p": 0.25}}), flatten({"dout": x + 1, "cache": {}}))
    message, payload = Questionnaire((asked, question(()))).inputs

    ((first, second), none) = unpack_inputs(message, bytearray(payload))
    arguments, again = first.give(Form(asked.given)).arguments, first.give(Form(asked.given)).arguments
    arguments["dout"].zero_()

    assert none == []
    assert torch.equal(again["dout"], x)
    assert torch.equal(again["cache"].Y, Y)
    assert again["cache"] == SimpleNamespace(Y=again["cache"].Y, p=0.25)
    assert torch.equal(second.values["dout"], x + 1)


def test_inputs_are_called_by_what_they_are():
    def name(value: float) -> str:
        return Questionnaire((question((0,), {"dout": torch.tensor([value])}),)).name

    assert name(1.0) == name(1.0)
    assert name(1.0) != name(-1.0)
