"""Hints one at a time: in which order, what is remembered, and that they give no answer away."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.authoring.secrecy import secret_lines
from grader.course import Course
from grader.errors import UsageError
from grader.grading import Grader
from grader.report.hints import ladder
from grader.results import Report
from grader.sandbox.warm import Warm
from grader.submission import Submission
from grader.workbench.hint import Hint, functions_of, next_hint
from grader.workbench.history import History

ROOT = Path(__file__).resolve().parents[2]
SLIP = """def linear_backward(dout, x, W):
    dx = dout @ W.T
    dW = 3 * x.T @ dout
    db = None
    return dx, dW, db
"""


@pytest.fixture(scope="module")
def graded(small_grader: Grader, warm: Warm) -> dict[str, Report]:
    """Reports by the state of linear.py."""
    texts = {
        "slip": SLIP,
        "other slip": SLIP.replace("3 *", "1 +"),
        "right": SLIP.replace("3 * ", "").replace("None", "dout.sum(0)"),
        "raises": "def linear_backward(dout, x, W):\n    return dout @ W\n",
    }
    return {
        name: small_grader.grade(Submission("ada", {"linear.py": text.encode()}, {}), warm)
        for name, text in texts.items()
    }


def _hints(report: Report, asked: str = "", history: History | None = None, count: int = 8) -> list[Hint]:
    """Ask again and again, as a student does, and remember."""
    history, found = history or History(), []
    for _ in range(count):
        found.append(next_hint(report, asked, history))
        history = found[-1].history or history
    return found


def test_hints_go_from_a_nudge_to_the_authors_last_one(graded):
    found = _hints(graded["slip"], count=4)

    assert [(hint.number, hint.total) for hint in found] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert found[0].text == (
        "dW is wrong in itself, whatever came before it. These are right: dx. You make it in linear.py line 3. "
        "One line of the forward reads W: out = x @ W + b"
    )
    assert found[1].text.startswith("Your dW is the right gradient times 3.")
    assert found[2].text.startswith("Each weight is used once in every row")
    assert found[3].text.startswith("The product that has shape (D, M)")


def test_the_last_hint_says_so_and_names_the_lesson(graded):
    last, again = _hints(graded["slip"], count=5)[3:]

    assert last.lines(is_remembered=True)[-1] == (
        "This was the last hint. The lesson behind it: grade explain linear_backward"
    )
    assert again.text == last.text
    assert again.lines(is_remembered=True)[-1].startswith("There are no more hints.")


def test_another_slip_in_the_same_gradient_begins_anew(graded):
    before = _hints(graded["slip"], count=3)[-1].history

    assert next_hint(graded["other slip"], "", before).number == 1


def test_hints_for_two_gradients_are_counted_apart(graded):
    history = _hints(graded["slip"], count=2)[-1].history

    other = next_hint(graded["slip"], "db", history)

    assert (other.title, other.number) == ("db of linear_backward", 1)
    assert other.text == "db is not there yet. One line of the forward reads b: out = x @ W + b"
    assert next_hint(graded["slip"], "linear_backward.dW", other.history).number == 3


def test_what_could_not_be_remembered_is_said(graded):
    assert next_hint(graded["slip"], "", History()).lines(is_remembered=False)[-1] == (
        "It could not be remembered that you had this one. All hints at once: grade --explain"
    )


@pytest.mark.parametrize("asked", ["dW", "linear_backward", "linear", "linear_backward.dW"])
def test_what_is_right_is_said_to_be_right(asked: str, graded, small_grader: Grader, warm: Warm):
    report = graded["right"]
    if "d" not in asked or asked.startswith("linear"):
        only = functions_of(small_grader.course, asked)
        grader = Grader(small_grader.course, only=only)
        source = SLIP.replace("3 * ", "").replace("None", "dout.sum(0)").encode()
        report = grader.grade(Submission("ada", {"linear.py": source}, {}), warm)

    found = next_hint(report, asked, History())

    assert found.history is None
    assert found.text.endswith("is right. There is nothing to hint at.")


def test_a_function_that_raised_is_told_where(graded):
    assert "linear_backward raised an exception: linear.py line 2: RuntimeError" in (
        next_hint(graded["raises"], "", History()).text
    )


def test_an_unknown_name_is_answered_with_the_one_that_was_meant(course: Course):
    with pytest.raises(
        UsageError, match=r"^dlogit is no gradient and no function of the course; did you mean dlogits\?$"
    ):
        functions_of(course, "dlogit")


def test_no_hint_holds_a_line_of_a_solution(course: Course, warm: Warm):
    """Of every gradient of the course, as it is before anything is written: the nudge and all hints of the rubric."""
    files = {path.name: path.read_bytes() for path in (ROOT / "student_template").glob("*.py")}
    report = Grader(course).grade(Submission("ada", files, {}), warm)
    secret = set().union(*(secret_lines(course, rubric) for rubric in course.rubrics))

    hints = [
        hint
        for assignment in report.selected
        for exercise in assignment.exercises
        for gradient in exercise.gradients
        for hint in ladder(exercise, gradient)
    ]

    assert len(hints) > 150
    assert len(secret) > 100
    assert [(hint, line) for hint in hints for line in secret if line in hint] == []
