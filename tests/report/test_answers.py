"""No page gives an answer away: of mistakes of the whole bank, none is told a line of a solution."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from grader.authoring.secrecy import secret_lines
from grader.course import Course
from grader.course.mistakes import Mistake
from grader.judge.judge import Judge, Patience
from grader.judge.prepared import Prepared, prepare_all
from grader.report.html import render_html
from grader.results import AssignmentFeedback, Report
from grader.sandbox.answer import Answer, Outcome

# Of every so many mistakes one.
EVERY = 25


def _answers(prepared: Prepared, mistake: Mistake) -> list[Answer]:
    """Return what a submission answers that is right but for one mistake, in the order of its calls."""
    asked = prepared.exercise.gradients
    found = []
    for place in prepared.question.order:
        if place >= len(prepared.cases):
            found.append(Answer(Outcome.RETURNED))
            continue
        case = prepared.cases[place]
        right = {each.name: case.expected[each.value].clone() for each in asked}
        wrong = mistake.evaluate(case, {})
        found.append(
            Answer(Outcome.RETURNED, gradients={**right, mistake.gradient: wrong} if wrong is not None else right)
        )
    return found


def _page(prepared: Prepared, mistake: Mistake) -> str:
    judge = Judge(prepared)
    answers = _answers(prepared, mistake)
    judgement = judge.judge(answers, Patience())
    if judgement.is_open:
        judgement = judge.judge_again(answers, Patience())
    feedback = judge.feedback(answers, judgement)
    part = AssignmentFeedback(prepared.rubric.name, prepared.rubric.title, 0.0, 1.0, (feedback,))
    return render_html(Report("course", "student", 0, "1", "2", (), 0.0, 1.0, 0.0, (part,)))


def _text(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page.partition("</style>")[2]))


def _sample(course: Course) -> Iterator[tuple[Prepared, Mistake]]:
    for rubric in course.rubrics:
        every = prepare_all([(rubric, rubric.exercises)], 0)[rubric.name]
        by_function = {prepared.exercise.function: replace(prepared, cases=prepared.cases[:2]) for prepared in every}
        for mistake in every[0].bank[::EVERY]:
            if mistake.function in by_function:
                yield by_function[mistake.function], mistake


@pytest.mark.slow
def test_no_page_of_a_mistake_has_a_line_of_a_solution(course: Course):
    secret = {rubric.name: secret_lines(course, rubric) for rubric in course.rubrics}
    told, shown, worked = [], 0, 0

    for prepared, mistake in _sample(course):
        page = _page(prepared, mistake)
        text = _text(page)
        shown += 'class="slip"' in page
        worked += "worked by hand" in page
        told += [(mistake.name, line) for line in secret[prepared.rubric.name] if line in text]

    assert all(secret[name] for name in ("mlp", "linear", "attention"))
    assert told == []
    assert shown > 15
    assert worked > 10
