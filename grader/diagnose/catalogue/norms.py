"""Slips in the one formula back through a normalisation y = (x - mean) · r along an axis, with or without a gain.

The right one is r · (g - mean(g) - c · y · mean(g · y)), where g has the gain in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from grader.diagnose.catalogue.kind import Kind, Made, slip


@dataclass(frozen=True)
class Norm:
    """A normalisation along `dim` with the result `y` and the scale `r`.

    `g` is what comes back to y, `plain` the same without the gain (None without one), `gain` that factor, and `c` is 1
    where the variance is divided by the number of entries.
    """

    x: Tensor
    y: Tensor
    r: Tensor
    dim: int
    g: Tensor
    plain: Tensor | None
    gain: Tensor | None
    c: float

    def mean(self, tensor: Tensor, dim: int | tuple[int, ...] | None = None) -> Tensor:
        """Return a mean along the axis of the norm, or others."""
        return tensor.mean(self.dim if dim is None else dim, keepdim=True)

    def dx(self, first: Tensor, second: Tensor, third: Tensor) -> Tensor:
        """Return the formula with its three terms."""
        return self.r * (first - second - self.c * self.y * third)

    @property
    def right(self) -> Tensor:
        """The formula as it should be."""
        return self.dx(self.g, self.mean(self.g), self.mean(self.g * self.y))


@slip()
def gain_outside(at: Norm) -> Made:
    """Your {d} has the gain outside the bracket of the norm {step}. It differs from entry to entry of what is averaged,
    so it belongs inside, before the means.
    """
    if at.plain is None or at.gain is None:
        return None
    g = at.plain
    return at.gain * at.dx(g, at.mean(g), at.mean(g * at.y))


@slip()
def gain_in_some_terms(at: Norm) -> Made:
    """Your {d} has the gain in some terms of the norm {step} and not in others. All of them start from what came back
    times the gain.
    """
    if at.plain is None:
        return None
    return [("", found) for found in _with_gain_in_some(at, at.plain)]


def _with_gain_in_some(at: Norm, plain: Tensor) -> Iterator[Tensor]:
    choices = (at.g, plain)
    for first in choices:
        for second in choices:
            for third in choices:
                if not first is second is third:
                    yield at.dx(first, at.mean(second), at.mean(third * at.y))


def _bases(at: Norm) -> Iterator[tuple[Tensor | float, Tensor]]:
    """Yield what stands before the bracket, and what came back in it: with the gain inside, or legally outside."""
    yield 1.0, at.g
    if at.plain is not None and at.gain is not None:
        yield at.gain, at.plain


@slip()
def normalised_over_other_axis(at: Norm) -> Made:
    """Your {d} takes the means of the norm {step} over axis {detail}. It was normalised along another one."""
    axes = [axis for axis in range(at.y.dim()) if axis != at.dim]
    return [
        (axis, before * at.dx(g, at.mean(g, axis), at.mean(g * at.y, axis)))
        for before, g in _bases(at)
        for axis in axes
    ]


@slip()
def one_mean_over_other_axis(at: Norm) -> Made:
    """Your {d} takes one of the means of the norm {step} over axis {detail}. It was normalised along another one."""
    found = []
    for before, g in _bases(at):
        first, second = at.mean(g), at.mean(g * at.y)
        for axis in (axis for axis in range(at.y.dim()) if axis != at.dim):
            for number in (1.0, at.y.shape[axis] / at.y.shape[at.dim]):
                found.append((axis, before * at.dx(g, number * at.mean(g, axis), second)))
                found.append((axis, before * at.dx(g, first, number * at.mean(g * at.y, axis))))
    return found


@slip()
def mean_of_everything(at: Norm) -> Made:
    """Your {d} takes a mean of the norm {step} over all axes at once. It was normalised along one of them."""
    axes, found = tuple(range(at.y.dim())), []
    for before, g in _bases(at):
        first, second = at.mean(g), at.mean(g * at.y)
        all_first, all_second = at.mean(g, axes), at.mean(g * at.y, axes)
        for pair in ((all_first, second), (first, all_second), (all_first, all_second)):
            found.append(("", before * at.dx(g, *pair)))
    return found


@slip()
def count_missing(at: Norm) -> Made:
    """Your {d} divides what came back to the norm {step} by the number of entries as well. Only its means are divided:
    a factor is missing in the bracket.
    """
    return at.dx(at.g / at.y.shape[at.dim], at.mean(at.g), at.mean(at.g * at.y))


@slip()
def product_not_summed(at: Norm) -> Made:
    """Your {d} does not add up the product with {step} in the bracket of the norm. Every entry moves the variance, and
    that moves all the others.
    """
    product = at.g * at.y
    return [("", at.dx(at.g, at.mean(at.g), product / number)) for number in (1, at.y.shape[at.dim])]


@slip()
def gradient_not_summed(at: Norm) -> Made:
    """Your {d} does not add up what came back to {step} in the bracket of the norm. Every entry moves the mean."""
    return at.dx(at.g, at.g / at.y.shape[at.dim], at.mean(at.g * at.y))


@slip()
def along_missing(at: Norm) -> Made:
    """One term of your {d} lacks {step} as a factor: what comes back through the variance of the norm goes along it."""
    right = at.r * (at.g - at.mean(at.g) - at.c * at.mean(at.g * at.y))
    return [("", right), ("", at.r * (at.g - at.mean(at.g) - at.c * at.y * at.mean(at.g)))]


@slip()
def not_normalised(at: Norm) -> Made:
    """Your {d} has the input of the norm where its result {step} belongs."""
    x, g = at.x, at.g
    centred = x - at.mean(x)
    pairs = ((x, x), (x, at.y), (at.y, x), (centred, centred), (centred, at.y), (at.y, centred))
    return [("", at.r * (g - at.mean(g) - at.c * one * at.mean(g * two))) for one, two in pairs]


KINDS: tuple[Kind[Norm], ...] = (
    gain_outside,
    gain_in_some_terms,
    normalised_over_other_axis,
    one_mean_over_other_axis,
    mean_of_everything,
    count_missing,
    product_not_summed,
    gradient_not_summed,
    along_missing,
    not_normalised,
)
