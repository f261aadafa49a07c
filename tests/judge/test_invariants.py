"""Invariants: when each kind holds, when it does not, when it cannot tell, and when it earns points."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.course import load_course
from grader.course.cases import Reference
from grader.errors import CourseError
from grader.grading import Grader
from grader.report.json import report_as_json
from grader.results import ExerciseFeedback, InvariantFeedback

# softmax(x) over rows, times W: rows of dx sum to zero, and dW does not.
RUBRIC = """\
format: 1
title: A softmax and a product
exercises:
  blend_backward:
    forward: blend
    given: [dout, p, W]
    gradients:
      dx: {points: 2}
      dW: {points: 3}
    cases:
      - {name: wide, N: 3, D: 5, M: 2}
      - {name: tall, N: 6, D: 2, M: 4}
    invariants:
      - {name: rows of dx sum to zero, kind: sums_to_zero, of: [dx], dim: 1, points: 0.5}
      - {name: a step lowers it, kind: descent, of: [dx, dW], points: 0.25}
      - {name: linear in dout, kind: linear, points: 1}
"""
REFERENCE = """\
def blend_inputs(rng, N, D, M):
    return {"x": rng.normal(N, D), "W": rng.normal(D, M)}


def blend(t):
    t.p = t.x.softmax(dim=1)
    t.out = t.p @ t.W
"""
SUMS, DESCENT, LINEAR = "rows of dx sum to zero", "a step lowers it", "linear in dout"
RIGHT = """\
    dp = dout @ W.T
    dx = p * (dp - (p * dp).sum(1, keepdim=True))
    dW = p.T @ dout
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    (folder / "assignments" / "blend").mkdir(parents=True)
    (folder / "assignments" / "course.yaml").write_text("format: 1\ntitle: A course\nassignments: [blend]\n")
    (folder / "assignments" / "blend" / "rubric.yaml").write_text(RUBRIC)
    (folder / "assignments" / "blend" / "reference.py").write_text(REFERENCE)
    return folder


@pytest.fixture(scope="module")
def graded(folder, grade_source):
    """Grade a body of blend_backward, whose last line returns dx and dW."""
    grader = Grader(load_course(folder))

    def graded(body: str, returned: str = "dx, dW") -> ExerciseFeedback:
        source = f"import torch\n\n\ndef blend_backward(dout, p, W):\n{body}    return {returned}\n"
        report = grade_source(source, file="blend.py", grader=grader)
        assert report_as_json(report)  # every value that feedback can hold is one that JSON can
        return report.selected[0].exercises[0]

    return graded


@pytest.fixture(scope="module")
def is_probe(folder) -> str:
    """Return an expression that is true in the student's function where dout is that of no case."""
    rubric = load_course(folder).rubrics[0]
    cases = Reference(rubric).make_cases(rubric.exercises[0], seed=0)
    return f"round(float(dout.sum()), 9) not in {[round(float(case.dout.sum()), 9) for case in cases]}"


def held(exercise: ExerciseFeedback) -> dict[str, bool | None]:
    return {invariant.name: invariant.held for invariant in exercise.invariants}


def one(exercise: ExerciseFeedback, name: str) -> InvariantFeedback:
    return next(invariant for invariant in exercise.invariants if invariant.name == name)


def test_right_gradients_hold_every_invariant_and_earn_its_points(graded):
    exercise = graded(RIGHT)

    assert held(exercise) == {SUMS: True, DESCENT: True, LINEAR: True}
    assert exercise.score == exercise.max_score == 6.75


# The lines that come after the right answer, and which invariants hold then.
SLIPS = {
    "a row that sums to something": ("    dx[-1] += 0.1\n", {SUMS: False, DESCENT: True, LINEAR: False}),
    "a step the wrong way": ("    dx, dW = -dx, -dW\n", {SUMS: True, DESCENT: False, LINEAR: True}),
    "a constant beside dout": ("    dW = dW + 1\n", {SUMS: True, LINEAR: False}),
    "quadratic in dout": ("    dW = dW * dW.norm()\n", {SUMS: True, DESCENT: True, LINEAR: False}),
    "twice": ("    dx, dW = 2 * dx, 2 * dW\n", {SUMS: True, DESCENT: True, LINEAR: True}),
    "a wrong sum in the last case only": ("    dx = dx + (len(dx) == 6)\n", {SUMS: False, LINEAR: True}),
}


