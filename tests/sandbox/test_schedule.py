"""The order of a function's calls: every one is made, and the answers come back in place."""

from __future__ import annotations

from grader.course import Course
from grader.grading import Grader
from grader.sandbox.answer import Answer, Outcome
from grader.sandbox.question import Call, Schedule, make_schedule

CALLS = [Call({"number": number}, b"") for number in range(5)]


def test_calls_are_made_in_the_order():
    arranged = Schedule((3, 0, 4, 1, 2)).arrange(CALLS)

    assert [call.numbers["number"] for call in arranged] == [3, 0, 4, 1, 2]


def test_answers_go_back_to_the_places_of_their_calls():
    answers = [Answer(Outcome.RETURNED, str(place)) for place in (2, 0, 1, 2)]

    restored = Schedule((2, 0, 1)).restore(answers)

    assert [answer and answer.message for answer in restored] == ["0", "1", "2"]


def test_calls_that_were_not_answered_have_no_answer():
    ended = Answer(Outcome.CRASHED, "1")

    assert Schedule((2, 1, 0)).restore([Answer(Outcome.RETURNED), ended]) == [None, ended, Answer(Outcome.RETURNED)]


def test_there_is_a_pair_only_if_the_call_was_made_again():
    answers = [Answer(Outcome.RETURNED, str(place)) for place in range(4)]

    assert Schedule((2, 0, 1)).pair(answers[:3]) is None
    assert Schedule((2, 0, 1)).pair(answers) == (answers[0], answers[3])


def test_an_order_depends_on_the_seed_and_on_nothing_else():
    orders = {make_schedule(5, seed, "linear").order for seed in range(20)}

    assert len(orders) > 10
    assert make_schedule(5, 3, "linear") == make_schedule(5, 3, "linear")
    assert all(sorted(order) == list(range(5)) for order in orders)


def test_the_functions_of_a_course_have_orders_of_their_own(course: Course):
    parts = Grader(course, 0, ("primitives",))._prepared["primitives"]

    assert len({prepared.schedule.order for prepared in parts}) > 3
