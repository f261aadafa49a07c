"""Hidden cases count, and what a student gets says how many failed and nothing else of them."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from grader.batch.export.github import as_github
from grader.batch.export.gradescope import as_gradescope
from grader.course import load_course
from grader.errors import CourseError
from grader.grading import Grader
from grader.report.html import render_html
from grader.report.json import report_as_json
from grader.report.terminal import print_report
from grader.results import Report
from grader.sandbox.answer import Outcome
from grader.submission import Submission
from grader.verdict.compare import Verdict

ROOT = Path(__file__).resolve().parents[2]
COURSE = """
format: 1
title: A course with secrets
assignments: [linear, dropout]
limits: {call_seconds: 1.0, submission_seconds: 20.0, memory_mb: 512, output_kb: 64}
"""
# N is 7, D is 1 and M is 9 in hidden cases only, and their names have an animal.
LAST = "      - {name: one output, N: 6, D: 2, M: 1}\n"
HIDDEN = """      - {name: zebra rows, N: 7, D: 3, M: 4, hidden: true}
      - {name: zebra columns, N: 5, D: 1, M: 9, hidden: true}
"""
RIGHT = "def linear_backward(dout, x, W):\n    {slip}\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
# What a function may do when it has a hidden case before it; the cases in which it does, and the points that are lost.
SLIPS = {
    "wrong values": ("if len(x) == 7: return dout @ W.T * 2, x.T @ dout, dout.sum(0)", 1, 1.5),
    "an exception": ("if len(x) == 7: raise ValueError(f'LEAK {tuple(x.shape)} {x[0, 0].item()}')", 1, 5.0),
    "a print": ("if len(x) == 7: print('LEAK', x); return None, None, None", 1, 5.0),
    "the end of the process": ("import os\n    if len(x) == 7: os._exit(77)", 2, 5.0),
    "a hang": ("while len(x) == 7: pass", 2, 5.0),
    "another slip in both": ("if W.shape == (1, 9): return dout, None, x.sum() / 0", 1, 5.0),
}
SECRETS = (
    "zebra",
    "LEAK",
    "(7, 3)",
    "(7, 4)",
    "(5, 1)",
    "(1, 9)",
    "(9,)",
    "with its hidden",
    "ended its process",
    "ran out",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with two hidden cases of linear, and a function of dropout whose cases are all hidden."""
    folder = tmp_path_factory.mktemp("secrets")
    for name in ("linear", "dropout"):
        shutil.copytree(ROOT / "assignments" / name, folder / "assignments" / name)
    (folder / "assignments" / "course.yaml").write_text(COURSE)
    path = folder / "assignments" / "linear" / "rubric.yaml"
    path.write_text(path.read_text().replace(LAST, LAST + HIDDEN))
    path = folder / "assignments" / "dropout" / "rubric.yaml"
    path.write_text(
        path.read_text().replace("  tanh_dropout_backward:\n", "  tanh_dropout_backward:\n    hidden: true\n")
    )
    return folder


@pytest.fixture(scope="module")
def grader(folder):
    return Grader(load_course(folder))


@pytest.fixture(scope="module")
def open_grader(small_course_folder):
    """The same course without anything hidden, as students have it at home."""
    return Grader(load_course(small_course_folder), only=["linear", "dropout_backward"])


def _grade(grader: Grader, warm, source: str, file: str = "linear.py") -> Report:
    return grader.grade(Submission("student", {file: source.encode()}, {}), warm)


def _given_to_student(report: Report) -> str:
    """Return everything that a student gets of a report, in one text."""
    shown = io.StringIO()
    print_report(report, Console(file=shown, width=200), verbose=True, explain=True)
    result = report_as_json(report)
    gradescope = as_gradescope(result)
    gradescope["tests"] = [test for test in gradescope["tests"] if test["visibility"] == "visible"]
    texts = [render_html(report), shown.getvalue(), json.dumps(report_as_json(report.for_student))]
    return "\n".join([*texts, json.dumps(gradescope), json.dumps(as_github(result))])


@pytest.mark.parametrize("slip", SLIPS)
def test_what_a_function_does_in_a_hidden_case_costs_points_and_is_not_told(slip, grader, open_grader, warm):
    code, failed, lost = SLIPS[slip]

    report = _grade(grader, warm, RIGHT.format(slip=code))

    function = report.assignments[0].exercises[0]
    assert (function.score, function.hidden.failed, function.hidden.lost) == (5.0 - lost, failed, lost)
    given = _given_to_student(report)
    assert f"{failed} hidden case{'s' * (failed > 1)} failed, which costs {lost:g} points." in given
    for secret in SECRETS:
        assert secret not in given, secret
    # And all else is what the same code gives where nothing is hidden.
    expected = _grade(open_grader, warm, RIGHT.format(slip=code)).assignments[0].exercises[0]
    told = function.for_student
    assert _timeless(replace(told, score=None, hidden=None)) == _timeless(replace(expected, score=None))


