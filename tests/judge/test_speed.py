"""The time of a function against autograd's: who is timed, what it is worth, what voids it. No time is asserted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from grader.course import Place, Timing, load_course
from grader.errors import CourseError
from grader.grading import Grader
from grader.judge.speed import BLOCKS, CALLS, ENOUGH_BLOCKS, Block, TimedForward, judge_times, time_function
from grader.report.json import report_as_json
from grader.results import ExerciseFeedback
from grader.sandbox.question import Question, Questionnaire, flatten

COURSE = """\
format: 1
title: A course
assignments: [quick]
limits: {call_seconds: 1.0, submission_seconds: 20.0, memory_mb: 512, output_kb: 64}
"""
# The ratio is one that every machine keeps, or none.
RUBRIC = """\
format: 1
title: Quick
exercises:
  quick_backward:
    forward: squash
    given: [cache]
    gradients:
      dx: {points: 2}
      dw: {points: 1}
    cases:
      - {name: small, N: 3}
      - {name: timed, N: 50}
    timing: {case: timed, ratio: 1.0e+9, points: 4}
"""
REFERENCE = """\
def squash_inputs(rng, N):
    return {"x": rng.normal(N), "w": rng.normal(N)}


def squash(t):
    t.h = (t.x * t.w).tanh()
    t.loss = t.h.mean()
"""
RIGHT = """\
import torch


def quick_backward(cache):
    inner = (1 - cache.h**2) / len(cache.h)
    dx, dw = inner * cache.w, inner * cache.x
    return dx, dw
"""
# Two cases are asked before anything is timed.
LATER = (
    RIGHT.replace(
        "    return dx, dw\n",
        "    calls.append(1)\n    if len(calls) > 2:\n        {then}\n    return dx, dw\n",
    )
    + "\n\ncalls = []\n"
)


def write_course(folder: Path, rubric: str = RUBRIC, reference: str = REFERENCE) -> Path:
    own = folder / "assignments" / "quick"
    own.mkdir(parents=True)
    (folder / "assignments" / "course.yaml").write_text(COURSE)
    (own / "rubric.yaml").write_text(rubric)
    (own / "reference.py").write_text(reference)
    return folder


@pytest.fixture(scope="module")
def grader(tmp_path_factory) -> Grader:
    return Grader(load_course(write_course(tmp_path_factory.mktemp("course"))))


@pytest.fixture(scope="module")
def strict_grader(tmp_path_factory) -> Grader:
    rubric = RUBRIC.replace("1.0e+9", "1.0e-9")
    return Grader(load_course(write_course(tmp_path_factory.mktemp("strict"), rubric)))


@pytest.fixture(scope="module")
def feedback_on(grader: Grader, grade_source) -> Callable[..., ExerciseFeedback]:
    def feedback_on(source: str, by: Grader = grader) -> ExerciseFeedback:
        report = grade_source(source, file="quick.py", grader=by)
        assert report_as_json(report)
        return report.selected[0].exercises[0]

    return feedback_on


def test_a_correct_function_gets_a_ratio_and_the_points_for_staying_under_it(feedback_on):
    exercise = feedback_on(RIGHT)
    timing = exercise.timing

    assert timing is not None
    assert timing.manual > 0
    assert timing.ratio == timing.manual / timing.autograd
    assert timing.spread.startswith(f"over {ENOUGH_BLOCKS} blocks: ")  # it may take a billion times as long
    assert exercise.score == exercise.max_score == 7


def test_a_slow_function_loses_its_timing_points_only(strict_grader, feedback_on):
    exercise = feedback_on(RIGHT, strict_grader)

    assert [gradient.verdict.value for gradient in exercise.gradients] == ["correct", "correct"]
    assert exercise.timing is not None
    assert (exercise.timing.score, exercise.timing.max_score) == (0, 4)
    assert exercise.timing.spread.startswith(f"over {BLOCKS} blocks: ")
    assert (exercise.score, exercise.max_score) == (3, 7)


UNTIMED = {
    "one gradient is wrong": (RIGHT.replace("inner * cache.x", "inner"), 2),
    "one gradient is missing": (RIGHT.replace("return dx, dw", "return dx, None"), 2),
    "nothing is written": ("def quick_backward(cache):\n    raise NotImplementedError\n", 0),
    "it raises behind the gradients": (RIGHT.replace("    return dx, dw", "    raise ValueError"), 3),
}


@pytest.mark.parametrize(("source", "score"), UNTIMED.values(), ids=UNTIMED)
def test_a_function_that_is_not_all_right_is_not_timed(feedback_on, source, score):
    exercise = feedback_on(source)

    assert exercise.timing is None
    assert (exercise.score, exercise.max_score) == (score, 7)


THEN = {
    "answers wrongly": "return dx * 2, dw",
    "answers with ones": "return ones, dw",
    "answers in float32": "return dx.float(), dw.float()",
    "answers with something else": "return 'fast'",
    "raises": "raise ValueError",
    "hangs": "iter(int, 1).__class__; [None for _ in iter(int, 1)]",
    "ends its process": "__import__('os')._exit(0)",
}


@pytest.mark.parametrize("then", THEN.values(), ids=THEN)
def test_an_answer_that_goes_wrong_while_it_is_timed_gives_no_timing_and_costs_no_gradient(feedback_on, then):
    source = LATER.format(then=then).replace("calls.append(1)", "calls.append(1)\n    ones = torch.ones(50)")

    exercise = feedback_on(source)

    assert exercise.timing is None
    assert [gradient.verdict.value for gradient in exercise.gradients] == ["correct", "correct"]
    assert exercise.score == 3


KEEPING = """

