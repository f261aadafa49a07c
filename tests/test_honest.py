"""Right answers written in other ways than the solution are right: the files in tests/honest/."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from grader.authoring.answers import handed_in
from grader.authoring.margins import Proof, Subject
from grader.authoring.template import read_solution
from grader.course import Course, Style
from grader.grading import Grader
from grader.sandbox.warm import Warm
from grader.submission import Submission

FILES = sorted((Path(__file__).parent / "honest").glob("*.py"))
VARIANTS = [
    (path, node.name)
    for path in FILES
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and "__" in node.name
]


@pytest.fixture(scope="session")
def grader_of(course: Course) -> Callable[[str], Grader]:
    """Return graders of one function each, made once: a whole course would be asked of every variant."""
    return cache(lambda function: Grader(course, seed=1, only=[function]))


def test_every_assignment_has_honest_variants(course: Course):
    assert {path.stem for path in FILES} == {rubric.name for rubric in course.rubrics}


@pytest.mark.parametrize(("path", "variant"), VARIANTS, ids=[variant for _, variant in VARIANTS])
def test_an_honest_variant_is_correct_and_gets_no_flag(path: Path, variant: str, course: Course, grader_of, warm: Warm):
    function = variant.partition("__")[0]
    rubric, exercise = course.exercise(function)
    subject = Subject(course, rubric, warm, Proof(rubric.name))
    text = handed_in(path, variant, exercise)
    alone = Submission(path.name, {path.name: text.encode()}, {})
    submission = subject.hand_in(text, read_solution) if exercise.style is Style.FUNCTION else alone

    report = grader_of(function).grade(submission, warm)

    exercises = {exercise.function: exercise for part in report.selected for exercise in part.exercises}
    exercise = exercises[function]
    # Of a timed exercise, the time may cost what it costs.
    assert {gradient.verdict.value for gradient in exercise.gradients} == {"correct"}, exercise
    assert exercise.flags == ()