def _timeless(function):
    return replace(function, seconds=0.0)


def test_the_instructors_json_has_it_all_and_says_hidden(grader, warm):
    report = _grade(grader, warm, RIGHT.format(slip=SLIPS["wrong values"][0]))

    function = report_as_json(report)["assignments"][0]["exercises"][0]
    dx, dW, _ = function["gradients"]
    assert function["hidden"] == {"failed": 1, "lost": 1.5, "cases": 2}
    assert (dx["case"], dx["verdict"], dx["hidden"]) == ("zebra rows", "wrong_values", True)
    assert dx["actual"] == pytest.approx(2 * dx["expected"])
    assert (dW["verdict"], dW["hidden"], function["shown"]["score"]) == ("correct", False, 3.5)
    assert [each["verdict"] for each in function["shown"]["gradients"]] == ["correct"] * 3


CARRIER = """
import sys
seen = set()
def search(thing, depth=0):
    if hasattr(thing, "shape"):
        seen.add(str(tuple(thing.shape)))
    elif depth < 12 and isinstance(thing, (dict, list, tuple)):
        for each in thing.values() if isinstance(thing, dict) else thing:
            search(each, depth + 1)
    elif depth < 12 and type(thing).__module__.startswith(("grader", "__main__")):
        search(getattr(thing, "__dict__", {}), depth + 1)
def linear_backward(dout, x, W):
    seen.add(str(tuple(x.shape)))
    frame = sys._getframe()
    while frame is not None:
        search(list(frame.f_locals.values()))
        frame = frame.f_back
    print(sorted(seen))
    raise ValueError(sorted(seen))
"""


def test_inputs_of_hidden_cases_cannot_be_carried_into_what_is_shown(grader, warm):
    """Neither in a global nor in the memory of the process, which has the inputs of all other cases."""
    _grade(grader, warm, CARRIER)  # from now on the warm process has the inputs of hidden cases, too
    report = _grade(grader, warm, CARRIER)

    told = report.for_student.assignments[0].exercises[0]
    assert told.outcome is Outcome.RAISED
    assert "(5, 3)" in told.message
    assert "(7, 3)" not in _given_to_student(report)


def test_of_a_function_that_is_hidden_a_student_is_told_how_many_cases_failed(grader, warm):
    source = "def tanh_dropout_backward(dout, h, mask, p):\n    raise ValueError('LEAK')\n"

    report = _grade(grader, warm, source, "dropout.py")

    function = report.assignments[1].exercises[1]
    count = len(grader.course.rubrics[1].exercises[1].cases)
    assert (function.outcome, function.hidden.failed, function.hidden.cases) == (Outcome.RAISED, count, count)
    assert function.for_student.gradients == ()
    given = _given_to_student(report)
    assert f"{count} hidden cases failed" in given
    assert "LEAK" not in given
    assert "dh_preact" not in given


def test_a_right_submission_has_full_marks_with_hidden_cases_and_without(grader, warm):
    files = {f"{name}.py": (ROOT / "solutions" / f"{name}.py").read_bytes() for name in ("linear", "dropout")}

    report = grader.grade(Submission("ada", files, {}), warm)

    assert report.is_full_marks
    assert report.for_student.is_full_marks
    assert "No hidden case failed." in render_html(report)


def test_a_slip_of_every_case_is_explained_from_the_cases_that_are_shown(grader, warm):
    source = "def linear_backward(dout, x, W):\n    dx = 2 * dout @ W.T\n    return dx, x.T @ dout, dout.sum(0)\n"

    function = _grade(grader, warm, source).for_student.assignments[0].exercises[0]

    assert function.gradients[0].verdict is Verdict.WRONG_VALUES
    assert function.gradients[0].diagnosis is not None
    assert (function.hidden.failed, function.hidden.lost) == (2, 0.0)


def test_a_file_with_nothing_but_a_hidden_function_is_graded(folder, warm):
    grader = Grader(load_course(folder), only=["tanh_dropout_backward"])
    source = "def tanh_dropout_backward(dout, h, mask, p):\n    return dout * mask / (1 - p) * (1 - h**2)\n"

    report = _grade(grader, warm, source, "mine.py")

    assert report.is_full_marks


BROKEN = {
    "no truth": (
        "- {name: again, N: 1, D: 3, M: 4, hidden: 'yes'}",
        "hidden must be true or false, not 'yes'",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_rubric_says_plainly_whether_a_case_is_hidden(kind, folder, tmp_path):
    case, message = BROKEN[kind]
    shutil.copytree(folder, tmp_path / "course")
    path = tmp_path / "course" / "assignments" / "linear" / "rubric.yaml"
    path.write_text(path.read_text().replace(LAST, f"{LAST}      {case}\n"))

    with pytest.raises(CourseError) as caught:
        load_course(tmp_path / "course")

    assert caught.value.problems[0].endswith(message)
