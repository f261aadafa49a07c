"""The picture of an error as SVG, and what it says to those who do not see it."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
import torch
from torch import Tensor

from grader.course import Tolerance
from grader.report.heatmap import heat_maps, legend, overview
from grader.report.numbers_table import numbers_table
from grader.report.page_words import cut_line
from grader.report.words import axes, picture_title, rows_in_numbers
from grader.results import GradientFeedback
from grader.verdict.compare import compare
from grader.verdict.picture import draw

TOLERANCE = Tolerance(rtol=1e-11, atol=1e-13)


def _feedback(expected: Tensor, actual: Tensor) -> GradientFeedback:
    found = compare(expected, actual, TOLERANCE)
    picture = draw(expected, actual, found, TOLERANCE)
    return GradientFeedback("dW", found.verdict, 0.0, 1.0, comparison=found, picture=picture)


def _off(shape: tuple[int, ...], *, by: float = 1.0) -> GradientFeedback:
    expected = torch.ones(shape, dtype=torch.float64)
    actual = expected.clone()
    actual.view(-1)[-1] += by
    return _feedback(expected, actual)


SHAPES = [(), (1,), (7,), (1, 1), (3, 5), (1000, 1000), (2, 3, 4), (1, 900)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_picture_is_well_formed_and_small(shape: tuple[int, ...]):
    svg = str(overview(_off(shape)))

    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert len(svg) < 16_000
    assert "style" not in svg


def test_every_cell_is_drawn_once():
    svg = str(overview(_off((3, 5))))

    drawn = [
        (int(column) + place, int(row))
        for column, row, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", svg)
        for place in range(int(length))
    ]
    assert sorted(drawn) == [(column, row) for column in range(5) for row in range(3)]


def test_a_cell_that_is_not_finite_is_crossed_out_so_that_colour_is_not_all():
    svg = str(overview(_off((2, 2), by=math.nan)))

    assert 'class="cross"' in svg
    assert "1 cell of the picture is not finite" in svg


def test_all_nan_is_a_picture_too():
    gradient = _feedback(torch.ones(2, 2, dtype=torch.float64), torch.full((2, 2), math.nan, dtype=torch.float64))

    assert [line.meaning for line in legend(gradient.picture)] == ["not finite (NaN or infinite)"]
    assert rows_in_numbers(gradient.picture)[0] == "row 0: 2 of 2 cells off, 2 not finite"


def test_a_gradient_without_a_picture_gives_none():
    assert overview(_feedback(torch.ones(2, dtype=torch.float64), torch.ones(3, dtype=torch.float64))) == ""


def test_the_legend_names_only_what_is_there():
    assert [line.colour for line in legend(_off((3, 5)).picture)] == ["within", "level4"]


def test_the_picture_says_its_numbers():
    gradient = _off((3, 5), by=0.5)

    assert picture_title(gradient, gradient.picture) == (
        "Error of dW, shape (3, 5). 1 of 15 entries is off. The largest error is 0.5. "
        "Worst at [2, 4]: expected 1, yours 1.5, which is 1.5 times the expected."
    )
    assert rows_in_numbers(gradient.picture) == ["row 2: 1 of 5 cells off, largest error 0.5 in column 4"]


def test_a_pooled_picture_says_how_much_a_cell_holds():
    gradient = _off((1000, 1000))

    assert axes(gradient.picture).endswith("a cell is the largest error of 42 by 42 entries.")
    assert rows_in_numbers(gradient.picture)[0].startswith("rows 966 to 999: 1 of 24 cells off")


def test_the_numbers_beside_it_mark_the_worst():
    table = numbers_table(_off((3, 5), by=0.5))

    assert table.columns == ("[:, 2]", "[:, 3]", "[:, 4]")
    assert [label for label, _ in table.rows] == ["[0, :]", "[1, :]", "[2, :]"]
    worst = [entry for _, entries in table.rows for entry in entries if entry.is_worst]
    assert [(entry.expected, entry.actual, entry.is_right) for entry in worst] == [("1", "1.5", False)]


def test_expected_and_own_numbers_have_one_scale_and_the_difference_its_own():
    expected, own, difference = heat_maps(_off((3, 5), by=0.5))

    assert (expected.scale, own.scale, difference.scale) == ("1.5", "1.5", "0.5")
    assert [each.caption for each in (expected, own, difference)] == ["Expected", "Yours", "Yours minus expected"]


def test_a_wrong_entry_has_its_corner_marked_and_a_negative_one_a_minus():
    _, own, _ = heat_maps(_off((3, 5), by=-3.0))

    assert 'class="corner" d="M4 2h.34l-.34 .34z"' in own.drawn
    assert 'class="minus high" d="M4.3 2.5h.4"' in own.drawn


def test_where_a_few_numbers_dwarf_the_others_colours_step_by_hundreds():
    expected, own, difference = heat_maps(_off((3, 5), by=1e5))

    assert expected.steps == own.steps == "each colour is a hundred times the one before"
    assert difference.steps == ""
    assert 'class="pos2"' in own.drawn


def test_a_large_tensor_is_cut_and_says_so():
    gradient = _off((1000, 1000))

    assert cut_line(gradient.picture) == (
        "Shown are 12 by 16 of its 1000000 entries, those around the worst place, from [988, 984] to [999, 999]."
    )
    assert "from [988, 984] to [999, 999]" in heat_maps(gradient)[0].drawn


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_three_maps_are_well_formed_and_small(shape: tuple[int, ...]):
    maps = heat_maps(_off(shape, by=-1.5))

    assert [ElementTree.fromstring(str(each.drawn)).get("role") for each in maps] == ["img"] * 3
    assert sum(len(each.drawn) for each in maps) < 16_000