@pytest.mark.parametrize(("slip", "expected"), SLIPS.values(), ids=SLIPS)
def test_what_is_held_does_not_depend_on_being_right(graded, slip, expected):
    exercise = graded(RIGHT + slip)

    assert held(exercise) | expected == held(exercise)


@pytest.mark.parametrize("dx", ["torch.zeros(p.shape)", "1e-17 * dx"])
def test_what_is_zero_but_for_rounding_tells_nothing_of_sums_and_earns_nothing(graded, dx):
    exercise = graded(f"{RIGHT}    dx, dW = {dx}, torch.zeros(W.shape)\n")

    assert held(exercise)[SUMS] is None
    assert one(exercise, SUMS).detail == "what was returned is zero, but for rounding"
    assert exercise.score == 0


@pytest.mark.parametrize("left", ["torch.zeros_like", "1e-17 *"])
def test_what_is_zero_but_for_rounding_is_not_called_linear_nor_a_step_down(graded, left):
    exercise = graded(f"{RIGHT}    dx, dW = {left}(dx), {left}(dW)\n")

    assert held(exercise)[LINEAR] is None
    assert held(exercise)[DESCENT] is (False if "zeros" in left else None)


def test_a_sum_is_held_against_the_size_of_what_is_summed(graded):
    exercise = graded(f"{RIGHT}    dx = 1e-8 * dout @ W.T\n")

    assert held(exercise)[SUMS] is False


def test_sums_of_what_is_zero_in_truth_tell_nothing(folder, tmp_path, grade_source):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    narrow = RUBRIC.replace("D: 5", "D: 1").replace("D: 2", "D: 1")  # a softmax over one entry is 1, whatever it is
    (tmp_path / "assignments" / "blend" / "rubric.yaml").write_text(narrow)

    source = f"def blend_backward(dout, p, W):\n{RIGHT}    return dx, dW\n"
    report = grade_source(source, file="blend.py", grader=Grader(load_course(tmp_path)))

    assert held(report.selected[0].exercises[0])[SUMS] is None


def test_points_need_only_the_gradients_that_the_invariant_looks_at(graded):
    exercise = graded(RIGHT + "    dW = 2 * dW\n")

    assert held(exercise) == {SUMS: True, DESCENT: True, LINEAR: True}
    assert {invariant.name: invariant.score for invariant in exercise.invariants} == {SUMS: 0.5, DESCENT: 0, LINEAR: 0}
    assert exercise.score == 2.5


# What cannot be looked at: an invariant is neither held nor broken then.
UNUSABLE = {
    "not returned": "None",
    "of another shape": "dx.T.contiguous()",
    "of another dtype": "dx.float()",
    "not finite": "dx / 0",
    "no tensor": "'dx'",
}


