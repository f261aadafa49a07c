"""One entry of a gradient worked by hand: the products that the chain rule adds up, from any forward pass."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from grader.course.cases import Case
from grader.course.trace import run_forward
from grader.verdict.worked import SHOWN, Worked, work_out


def _case(forward, **inputs: Tensor) -> Case:
    done = run_forward(forward, inputs)
    output = done.leaves[done.output]
    upstream = {done.output: torch.arange(1, output.numel() + 1, dtype=torch.float64).reshape(output.shape)}
    return Case("plain", done, upstream, {}, done.gradients(upstream), {})


def _worked(case: Case, value: str, index: tuple[int, ...], actual: float = math.nan) -> Worked | None:
    return work_out(case, value, index, float(case.expected[value][index]), actual)


def _matmul(t):
    t.out = t.x @ t.W


def _twice(t):
    t.total = t.x.sum(dim=1, keepdim=True)
    t.out = t.x * t.total


X = torch.tensor([[1.0, 2.0], [3.0, 5.0]], dtype=torch.float64)
W = torch.tensor([[7.0, 11.0, 13.0], [17.0, 19.0, 23.0]], dtype=torch.float64)


def test_a_weight_of_a_product_is_summed_over_the_rows():
    found = _worked(_case(_matmul, x=X, W=W), "W", (1, 2))

    assert [(each.value, each.index, each.slope, each.upstream) for each in found.products] == [
        ("out", (0, 2), 2.0, 3.0),
        ("out", (1, 2), 5.0, 6.0),
    ]
    assert found.expected == sum(each.product for each in found.products)


def test_a_repeated_index_brings_every_copy():
    def lookup(t):
        t.out = t.C[torch.tensor([1, 0, 1])]

    found = _worked(_case(lookup, C=X), "C", (1, 0))

    assert [each.index for each in found.products] == [(0, 0), (2, 0)]


def test_each_use_of_a_value_has_rows_of_its_own():
    assert _worked(_case(_twice, x=X), "x", (0, 1)).reads == ("total", "out")


@pytest.mark.parametrize("use", ["total", "out"])
def test_a_use_that_was_left_out_is_told(use: str):
    case = _case(_twice, x=X)
    alone = sum(each.product for each in _worked(case, "x", (0, 1)).products if each.value != use)

    found = _worked(case, "x", (0, 1), actual=alone)

    assert {each.value for each in found.products if each.is_used is False} == {use}


@pytest.mark.parametrize("actual", [math.nan, math.inf, 0.123])
def test_nothing_is_told_of_a_number_that_is_no_such_sum(actual: float):
    found = _worked(_case(_twice, x=X), "x", (0, 1), actual=actual)

    assert {each.is_used for each in found.products} == {None}


def test_of_many_products_the_largest_are_shown_and_the_rest_is_added_up():
    size = SHOWN + 4
    case = _case(_matmul, x=torch.ones(size, 1, dtype=torch.float64), W=torch.ones(1, 1, dtype=torch.float64))

    found = _worked(case, "W", (0, 0))

    assert [each.upstream for each in found.products] == [5, 6, 7, 8, 9, 10]
    assert (found.more, found.rest) == (4, 10.0)


def test_an_entry_that_moves_nothing_has_no_sum():
    def largest(t):
        t.out = t.x.max(dim=1, keepdim=True).values

    assert _worked(_case(largest, x=X), "x", (0, 0)) is None


def test_another_number_than_the_sum_is_not_worked_out():
    assert work_out(_case(_matmul, x=X, W=W), "W", (1, 2), 1.0, 0.0) is None
