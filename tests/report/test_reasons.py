"""Every gradient that earns less than its points says why, in the terminal and on the page."""

from __future__ import annotations

import html
import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from verdict.slip_table import Slip, all_slips

from grader.course import Course, load_course
from grader.grading import Grader
from grader.report import words
from grader.report.html import render_html
from grader.report.terminal import print_report
from grader.results import ExerciseFeedback, GradientFeedback, Report
from grader.sandbox.answer import Outcome
from grader.verdict.compare import Verdict

SUBMISSIONS = Path(__file__).parents[1] / "submissions"
# One of so many of the generated slips: no divisor of the kinds or the ways.
SOME = 149
# Behaviours that end a run in each way in which one can end.
ENDS = {
    "raises_half_way.py": Outcome.RAISED,
    "autograd_grad.py": Outcome.AUTOGRAD_USED,
    "returns_none.py": Outcome.NOT_WRITTEN,
    "wrong_number_of_gradients.py": Outcome.BAD_RETURN,
    "os_exit.py": Outcome.CRASHED,
    "syntax_error.py": Outcome.UNREADABLE,
    "endless_loop.py": Outcome.TIMED_OUT,
    "asks_for_too_much_memory.py": Outcome.OUT_OF_MEMORY,
    "prints_too_much.py": Outcome.TOO_MUCH_OUTPUT,
}


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text)


def _on_page(report: Report) -> str:
    text = re.sub(r"(?s)<(style|script|svg).*?</\1>", "", render_html(report))
    return _letters(html.unescape(re.sub("<[^>]+>", "", text)))


def _in_terminal(report: Report) -> str:
    out = StringIO()
    print_report(report, Console(file=out, width=200))
    return _letters(out.getvalue())


def _reason(gradient: GradientFeedback, exercise: ExerciseFeedback) -> str:
    if gradient.verdict is Verdict.FOLLOWS:
        return words.follows_line(exercise.of(Verdict.FOLLOWS))
    if gradient.is_absent:
        # Where nothing came back, what ended the run says it for all of them.
        return words.absent_line(exercise) if exercise.has_answer else words.outcome_line(exercise)
    return words.slip_line(gradient)


def _reasons(report: Report) -> list[str]:
    exercises = [each for part in report.selected for each in part.exercises]
    less = [
        (gradient, each) for each in exercises for gradient in each.gradients if gradient.score != gradient.max_score
    ]
    return [_letters(_reason(*pair)) for pair in less]


@pytest.mark.parametrize("slip", list(all_slips())[::SOME], ids=str)
def test_a_gradient_with_less_than_its_points_says_why(slip: Slip, course: Course, grade_source):
    report = grade_source(slip.source(), file=slip.file, grader=Grader(course, seed=3, only=[slip.function]))

    page, terminal = _on_page(report), _in_terminal(report)
    assert all(reason and reason in page and reason in terminal for reason in _reasons(report))


@pytest.fixture(scope="module")
def linear(small_course_folder: Path) -> Grader:
    """The small course's linear layer alone, with its short limits."""
    return Grader(load_course(small_course_folder), only=["linear"])


@pytest.mark.parametrize(("name", "outcome"), ENDS.items(), ids=ENDS)
def test_a_run_that_ends_otherwise_says_why_for_all_that_it_costs(
    name: str, outcome: Outcome, linear: Grader, grade_source
):
    report = grade_source((SUBMISSIONS / name).read_text(), grader=linear)

    page, terminal = _on_page(report), _in_terminal(report)
    assert report.selected[0].exercises[0].outcome is outcome
    assert all(reason and reason in page and reason in terminal for reason in _reasons(report))
