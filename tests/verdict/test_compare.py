"""An expected and an actual gradient to a verdict: nothing is broadcast, converted or let through."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from grader.course import Tolerance
from grader.verdict.compare import Comparison, Verdict, compare, excess_over

TOLERANCE = Tolerance(rtol=1e-11, atol=1e-13)
NAN, INF = math.nan, math.inf


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


EXPECTED = torch.tensor([[1.0, -2.0, 0.0], [4.0, 5.0, 6.0]], dtype=torch.float64)

# What is answered where EXPECTED is right, and the verdict.
ANSWERS = {
    "the same": (EXPECTED.clone(), "correct"),
    "the same, not contiguous": (EXPECTED.T.contiguous().T, "correct"),
    "within the tolerance": (EXPECTED * (1 + 0.9e-11), "correct"),
    "beyond the tolerance": (EXPECTED * (1 + 1.2e-11), "wrong_values"),
    "the sign": (-EXPECTED, "wrong_values"),
    "zeros": (torch.zeros_like(EXPECTED), "wrong_values"),
    "a NaN": (EXPECTED.index_put((torch.tensor(1), torch.tensor(2)), double(NAN)[0]), "not_finite"),
    "an infinity": (EXPECTED / torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64), "not_finite"),
    "nothing but NaN": (torch.full_like(EXPECTED, NAN), "not_finite"),
    "float32": (EXPECTED.float(), "wrong_dtype"),
    "float16": (EXPECTED.half(), "wrong_dtype"),
    "bfloat16": (EXPECTED.bfloat16(), "wrong_dtype"),
    "integers": (EXPECTED.long(), "wrong_dtype"),
    "booleans": (EXPECTED.bool(), "wrong_dtype"),
    "float32 with a NaN": (torch.full((2, 3), NAN), "wrong_dtype"),
    "the transpose": (EXPECTED.T, "wrong_shape"),
    "flat": (EXPECTED.flatten(), "wrong_shape"),
    "one axis more": (EXPECTED[None], "wrong_shape"),
    "the other dtype in another shape": (EXPECTED.T.float(), "wrong_shape"),
    "nothing": (torch.zeros(0, 3, dtype=torch.float64), "wrong_shape"),
}

# Shapes that broadcast to each other; equal values in all of them.
BROADCASTING = [
    ((2, 3), (1, 3)),
    ((2, 3), (3,)),
    ((2, 3), (2, 1)),
    ((2, 3), ()),
    ((1, 3), (3,)),
    ((3,), (1, 3)),
    ((3,), (3, 3)),
    ((1,), ()),
    ((), (1,)),
    ((0,), (1,)),
    ((1,), (0,)),
    ((0, 3), (0, 1)),
]

FINITE = st.floats(-1e300, 1e300)


@pytest.mark.parametrize(("actual", "verdict"), ANSWERS.values(), ids=ANSWERS)
def test_each_answer_gets_its_verdict(actual, verdict):
    assert compare(EXPECTED, actual, TOLERANCE).verdict == verdict


@pytest.mark.parametrize(("expected", "actual"), BROADCASTING)
def test_a_shape_that_would_broadcast_is_a_wrong_shape(expected, actual):
    found = compare(torch.ones(expected, dtype=torch.float64), torch.ones(actual, dtype=torch.float64), TOLERANCE)

    assert found == Comparison(Verdict.WRONG_SHAPE, expected, actual, "torch.float64")


def test_minus_zero_is_zero():
    found = compare(double(0.0, -0.0), double(-0.0, 0.0), TOLERANCE)

    assert (found.verdict, found.exact, found.max_abs_error) == (Verdict.CORRECT, True, 0.0)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 4)])
def test_nothing_to_compare_is_correct(shape):
    found = compare(torch.zeros(shape, dtype=torch.float64), torch.zeros(shape, dtype=torch.float64), TOLERANCE)

    assert found.verdict is Verdict.CORRECT
    assert found.exact is True
    assert (found.max_abs_error, found.worst_index, found.expected) == (0.0, None, None)


def test_a_gradient_without_elements_still_has_a_dtype():
    found = compare(torch.zeros(0, dtype=torch.float64), torch.zeros(0), TOLERANCE)

    assert found.verdict is Verdict.WRONG_DTYPE


@pytest.mark.parametrize(("actual", "verdict"), [(2.0, "correct"), (2.1, "wrong_values"), (NAN, "not_finite")])
def test_a_gradient_without_axes_is_one_number(actual, verdict):
    found = compare(torch.tensor(2.0, dtype=torch.float64), torch.tensor(actual, dtype=torch.float64), TOLERANCE)

    assert found.verdict == verdict
    assert found.worst_index == ()
    assert found.expected == 2.0


def test_every_element_counts_and_not_their_mean():
    actual = EXPECTED.clone()
    actual[1, 0] += 1e-9

    assert compare(EXPECTED, actual, TOLERANCE).verdict is Verdict.WRONG_VALUES


def test_the_bound_itself_is_allowed():
    tolerance = Tolerance(rtol=0.25, atol=0.5)

    on_it = compare(double(2.0, -4.0), double(3.0, -5.5), tolerance)
    past_it = compare(double(2.0, -4.0), double(3.0, -5.5).nextafter(double(4.0, -6.0)), tolerance)

    assert (on_it.verdict, on_it.excess) == (Verdict.CORRECT, 1.0)
    assert past_it.verdict is Verdict.WRONG_VALUES


def test_the_tolerance_is_relative_to_the_expected_value_and_not_to_the_actual():
    tolerance = Tolerance(rtol=0.5, atol=1e-300)

    assert compare(double(2.0), double(3.0), tolerance).verdict is Verdict.CORRECT
    assert compare(double(3.0), double(1.0), tolerance).verdict is Verdict.WRONG_VALUES
    assert compare(double(1.0), double(1.75), tolerance).verdict is Verdict.WRONG_VALUES


def test_where_zero_is_expected_only_the_absolute_tolerance_counts():
    assert compare(double(0.0), double(0.9e-13), TOLERANCE).verdict is Verdict.CORRECT
    assert compare(double(0.0), double(1.1e-13), TOLERANCE).verdict is Verdict.WRONG_VALUES


def test_the_worst_place_is_the_one_furthest_beyond_its_tolerance():
    # The error at 1000 is larger and the one at 0.001 is further out of bounds.
    expected, actual = double(1000.0, 0.001, 1.0), double(1001.0, 0.011, 1.0)

    found = compare(expected[:, None], actual[:, None], TOLERANCE)

    assert (found.worst_index, found.expected, found.actual) == ((1, 0), 0.001, 0.011)
    assert found.excess == pytest.approx(0.01 / (1e-13 + 1e-14))
    assert found.max_abs_error == 1.0
    assert found.max_rel_error == pytest.approx(10.0)


def test_the_first_of_equally_bad_places_is_named():
    assert compare(double(1.0, 1.0, 1.0), double(1.0, 2.0, 2.0), TOLERANCE).worst_index == (1,)


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_place_that_is_not_finite_is_worse_than_any_error(bad):
    found = compare(double(1.0, 2.0, 3.0), double(1e300, bad, 3.0), TOLERANCE)

    assert found.verdict is Verdict.NOT_FINITE
    assert found.worst_index == (1,)
    assert found.expected == 2.0
    assert math.isnan(found.actual) if math.isnan(bad) else found.actual == bad
    assert found.exact is False


def test_an_error_too_large_for_a_number_is_still_a_wrong_value():
    found = compare(double(1.0, -1.7e308), double(1.0, 1.7e308), TOLERANCE)

    assert found.verdict is Verdict.WRONG_VALUES
    assert (found.worst_index, found.max_abs_error) == ((1,), INF)


def test_the_relative_error_leaves_out_what_is_zero_in_truth():
    assert compare(double(0.0, 2.0), double(5.0, 3.0), TOLERANCE).max_rel_error == 0.5
    assert compare(double(0.0, 0.0), double(5.0, 3.0), TOLERANCE).max_rel_error is None


def test_exact_means_every_bit_and_correct_does_not():
    found = compare(double(0.3), double(0.1 + 0.2), TOLERANCE)

    assert (found.verdict, found.exact) == (Verdict.CORRECT, False)


def test_what_does_not_apply_is_none():
    found = compare(EXPECTED, EXPECTED.float(), TOLERANCE)

    assert found == Comparison(Verdict.WRONG_DTYPE, (2, 3), (2, 3), "torch.float32")
    assert found.exact is found.max_abs_error is found.worst_index is found.excess is None


def test_neither_tensor_is_changed():
    expected, actual = EXPECTED.clone(), -EXPECTED

    compare(expected, actual, TOLERANCE)

    assert torch.equal(expected, EXPECTED)
    assert torch.equal(actual, -EXPECTED)


def test_verdicts_stand_from_best_to_worst():
    assert [verdict.value for verdict in sorted(Verdict, key=lambda verdict: verdict.rank)] == [
        "correct",
        "follows",
        "wrong_values",
        "not_finite",
        "wrong_dtype",
        "wrong_shape",
        "not_returned",
        "not_judged",
    ]


def test_a_worse_verdict_is_worse_than_any_excess():
    comparisons = [
        compare(EXPECTED, actual, TOLERANCE)
        for actual in (EXPECTED, EXPECTED * 2, -EXPECTED * 1e9, EXPECTED / 0.0, EXPECTED.float(), EXPECTED.T)
    ]
    last = [Comparison(Verdict.NOT_RETURNED, (2, 3)), Comparison(Verdict.NOT_JUDGED, (2, 3))]

    severities = [comparison.severity for comparison in comparisons + last]

    assert severities == sorted(severities)


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=8), st.floats(1e-15, 10), st.floats(1e-15, 10))
def test_the_verdict_is_that_of_torch_assert_close(pairs, rtol, atol):
    expected = torch.tensor([pair[0] for pair in pairs], dtype=torch.float64)
    actual = torch.tensor([pair[1] for pair in pairs], dtype=torch.float64)
    try:
        torch.testing.assert_close(actual, expected, rtol=rtol, atol=atol)
        verdict = Verdict.CORRECT
    except AssertionError:
        verdict = Verdict.WRONG_VALUES

    assert compare(expected, actual, Tolerance(rtol, atol)).verdict is verdict


@given(
    st.lists(st.floats(-10, 10), min_size=1, max_size=8), st.lists(st.floats(allow_nan=True), min_size=1, max_size=8)
)
def test_whatever_is_answered_the_verdict_is_correct_only_within_the_tolerance(expected, actual):
    tolerance = Tolerance(rtol=1e-3, atol=1e-6)
    found = compare(torch.tensor(expected, dtype=torch.float64), torch.tensor(actual, dtype=torch.float64), tolerance)

    close = len(expected) == len(actual) and all(
        abs(b - a) <= tolerance.atol + tolerance.rtol * abs(a) for a, b in zip(expected, actual, strict=True)
    )
    assert (found.verdict is Verdict.CORRECT) == close


def _excess(expected: Tensor, actual: Tensor, tolerance: Tolerance) -> float:
    """Return what `compare` says of how far it is off: nothing where it is correct, and no number where it has none."""
    found = compare(expected, actual, tolerance)
    if found.verdict is Verdict.CORRECT:
        return 0.0
    return found.excess if found.excess is not None and math.isfinite(found.excess) else INF


@pytest.mark.parametrize("actual", [actual for actual, _ in ANSWERS.values()], ids=ANSWERS)
def test_the_excess_alone_is_that_of_the_comparison(actual):
    assert excess_over(EXPECTED, actual, TOLERANCE) == _excess(EXPECTED, actual, TOLERANCE)


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats()), min_size=1, max_size=8))
def test_the_excess_alone_is_that_of_the_comparison_whatever_is_answered(pairs):
    expected, actual = (torch.tensor(part, dtype=torch.float64) for part in zip(*pairs, strict=True))
    tolerance = Tolerance(rtol=1e-3, atol=1e-6)

    assert excess_over(expected, actual, tolerance) == _excess(expected, actual, tolerance)