kept, made = {{}}, []


def slow_backward(cache):
    made.append(1)
    return right(cache)


right = quick_backward


def quick_backward(cache):
    key = {key}
    if key not in kept:
        kept[key] = slow_backward(cache), cache
    if len(made) > {allowed}:
        raise ValueError(f"{{len(made)}} of {{len(kept)}} were computed")
    return kept[key][0]
"""
# By what a function knows that it has seen its input, and in how many calls it is not that far: two cases, then 8 calls
# to warm up and 8 in each of three blocks.
KEYS = {
    "the object": "id(cache)",
    "its bytes": "cache.x.numpy().tobytes()",
    "where it lies": "cache.x.data_ptr(), float(cache.x[0])",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_each_block_has_new_numbers_in_new_objects(key, feedback_on):
    most = CALLS * (1 + ENOUGH_BLOCKS)

    timed = feedback_on(RIGHT + KEEPING.format(key=key, allowed=most))
    voided = feedback_on(RIGHT + KEEPING.format(key=key, allowed=most - 1))

    assert timed.timing is not None
    assert voided.timing is None  # all calls were computed, and the last one raised


def test_the_exercise_after_a_timed_one_is_graded_as_ever(tmp_path, grade_source):
    second = RUBRIC.split("exercises:\n")[1].replace("quick_backward", "second_backward")
    course = write_course(tmp_path / "course", RUBRIC + second)
    source = LATER.format(then="__import__('os')._exit(0)")
    source += "\n\ndef second_backward(cache):\n    inner = (1 - cache.h**2) / len(cache.h)\n"
    source += "    return inner * cache.w, inner * cache.x\n"

    report = grade_source(source, file="quick.py", grader=Grader(load_course(course)))

    first, second = report.selected[0].exercises
    assert (first.timing, first.score) == (None, 3)
    assert second.timing is not None
    assert second.score == 7


def test_the_process_that_times_autograd_holds_no_line_of_the_student(feedback_on):
    # The forward of the reference needs tanh; autograd needs the multiplication.
    exercise = feedback_on(RIGHT + "\n\ntorch.Tensor.tanh = None\ntorch.autograd.grad = None\n")

    assert exercise.outcome.value == "returned"
    assert exercise.timing is not None
    assert exercise.score == 7


def test_autograd_is_timed_on_the_forward_of_the_reference_and_on_every_input(grader):
    timed = grader.prepared("quick_backward").timed

    assert timed is not None
    assert len(timed.cases) == CALLS
    assert len({tuple(case.forward.values["x"].tolist()) for case in timed.cases}) == CALLS
    assert timed.forward.source == REFERENCE.split("\n\n\n")[1].rstrip()
    assert (timed.forward.name, timed.forward.output) == ("squash", "loss")


def test_autograd_is_timed_on_a_forward_of_another_assignment(tmp_path):
    folder = write_course(tmp_path / "course")
    own = folder / "assignments" / "again"
    own.mkdir()
    rubric = RUBRIC.replace("quick_backward", "again_backward").replace("forward: squash", "forward: quick.squash")
    (own / "rubric.yaml").write_text(rubric)
    (own / "reference.py").write_text(REFERENCE.split("\n\n\n")[0])
    (folder / "assignments" / "course.yaml").write_text(COURSE.replace("[quick]", "[quick, again]"))

    timed = Grader(load_course(folder)).prepared("again_backward").timed

    assert timed is not None
    assert (timed.assignment, timed.forward.name) == ("again", "squash")
    assert timed.forward.source == REFERENCE.split("\n\n\n")[1].rstrip()


def test_times_of_a_forward_that_fails_are_no_students_fault(warm, grader):
    from grader.errors import SandboxError

    question = Question("f", "f.py", ("cache",), ("dx",), (flatten({"cache": {"x": torch.ones(2)}}),))
    asked, limits = Questionnaire((question,)), grader.course.limits
    child, sibling = warm.fork(limits, asked), warm.fork(limits, asked)
    blocks, forward = (
        grader.prepared("quick_backward").timed.blocks,
        TimedForward("def f(t):\n    t.out = t.y", "f", "out"),
    )
    try:
        with pytest.raises(SandboxError, match="the process that times autograd gave no answer"):
            time_function(child, sibling, Block(question, 0, "f.py", [], b""), blocks, forward, 3.0, 1.0)
    finally:
        child.close()
        sibling.close()


TIMES = {"at the ratio": (2.0, 5.0), "above it": (1.9, 0.0)}


@pytest.mark.parametrize(("ratio", "score"), TIMES.values(), ids=TIMES)
def test_the_least_times_are_compared(ratio, score):
    from grader.judge.speed import Times

    times = Times((3.0, 2.0, 9.0), (1.0, 4.0, 8.0), ())

    feedback = judge_times(Timing(case="timed", ratio=ratio, points=5.0, place=Place("rubric.yaml", 1, 1)), times)

    assert (feedback.manual, feedback.autograd, feedback.ratio) == (2.0, 1.0, 2.0)
    assert (feedback.score, feedback.max_score) == (score, 5.0)


# What is put in place of what in the rubric or the reference, and what is said of it.
MISFITS = {
    "a function of single values": (
        ("given: [cache]", "given: [x, w, h]"),
        ("", ""),
        "rubric.yaml:13:13: only a function that is given cache, and nothing else, can be timed",
    ),
    "a case that is not there": (
        ("case: timed", "case: large"),
        ("", ""),
        "rubric.yaml:13:13: `case` names 'large'; the cases are small, timed",
    ),
    "a forward that is no plain function": (
        ("", ""),
        ("def squash(t):", "squash = lambda t: forward(t)\n\n\ndef forward(t):"),
        "rubric.yaml:4:3: a timed forward must be a plain function of {reference}, squash is not",
    ),
}


@pytest.mark.parametrize(("rubric", "reference", "said"), MISFITS.values(), ids=MISFITS)
def test_what_cannot_be_timed_is_an_error_of_the_rubric(tmp_path, rubric, reference, said):
    folder = write_course(tmp_path / "course", RUBRIC.replace(*rubric), REFERENCE.replace(*reference))
    own = folder / "assignments" / "quick"

    with pytest.raises(CourseError) as caught:
        Grader(load_course(folder))

    assert caught.value.problems == (f"{own}/{said.format(reference=own / 'reference.py')}",)
