"""The graph on a page: every value once, with how its gradient stands and a way to what is said of it."""

from __future__ import annotations

import re

from grader.course import Course
from grader.grading import Grader
from grader.report.graph import draw_standing
from grader.report.html import render_html
from grader.results import Mark, Report

SLIPPED = """
def cross_entropy_steps_backward(cache):
    n = cache.logits.shape[0]
    dlogprobs = cache.logprobs * 0
    dlogprobs[range(n), cache.Y] = -1.0 / n
    dprobs = dlogprobs / cache.probs
    dcounts_sum_inv = (cache.counts * dprobs).sum(1, keepdim=True)
    dcounts_sum = -(cache.counts_sum**-2) * dcounts_sum_inv
    dcounts = cache.counts_sum_inv * dprobs
    dnorm_logits = cache.counts * dcounts
    return dlogprobs, dprobs, dcounts_sum_inv, dcounts_sum, dcounts, dnorm_logits, None, None
"""


def _report(course: Course, grade_source) -> Report:
    grader = Grader(course, only=["cross_entropy_steps_backward"])
    return grade_source(SLIPPED, file="softmax_cross_entropy.py", grader=grader)


def test_each_value_stands_as_its_gradient_does(course: Course, grade_source):
    (exercise,) = _report(course, grade_source).selected[0].exercises

    marks = exercise.marks
    assert marks["counts"] is Mark.SLIP
    assert marks["norm_logits"] is Mark.FOLLOWS
    assert marks["probs"] is Mark.RIGHT
    assert marks["logits"] is Mark.NOT_WRITTEN
    assert marks["loss"] is Mark.START


def test_every_box_leads_to_what_the_page_says_of_its_gradient(course: Course, grade_source):
    page = render_html(_report(course, grade_source))

    (drawn,) = re.findall(r'<svg class="graph".*?</svg>', page, re.DOTALL)
    links = re.findall(r'href="#([^"]+)"', drawn)
    assert len(links) == 8
    assert all(f'id="{link}"' in page for link in links)


def test_an_arrow_goes_to_every_value_that_is_made_of_another(course: Course, grade_source):
    (exercise,) = _report(course, grade_source).selected[0].exercises

    assert exercise.graph is not None
    assert {value.name for value in exercise.graph.consumers("counts")} == {"counts_sum", "probs"}
    reads = sum(len(value.reads) for value in exercise.graph.values)
    assert str(draw_standing(exercise)).count("m-3 5 3-5 3 5") == reads


def test_a_function_that_is_finished_needs_no_graph(course: Course, grade_source):
    source = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
    (exercise,) = grade_source(source, grader=Grader(course, only=["linear"])).selected[0].exercises

    assert exercise.is_full_marks
    assert draw_standing(exercise) == ""
