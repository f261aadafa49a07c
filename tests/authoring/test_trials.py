"""What every rubric must reject besides its mistakes: wrong everywhere, and only where it is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.authoring.trials import Tried, is_zero_in_truth, try_wrong_gradients
from grader.course import load_rubric
from grader.course.cases import Reference
from grader.course.mistakes import load_bank

HEAD = "format: 1\ntitle: Any\nexercises:\n  any_backward:\n    forward: any\n"
NO_MISTAKES = "# None yet.\n"


@pytest.fixture
def tried(tmp_path: Path):
    """Try wrong gradients of dx on out = `forward` of x, made by `inputs`; returns what was tried by its name."""

    def tried(
        forward: str,
        inputs: str = "rng.normal(N, D)",
        cases: str = "{name: one, N: 4, D: 3}",
        mistakes: str = NO_MISTAKES,
        gradients: str = "dx: {points: 1}",
        with_differences: bool = True,
        given: str = "dout, x",
    ) -> Mapping[str, Tried]:
        (tmp_path / "rubric.yaml").write_text(
            f"{HEAD}    given: [{given}]\n    gradients: {{{gradients}}}\n    cases: [{cases}]\n"
        )
        (tmp_path / "mistakes.py").write_text(mistakes)
        maker = f'def any_inputs(rng, N, D):\n    return {{"x": {inputs}}}\n'
        (tmp_path / "reference.py").write_text(f"{maker}\n\ndef any(t):\n    {forward}\n")
        rubric = load_rubric(tmp_path)
        exercise, reference = rubric.exercises[0], Reference(rubric)
        found = try_wrong_gradients(
            exercise,
            reference.make_cases(exercise, seed=0),
            load_bank(rubric),
            reference.forward(exercise) if with_differences else None,
        )
        return {f"{one.gradient} {one.name}": one for one in found}

    return tried


def test_a_curved_forward_has_every_trial_and_each_is_beyond_the_tolerance(tried):
    found = tried("t.out = t.x.exp()")

    names = [
        "zeros",
        "ones",
        "the sign flipped",
        "twice",
        "half",
        "float32",
        "dout, its upstream",
        "central difference",
    ]
    assert list(found) == [f"dx {name}" for name in names]
    assert all(one.worst > 1 for one in found.values())


def test_a_trial_that_autograd_finds_right_is_no_trial(tried):
    found = tried("t.y = 2 * t.x\n    t.out = t.y + 0", gradients="dy: {points: 1}")

    assert "dy dout, its upstream" not in found
    assert "dy twice" in found


def test_a_trial_that_is_right_in_one_case_only_is_tried(tried):
    found = tried(
        "t.y = t.x * 1\n    t.out = t.y * len(t.y)",
        gradients="dy: {points: 1}",
        cases="{name: one row, N: 1, D: 3}, {name: rows, N: 4, D: 3}",
    )

    assert found["dy dout, its upstream"].excess["one row"] == 0
    assert found["dy dout, its upstream"].excess["rows"] > 1


def test_a_truth_that_float32_holds_exactly_has_no_trial_in_float32(tried):
    found = tried("t.y = t.x * 1\n    t.out = t.y.sum() * 0 + t.y * 1", gradients="dy: {points: 1}")
    whole = tried("t.y = t.x * 1\n    t.loss = t.y.sum()", gradients="dy: {points: 1}", given="x")

    assert "dy float32" in found
    assert not {"dy float32", "dy ones"} & set(whole)


def test_a_square_value_is_tried_transposed(tried):
    square = tried("t.out = t.x.exp()", cases="{name: square, N: 3, D: 3}")
    oblong = tried("t.out = t.x.exp()")

    assert square["dx transposed"].worst > 1
    assert "dx transposed" not in oblong


def test_a_symmetric_truth_is_no_trial_transposed(tried):
    found = tried("t.out = t.x.sum()", cases="{name: square, N: 3, D: 3}")

    assert "dx transposed" not in found


ZERO = "t.maxes = t.x.max(dim=1, keepdim=True).values\n    t.out = (t.x - t.maxes).softmax(dim=1)"


def test_what_is_zero_in_truth_has_only_its_mistakes(tried):
    mistake = 'def any_backward__dmaxes__summed(dout):\n    """You summed."""\n    return dout.sum(1, keepdim=True)\n'

    found = tried(ZERO, gradients="dmaxes: {points: 0}", mistakes=mistake)

    assert list(found) == ["dmaxes summed"]
    assert found["dmaxes summed"].worst > 1


def test_zero_in_truth_means_zero_in_every_case_but_for_rounding(tmp_path, tried):
    tried(ZERO, gradients="dmaxes: {points: 0}, dx: {points: 1}")
    rubric = load_rubric(tmp_path)
    dmaxes, dx = rubric.exercises[0].gradients

    cases = Reference(rubric).make_cases(rubric.exercises[0], seed=0)

    assert is_zero_in_truth(dmaxes, cases)
    assert not is_zero_in_truth(dx, cases)


CURVED = {
    "an exponential": "t.out = t.x.exp()",
    "a cube": "t.out = t.x**3",
    "a mean of tanh": "t.out = t.x.tanh().mean()",
    "a softmax": "t.out = t.x.softmax(dim=1)",
    "a norm": "t.out = t.x / (t.x.pow(2).mean(dim=1, keepdim=True) + 1e-5).sqrt()",
}
EXACT = {
    "a line": "t.out = 3 * t.x",
    "a sum": "t.out = t.x.sum(dim=0)",
    "a parabola": "t.out = (t.x**2).mean()",
    "a kink": "t.out = t.x.relu()",
    "a largest value": "t.out = t.x.max(dim=1).values",
}


@pytest.mark.parametrize("forward", CURVED.values(), ids=CURVED)
def test_a_central_difference_fails_where_the_forward_is_curved(tried, forward):
    assert tried(forward)["dx central difference"].worst > 1


@pytest.mark.parametrize("forward", EXACT.values(), ids=EXACT)
def test_a_central_difference_is_left_out_where_it_is_exact(tried, forward):
    assert "dx central difference" not in tried(forward)


def test_a_central_difference_is_taken_of_values_inside_the_forward(tried):
    found = tried(
        "t.y = 2 * t.x\n    t.z = t.y.exp()\n    t.out = 3 * t.z", gradients="dy: {points: 1}, dz: {points: 1}"
    )

    assert found["dy central difference"].worst > 1
    assert "dz central difference" not in found


def test_without_a_forward_there_are_no_central_differences(tried):
    assert "dx central difference" not in tried("t.out = t.x.exp()", with_differences=False)


MISTAKE = 'def any_backward__dx__slip(dout, x, d):\n    """You slipped."""\n    return {}\n'
# What a mistake returns, and how far beyond the tolerance it is.
SLIPS = {
    "raises": ("dout @ dout", math.inf),
    "of another shape": ("dout.sum(0)", math.inf),
    "of another dtype": ("d.dx.float()", math.inf),
    "not finite": ("d.dx / 0", math.inf),
    "no tensor": ("3.0", math.inf),
    "right": ("d.dx", 0.0),
}


@pytest.mark.parametrize(("returned", "excess"), SLIPS.values(), ids=SLIPS)
def test_how_far_a_mistake_is_beyond_the_tolerance(tried, returned, excess):
    found = tried("t.out = t.x.exp()", mistakes=MISTAKE.format(returned))["dx slip"]

    assert found.worst == excess
    assert found.mistake is not None
    assert found.is_right is (excess == 0.0)


def test_a_mistake_within_a_loose_tolerance_passes_and_is_not_right(tried):
    gradients = "dx: {points: 1, tolerance: {rtol: 1.0e-2, atol: 1.0e-2}}"

    found = tried("t.out = t.x.exp()", mistakes=MISTAKE.format("d.dx + 1e-3"), gradients=gradients)

    assert found["dx slip"].worst == 0
    assert found["dx slip"].is_right is False
    assert found["dx float32"].worst == 0


def test_an_excess_is_the_error_in_tolerances(tried):
    # Of an error of 1e-3, with an atol of 1e-5 that rules, 100 tolerances.
    gradients = "dx: {points: 1, tolerance: {rtol: 1.0e-15, atol: 1.0e-5}}"

    found = tried("t.out = t.x.exp()", mistakes=MISTAKE.format("d.dx + 1e-3"), gradients=gradients)

    assert found["dx slip"].worst == pytest.approx(100, rel=1e-6)
