"""One entry of a wrong gradient worked by hand: the products that the chain rule adds up; pure.

What is told is what a student can measure without knowing any formula: nudge the entry, see which entries of the next
values move and how far (their slopes), and multiply each with the gradient that is there. Slopes are numbers and never
the names of what they are made of, so no backward line can be read off.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch

from grader.course.cases import Case

# The largest products are shown; of more, only their sum.
SHOWN = 6
# How near, for its size, a sum is to a number that it is said to be.
NEAR = 1e-9


@dataclass(frozen=True)
class Product:
    """One entry of a next value: how far it moves with the entry that is worked out, times the gradient there.

    `is_used` tells whether the student's own number has it in its sum; None where that cannot be told.
    """

    value: str
    index: tuple[int, ...]
    slope: float
    upstream: float
    is_used: bool | None = None

    @property
    def product(self) -> float:
        """Slope times upstream gradient."""
        return self.slope * self.upstream


@dataclass(frozen=True)
class Worked:
    """The entry at `index` of a gradient as a sum: the largest `products` in order, `more` others and their sum."""

    index: tuple[int, ...]
    products: tuple[Product, ...]
    more: int
    rest: float
    expected: float
    actual: float

    @property
    def reads(self) -> tuple[str, ...]:
        """The values that the products are entries of, each once."""
        return tuple(dict.fromkeys(each.value for each in self.products))


def work_out(case: Case, value: str, index: tuple[int, ...], expected: float, actual: float) -> Worked | None:
    """Return an entry of a value's gradient as a sum of products.

    None where there is nothing to add up, or where the sum is not the expected number: a detached path, an output.
    """
    products = [each for name in case.forward.consumers(value) for each in _products(case, value, name, index)]
    largest = max((abs(each.product) for each in products), default=0.0)
    if not largest or abs(math.fsum(each.product for each in products) - expected) > NEAR * largest:
        return None
    order = sorted(range(len(products)), key=lambda place: -abs(products[place].product))
    shown = [products[place] for place in sorted(order[:SHOWN])]
    others = [products[place].product for place in order[SHOWN:]]
    if not any(others):
        shown = _told_apart(shown, actual, NEAR * largest)
    return Worked(index, tuple(shown), len(others), math.fsum(others), expected, actual)


def _products(case: Case, value: str, consumer: str, index: tuple[int, ...]) -> list[Product]:
    upstream = case.expected[consumer]
    slopes = case.forward.slopes(consumer, value, index)
    return [
        Product(consumer, tuple(place), float(slopes[tuple(place)]), float(upstream[tuple(place)]))
        for place in torch.nonzero(slopes).tolist()
    ]


def _told_apart(products: list[Product], actual: float, near: float) -> list[Product]:
    """Say of each product whether it is in the student's own sum, if that is the sum of just some of them."""
    if not math.isfinite(actual):
        return products
    found = [
        used
        for used in itertools.product((True, False), repeat=len(products))
        if any(used)
        and abs(math.fsum(each.product for each, has in zip(products, used, strict=True) if has) - actual) <= near
    ]
    if len(found) != 1 or all(found[0]):
        return products
    return [
        Product(each.value, each.index, each.slope, each.upstream, has)
        for each, has in zip(products, found[0], strict=True)
    ]
