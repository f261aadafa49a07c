"""The picture of an error, for tensors of any size."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from grader.course import Tolerance
from grader.verdict.compare import compare
from grader.verdict.picture import COLUMNS, MAX_CELLS, ROWS, Picture, draw

TOLERANCE = Tolerance(rtol=1e-11, atol=1e-13)


def _draw(expected: Tensor, actual: Tensor) -> Picture | None:
    return draw(expected, actual, compare(expected, actual, TOLERANCE), TOLERANCE)


def _off_at(shape: tuple[int, ...], place: tuple[int, ...], by: float = 1.0) -> Picture:
    expected = torch.arange(1, math.prod(shape) + 1, dtype=torch.float64).reshape(shape)
    actual = expected.clone()
    actual[place] += by
    picture = _draw(expected, actual)
    assert picture is not None
    return picture


def test_a_cell_holds_the_error_of_its_entry_and_zero_where_it_is_right():
    picture = _off_at((2, 3), (1, 2), by=0.5)

    assert picture.cells == ((0, 0, 0), (0, 0, 0.5))
    assert (picture.wrong, picture.size, picture.worst) == (1, 6, (1, 2))


def test_a_million_entries_are_pooled_and_the_worst_is_not_lost():
    picture = _off_at((1000, 1000), (999, 0), by=3.0)

    assert (len(picture.cells), len(picture.cells[0])) == (24, 24)
    assert picture.cells[picture.worst[0]][picture.worst[1]] == 3.0
    assert picture.worst_entry == (999, 0)


@pytest.mark.parametrize("size", [1, MAX_CELLS, MAX_CELLS + 1, 2 * MAX_CELLS, 997])
def test_no_picture_is_larger_than_its_bound(size: int):
    picture = _off_at((size,), (size - 1,))

    assert len(picture.cells[0]) <= MAX_CELLS
    assert picture.worst == (0, len(picture.cells[0]) - 1)


def test_a_single_number_is_one_cell():
    picture = _off_at((), ())

    assert (picture.cells, picture.index(0, 0)) == (((1.0,),), ())


def test_no_entries_have_no_picture():
    empty = torch.zeros(0, 3, dtype=torch.float64)

    assert _draw(empty, empty) is None


def test_another_shape_has_no_picture():
    assert _draw(torch.zeros(3, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_a_nan_cell(value: float):
    expected = torch.ones(2, 2, dtype=torch.float64)
    actual = expected.clone()
    actual[0, 1] = value

    picture = _draw(expected, actual)

    assert math.isnan(picture.cells[0][1])
    assert (picture.cells[0][0], picture.worst, picture.wrong) == (0.0, (0, 1), 1)


def test_a_nan_is_not_lost_in_a_pooled_cell():
    expected = torch.ones(100, 1, dtype=torch.float64)
    actual = expected + 1
    actual[50] = math.nan

    assert sum(math.isnan(cell) for row in _draw(expected, actual).cells for cell in row) == 1


def test_the_window_is_around_the_worst_place_and_inside_the_tensor():
    window = _off_at((40, 40), (39, 0), by=0.25).window

    assert (window.top, window.left) == (40 - ROWS, 0)
    assert window.expected[-1][0] + 0.25 == window.actual[-1][0]
    assert (39, 0) not in window.right
    assert (38, 0) in window.right


@pytest.mark.parametrize(("shape", "is_cut"), [((ROWS, COLUMNS), False), ((ROWS + 1, 1), True), ((COLUMNS + 1,), True)])
def test_a_large_tensor_is_cut_to_a_readable_part(shape: tuple[int, ...], is_cut: bool):
    picture = _off_at(shape, (0,) * len(shape))

    assert picture.is_cut is is_cut
    assert len(picture.window.expected) <= ROWS
    assert len(picture.window.expected[0]) <= COLUMNS


def test_an_index_of_the_flat_view_is_one_of_the_tensor():
    picture = _off_at((2, 3, 4), (1, 2, 3))

    assert picture.worst_entry == (5, 3)
    assert picture.index(5, 3) == (1, 2, 3)
