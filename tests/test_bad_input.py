"""Answers and texts that nobody expects: each still gives a report, and one of a sensible size."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from grader.course import load_course
from grader.errors import SubmissionError
from grader.grading import Grader
from grader.report.html import render_html
from grader.report.terminal import print_report
from grader.results import Report
from grader.sandbox.warm import Warm
from grader.submission import Submission, read_submission

RUBRIC = """
format: 1
title: Odd sizes
exercises:
  double_backward:
    forward: double
    given: [dout]
    gradients: {dx: {points: 1}}
    cases:
      - {name: only, shape: [SHAPE]}
"""
REFERENCE = """
def double_inputs(rng, shape):
    return {"x": rng.normal(*shape)}


def double(t):
    t.out = 2 * t.x
"""
SHAPES = {
    "a million": "1000, 1000",
    "a long row": "1000000",
    "one": "1",
    "one by one": "1, 1",
    "no axis": "",
    "none": "0, 3",
}
ANSWERS = {
    "wrong everywhere": "dout * 3",
    "wrong at one place": "_off(dout)",
    "all NaN": "dout * float('nan')",
    "all infinite": "dout * 0 + float('inf')",
    "huge": "dout * 1e308",
    "tiny": "dout * 1e-308",
    "another shape": "dout.unsqueeze(0)",
}
HELPER = """
def _off(dout):
    dx = 2 * dout
    if dx.numel():
        dx.view(-1)[-1] += 1
    return dx
"""


def _odd_grader(shape: str, folder: Path) -> Grader:
    assignment = folder / "assignments" / "odd"
    assignment.mkdir(parents=True)
    (folder / "assignments" / "course.yaml").write_text("format: 1\ntitle: Odd\nassignments: [odd]\n")
    (assignment / "rubric.yaml").write_text(RUBRIC.replace("SHAPE", shape))
    (assignment / "reference.py").write_text(REFERENCE)
    (assignment / "mistakes.py").write_text("")
    return Grader(load_course(folder))


def _rendered(report: Report) -> tuple[str, str]:
    out = StringIO()
    print_report(report, Console(file=out, markup=False, highlight=False, emoji=False), explain=True)
    return render_html(report), out.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_gradients_of_any_size_give_a_report_of_a_sensible_one(shape: str, tmp_path: Path, grade_source):
    grader = _odd_grader(shape, tmp_path)

    for answer in ANSWERS.values():
        source = f"{HELPER}\ndef double_backward(dout):\n    return {answer}\n"
        report = grade_source(source, file="odd.py", grader=grader)
        page, text = _rendered(report)

        assert report.score is not None, report.selected[0].exercises[0].message
        assert len(page) < 60_000
        assert len(text) < 4_000


TEXTS = {
    "right to left": "\u202eevil\u2066",
    "Hebrew": "שלום " * 20,
    "terminal escapes": "\x1b[31mred\x1b]8;;http://example.org\x07link\x1b]8;;\x07",
    "rich markup": "[bold red]x[/] [link=http://example.org]y[/link] :smile:",
    "marks upon marks": "Z" + "\u0351" * 500,
    "a long word": "w" * 100_000,
    "many lines": "x\n" * 50_000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts_of_any_kind_are_shown_as_they_are_and_bounded(text: str, grade_source):
    source = f"def linear_backward(dout, x, W):\n    print({text!a})\n    raise ValueError({text!a})\n"

    page, said = _rendered(grade_source(source))

    assert len(page) < 60_000
    assert not {"\x1b", "\u202e", "\u2066"} & set(page + said)


def test_a_text_is_no_template(grade_source):
    source = "def linear_backward(dout, x, W):\n    raise ValueError('{{ 7 * 7 }}{% raw %}')\n"

    page, _ = _rendered(grade_source(source))

    assert "ValueError: {{ 7 * 7 }}{% raw %}" in page


def test_ten_megabytes_of_source_are_refused_in_words(tmp_path: Path, small_grader: Grader, warm: Warm):
    (tmp_path / "linear.py").write_text("# " + "x" * 10_000_000)

    page, said = _rendered(small_grader.grade(read_submission(tmp_path), warm))

    assert "linear.py could not be read: larger than 1 MB" in said
    assert len(page) < 60_000


@pytest.mark.parametrize("name", ["a/b", "../../x", "a\nb", "<b>x</b>", "\u202eexe.py", "x" * 500, "[red]"])
def test_a_submission_may_have_any_name(name: str, small_grader: Grader, warm: Warm):
    source = b"def linear_backward(dout, x, W):\n    return dout\n"

    page, _ = _rendered(small_grader.grade(Submission(name, {"linear.py": source}, {}), warm))

    assert "<b>x</b>" not in page


def test_a_file_name_with_markup_stays_text(grade_source):
    source = "def linear_backward(dout, x, W):\n    return dout, 2 * x.T @ dout, None\n"

    page, said = _rendered(grade_source(source, file="[b]<i>.py"))

    assert "[b]&lt;i&gt;.py" in page
    assert "[b]<i>.py line 2" in said


FOREIGN = {
    "a notebook": (b'{\n "cells": [],\n "metadata": {}\n}', "it is a notebook; let its name end in .ipynb"),
    "a merge that was not finished": (b"x = 1\n<<<<<<< HEAD\n=======\n>>>>>>> b\n", "a merge was not finished"),
    "lines of a console": (b">>> def linear_backward(dout, x, W):\n...     return x\n", "it was copied from a console"),
    "rich text": (b"{\\rtf1\\ansi x}", "it is rich text; save it as plain text"),
    "a web page": (b"<!DOCTYPE html>\n<html>", "it is a web page"),
    "an archive": (b"PK\3\4\0\0", "it is a zip archive, or a document of an office program"),
}


@pytest.mark.parametrize(("content", "said"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_holds_something_else_than_python_is_called_what_it_is(
    content: bytes, said: str, small_grader, warm
):
    report = small_grader.grade(Submission("x", {"linear.py": content, "dropout.py": b"x = 1\n"}, {}), warm)

    (exercise,) = (each for each in report.selected[0].exercises if each.function == "linear_backward")
    assert exercise.outcome.value == "unreadable"
    assert exercise.message.startswith(f"linear.py: {said}")


def test_names_without_number_are_not_all_compared_with_the_courses(small_grader, warm):
    text = "".join(f"def linear_ba{number:07}(): ...\n" for number in range(100_000))
    with pytest.raises(SubmissionError, match="no function of the course is defined in x"):
        small_grader.grade(Submission("x", {"notes.py": f'''"""\n{text}"""\n'''.encode()}, {}), warm)
