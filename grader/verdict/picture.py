"""A wrong gradient as small pictures, whatever the size of the tensor: its error, and its numbers; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from grader.course import Tolerance
from grader.verdict.compare import Comparison

MAX_CELLS = 24
# As many rows and columns of numbers are read at a glance, at 390 pixels as well.
ROWS, COLUMNS = 12, 16

Grid = npt.NDArray[np.float64]
Numbers = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Window:
    """Expected and actual values of the part that is shown, from row `top` and column `left` of the flat view.

    The worst place is in it. `right` are the rows and columns, of the flat view as well, that are within the tolerance.
    """

    top: int
    left: int
    expected: Numbers
    actual: Numbers
    right: frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Picture:
    """The error of a gradient of `shape`, seen as rows (all axes but the last) and columns (the last axis).

    A cell holds the largest absolute error of its `pool` entries: 0.0 where all of them are within the
    tolerance, NaN where one is not finite. `worst` is the cell and `worst_entry` the row and column of
    the worst place; `wrong` counts the entries beyond the tolerance.
    """

    shape: tuple[int, ...]
    pool: tuple[int, int]
    cells: Numbers
    worst: tuple[int, int]
    worst_entry: tuple[int, int]
    wrong: int
    window: Window

    @property
    def size(self) -> int:
        """The number of entries of the tensor."""
        return math.prod(self.shape)

    @property
    def is_cut(self) -> bool:
        """Whether the window is less than the tensor."""
        return len(self.window.expected) * len(self.window.expected[0]) < self.size

    def index(self, row: int, column: int) -> tuple[int, ...]:
        """Return the tensor's own index of a row and column of the flat view."""
        lead = [int(axis) for axis in np.unravel_index(row, self.shape[:-1])] if len(self.shape) > 1 else []
        return (*lead, column) if self.shape else ()


def draw(expected: Tensor, actual: Tensor, comparison: Comparison, tolerance: Tolerance) -> Picture | None:
    """Return the picture of a wrong gradient, or None where its error has none: no entries, another shape or dtype."""
    if comparison.worst_index is None:
        return None
    columns = expected.shape[-1] if expected.dim() else 1
    want, got = (tensor.numpy().reshape(-1, columns) for tensor in (expected, actual))
    with np.errstate(all="ignore"):
        error = np.abs(got - want)
        right = error <= tolerance.atol + tolerance.rtol * np.abs(want)
    error[right] = 0.0
    error[~np.isfinite(got)] = np.nan
    place = int(np.ravel_multi_index(comparison.worst_index, tuple(expected.shape))) if expected.dim() else 0
    row, column = divmod(place, columns)
    pool = -(-want.shape[0] // MAX_CELLS), -(-columns // MAX_CELLS)
    return Picture(
        shape=tuple(expected.shape),
        pool=pool,
        cells=_numbers(_pooled(error, pool)),
        worst=(row // pool[0], column // pool[1]),
        worst_entry=(row, column),
        wrong=int(right.size - right.sum()),
        window=_window(want, got, error == 0.0, (row, column)),
    )


def _pooled(error: Grid, pool: tuple[int, int]) -> Grid:
    for axis, step in enumerate(pool):
        if step > 1:
            # reduceat, so that the last cell may hold fewer entries; a maximum with NaN is NaN.
            error = np.maximum.reduceat(error, range(0, error.shape[axis], step), axis=axis)
    return error


def _window(expected: Grid, actual: Grid, is_right: npt.NDArray[np.bool_], worst: tuple[int, int]) -> Window:
    (rows, columns), (row, column) = expected.shape, worst
    top, bottom = around(row, rows, ROWS)
    left, right = around(column, columns, COLUMNS)
    cut = slice(top, bottom), slice(left, right)
    inside = frozenset((top + int(down), left + int(along)) for down, along in np.argwhere(is_right[cut]))
    return Window(top, left, _numbers(expected[cut]), _numbers(actual[cut]), inside)


def around(place: int, size: int, room: int) -> tuple[int, int]:
    """Return the bounds of at most `room` of `size` entries around a place, moved inside where it is near an end."""
    start = max(0, min(place - room // 2, size - room))
    return start, min(size, start + room)


def _numbers(grid: Grid) -> Numbers:
    return tuple(map(tuple, grid.tolist()))