@pytest.mark.parametrize("value", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_gradient_cannot_tell(graded, value):
    exercise = graded(RIGHT, f"{value}, dW")

    assert held(exercise) == {SUMS: None, DESCENT: None, LINEAR: None}
    assert one(exercise, SUMS).detail == "not all of its gradients were returned in the right shape"
    assert exercise.score == 3


def test_a_function_that_raises_leaves_it_open(graded):
    exercise = graded(RIGHT + "    raise ValueError\n")

    # Both gradients were in local variables, so they are judged, and so is what one call can show.
    assert one(exercise, SUMS).held is True
    assert one(exercise, LINEAR).held is None
    assert one(exercise, LINEAR).detail == "the function did not answer for another upstream gradient"


ODD_PROBES = {
    "another shape": ("dW[0]", "the function did not answer for another upstream gradient"),
    "another dtype": ("dW.float()", "the function answered with another dtype for another upstream gradient"),
    "nothing": ("None", "the function did not answer for another upstream gradient"),
}


@pytest.mark.parametrize(("value", "said"), ODD_PROBES.values(), ids=ODD_PROBES)
def test_another_answer_to_another_upstream_leaves_linearity_open(graded, is_probe, value, said):
    exercise = graded(f"{RIGHT}    if {is_probe}:\n        dW = {value}\n")

    assert one(exercise, LINEAR).held is None
    assert one(exercise, LINEAR).detail == said
    assert one(exercise, LINEAR).score == 0


def test_an_unfinished_probe_costs_no_gradient(graded, is_probe):
    exercise = graded(f"{RIGHT}    if {is_probe}:\n        raise ValueError\n")

    assert [gradient.verdict.value for gradient in exercise.gradients] == ["correct", "correct"]
    assert held(exercise) == {SUMS: True, DESCENT: True, LINEAR: None}
    assert exercise.score == 5.75


def test_the_detail_says_how_much(graded):
    exercise = graded(RIGHT)
    before, after = one(exercise, DESCENT).detail.removeprefix("from ").split(" to ")

    assert float(after) < float(before)
    assert one(exercise, SUMS).detail.startswith("the largest sum is ")
    assert one(exercise, LINEAR).detail.startswith("the largest difference is ")


def test_a_loss_goes_down_by_a_step_along_the_right_gradient_only(tmp_path, grade_source):
    folder = tmp_path / "assignments" / "bowl"
    folder.mkdir(parents=True)
    (tmp_path / "assignments" / "course.yaml").write_text("format: 1\ntitle: A course\nassignments: [bowl]\n")
    (folder / "reference.py").write_text(
        'def bowl_inputs(rng, N):\n    return {"x": rng.normal(N)}\n\n\ndef bowl(t):\n    t.loss = (t.x**2).mean()\n'
    )
    (folder / "rubric.yaml").write_text(
        "format: 1\ntitle: A bowl\nexercises:\n  bowl_backward:\n    forward: bowl\n    given: [x]\n"
        "    gradients: {dx: {points: 1}}\n    cases: [{name: any, N: 4}]\n"
        "    invariants: [{name: down, kind: descent, of: [dx], step: 0.1}]\n"
    )
    grader = Grader(load_course(tmp_path))
    found = {}
    for answer in ("x / 2", "-x / 2", "0 * x"):
        source = f"def bowl_backward(x):\n    return {answer}\n"
        report = grade_source(source, file="bowl.py", grader=grader)
        found[answer] = report.selected[0].exercises[0].invariants[0]

    before, after = map(float, found["x / 2"].detail.removeprefix("from ").split(" to "))
    assert {answer: invariant.held for answer, invariant in found.items()} == {
        "x / 2": True,
        "-x / 2": False,
        "0 * x": False,
    }
    # A step of a tenth of x along x leaves 0.9 x, so 0.81 of the mean of squares.
    assert after == pytest.approx(0.81 * before, rel=1e-4)


# What is put in place of what in the rubric, and what is said of it.
MISFITS = {
    "an axis that is not there": (
        "of: [dx], dim: 1",
        "of: [dx], dim: 2",
        "14:9: dx has 2 axes, counted from 0, so none is 2",
    ),
    "descent along a computed value": (
        "      dW: {points: 3}",
        "      dW: {points: 3}\n      dp: {points: 1}",
        "16:9: descent moves inputs of the forward, and p is computed",
    ),
}


@pytest.mark.parametrize(("old", "new", "said"), MISFITS.values(), ids=MISFITS)
def test_an_invariant_that_does_not_fit_is_an_error_of_the_rubric(tmp_path, old, new, said):
    course = tmp_path / "course"
    (course / "assignments" / "blend").mkdir(parents=True)
    (course / "assignments" / "course.yaml").write_text("format: 1\ntitle: A course\nassignments: [blend]\n")
    (course / "assignments" / "blend" / "reference.py").write_text(REFERENCE)
    rubric = RUBRIC.replace(old, new).replace("of: [dx, dW]", "of: [dx, dW, dp]" if "dp" in new else "of: [dx, dW]")
    (course / "assignments" / "blend" / "rubric.yaml").write_text(rubric)

    with pytest.raises(CourseError) as caught:
        Grader(load_course(course))

    assert caught.value.problems == (f"{course}/assignments/blend/rubric.yaml:{said}",)
