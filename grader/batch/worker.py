"""A worker of a batch: a course with its cases made, and a way to a warm process."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from grader.batch.hashes import hash_course, hash_grader
from grader.batch.task import Graded, Order, Task, require_isolation
from grader.course import default_course, load_course
from grader.course.graph import Graph, NamedValue
from grader.errors import SandboxError, SubmissionError, UsageError
from grader.grading import Grader
from grader.report.html import render_html
from grader.report.json import report_as_json
from grader.results import Report
from grader.sandbox.warm import Warm, start_warm
from grader.submission import Submission


def grade_task(order: Order, task: Task) -> Graded:
    """Grade one submission; the same task gives the same result wherever and however often it is done.

    Raises SandboxError if no sandbox is to be had, and UsageError if the course here is another one.
    """
    try:
        # Where a person has given points, whoever handed in nothing that can be graded has a result all the same.
        report = _grade(order, task.submission, may_be_empty=bool(task.adjustments))
    except SubmissionError as error:
        return Graded(None, None, problem=str(error))
    report = replace(report, submitted_at=task.submitted_at).adjusted(task.adjustments)
    return Graded(
        # In one line: indenting is done in Python and takes as long as the page does.
        result=json.dumps(report_as_json(report), allow_nan=False) + "\n",
        report=render_html(report, tells_seed=False),
        problem=task.problem,
        is_final=report.score is not None,
        isolation=report.isolation,
        lines=_lines(report.for_student),
        graphs=_graphs(report.for_student),
    )


def _graphs(report: Report) -> dict[str, Graph]:
    """Return the graphs of the functions that were graded, without sizes and lines, which a class has no use for."""
    exercises = (exercise for assignment in report.selected for exercise in assignment.exercises)
    return {
        each.function: Graph(tuple(NamedValue(value.name, (), value.reads) for value in each.graph.values))
        for each in exercises
        if each.graph is not None
    }


def _lines(report: Report) -> dict[str, str]:
    """Return the lines of code that made wrong gradients, of those that explain one of them."""
    return {
        f"{exercise.function} {gradient.name}": gradient.code.text
        for assignment in report.selected
        for exercise in assignment.exercises
        for gradient in exercise.gradients
        if gradient.code is not None and gradient.diagnosis is not None
    }


def set_up(order: Order) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Make ready, in a process that others are forked from, what all of them need.

    Returns the layers of isolation that were proved, and a line for each of the others.
    """
    warm = _first_warm()
    grader = _grader(order)
    warm.wait_ready()
    for questionnaire in grader.questionnaires:
        warm.provide(questionnaire)
    return warm.isolation, warm.weaknesses


def settle() -> None:
    """Take, in a forked worker, a way of its own to the warm process."""
    _HERE.warm = _first_warm().share()


def _grade(order: Order, submission: Submission, *, may_be_empty: bool) -> Report:
    grader = _grader(order)

    def attempt() -> Report:
        warm = _own_warm()
        warm.wait_ready()
        require_isolation(warm.isolation, warm.weaknesses, allows_weak=order.allows_weak_isolation)
        return grader.grade(submission, warm, may_be_empty=may_be_empty)

    try:
        report = attempt()
    except SandboxError:
        if _own_warm().is_alive:
            raise
    else:
        if report.score is not None or _own_warm().is_alive:
            return report
    # The warm process has died, with whatever it was asked: a new one, and once again.
    _HERE.warm = start_warm()
    return attempt()


@cache
def _grader(order: Order) -> Grader:
    """Return the grader of an order, made once for every process that is forked from this one."""
    folder = Path(order.course) if order.course is not None else default_course()
    if not folder.is_dir():
        raise UsageError(f"the course {folder} is not there on this machine; put it at the same path everywhere")
    if (hash_course(folder), hash_grader()) != (order.course_hash, order.grader_hash):
        raise UsageError(f"the course {folder} or the grader is another one on this machine than where the batch runs")
    torch.set_num_threads(1)
    return Grader(load_course(folder), order.seed, order.only, is_class=True)


@cache
def _first_warm() -> Warm:
    return start_warm()


def _own_warm() -> Warm:
    """Return this thread's way to the warm process of this process."""
    if not hasattr(_HERE, "warm"):
        with _LOCK:
            _HERE.warm = _first_warm().share()
    return _HERE.warm  # type: ignore[no-any-return] # a thread's attributes are untyped


# An executor gives a task no other place for what outlives it.
_HERE = threading.local()
_LOCK = threading.Lock()
