"""Slips at a step as a whole: what is sent back through it, and how it is gathered where a value was shared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grader.diagnose.catalogue.kind import Kind, Made, slip
from grader.diagnose.graph import is_broadcast


@dataclass(frozen=True)
class Sent:
    """What comes back to the value `step`; `gradients` and `values` are what else there is, by name.

    `cuts` is into how many parts the forward cuts the value, 0 where it does not.
    """

    step: str
    upstream: Tensor
    gradients: Mapping[str, Tensor]
    values: Mapping[str, Tensor]
    cuts: int = 0


@slip()
def upstream_ones(at: Sent) -> Made:
    """Your {d} does not use what came back to {step}; it is what comes out for an upstream gradient of ones."""
    return torch.ones_like(at.upstream)


@slip()
def upstream_exchanged(at: Sent) -> Made:
    """Your {d} is what comes out if {detail} is sent back through {step}, in place of what came back to {step}."""
    others = {f"d{name}": each for name, each in at.gradients.items() if name != at.step} | dict(at.values)
    return [(name, each) for name, each in others.items() if each.shape == at.upstream.shape]


# From so many axes on, the last two are rows and columns.
IMAGES = 4


def _some(at: Sent, first: int, last: int) -> Iterator[tuple[str, Tensor]]:
    """Yield the upstream with a part of each axis kept: from `first` on, as many as there are but `last`."""
    dims = at.upstream.dim()
    groups = [(axis,) for axis in range(dims)]
    # Rows and columns of an image, which two loops go through.
    for axes in [*groups, (dims - 2, dims - 1)] if dims >= IMAGES else groups:
        kept = torch.zeros_like(at.upstream)
        some, part = kept, at.upstream
        for axis in axes:
            size = at.upstream.shape[axis]
            start, length = first % size, size - last if last else 1
            part, some = part.narrow(axis, start, length), some.narrow(axis, start, length)
        some.copy_(part)
        yield " and ".join(map(str, axes)), kept


@slip()
def upstream_first(at: Sent) -> Made:
    """Your {d} uses what came back to {step} at the first entry of axis {detail} only. All of them count."""
    return _some(at, 0, 0)


@slip()
def upstream_last(at: Sent) -> Made:
    """Your {d} uses what came back to {step} at the last entry of axis {detail} only. All of them count; a loop that
    assigns keeps the last one.
    """
    return _some(at, -1, 0)


@slip()
def upstream_all_but_first(at: Sent) -> Made:
    """Your {d} leaves out what came back to {step} at the first entry of axis {detail}. All of them count; look at
    where a loop or a slice begins.
    """
    return _some(at, 1, 1)


@slip()
def upstream_all_but_last(at: Sent) -> Made:
    """Your {d} leaves out what came back to {step} at the last entry of axis {detail}. All of them count; look at where
    a loop or a slice ends.
    """
    return _some(at, 0, 1)


def _orders(count: int) -> Iterator[list[int]]:
    """Yield the orders in which two parts have changed places, all are turned round, or each has moved on by some."""
    plain = list(range(count))
    yield plain[::-1]
    for shift in range(1, count):
        yield plain[shift:] + plain[:shift]
    for one in range(count):
        for two in range(one + 1, count):
            swapped = list(plain)
            swapped[one], swapped[two] = two, one
            yield swapped


def in_other_orders(tensor: Tensor, counts: Sequence[int]) -> Iterator[tuple[int, Tensor]]:
    """Yield a tensor cut into equal parts along an axis and joined in another order, with the axis."""
    for axis, size in enumerate(tensor.shape):
        for count in counts:
            if size % count == 0 and count > 1:
                parts = tensor.chunk(count, dim=axis)
                for order in _orders(count):
                    yield axis, torch.cat([parts[place] for place in order], dim=axis)


@slip()
def upstream_reordered(at: Sent) -> Made:
    """Your {d} has the parts of what came back to {step} in another order along axis {detail}. They go back in the
    order in which the forward cuts {step}.
    """
    return in_other_orders(at.upstream, (at.cuts,)) if at.cuts else None


SENT: tuple[Kind[Sent], ...] = (
    upstream_ones,
    upstream_exchanged,
    upstream_first,
    upstream_last,
    upstream_all_but_first,
    upstream_all_but_last,
    upstream_reordered,
)


@dataclass(frozen=True)
class Gathered:
    """What a step gives towards a `value` that it shared, not yet summed; `upstream` is what came back to the step."""

    raw: Tensor
    value: Tensor
    upstream: Tensor

    @property
    def is_shared(self) -> bool:
        """Whether the value was broadcast in the step."""
        return self.raw.shape != self.value.shape and is_broadcast(tuple(self.value.shape), tuple(self.raw.shape))

    @property
    def axes(self) -> list[int]:
        """The axes along which it was."""
        lead = self.raw.dim() - self.value.dim()
        shape = self.value.shape
        return [a for a in range(self.raw.dim()) if a < lead or self.raw.shape[a] != shape[a - lead]]


@slip()
def upstream_itself(at: Gathered) -> Made:
    """Your {d} is what comes out if what came back to {step} is handed on to {read} unchanged. Between the two there is
    a step with a slope.
    """
    return at.upstream if not at.is_shared and at.upstream.shape == at.value.shape and at.value.dim() else None


@slip()
def not_summed(at: Gathered) -> Made:
    """{read} was shared by many entries of {step}, and your {d} is what comes out if their gradients are not added
    up.
    """
    return at.raw if at.is_shared else None


@slip()
def summed_to_one(at: Gathered) -> Made:
    """Your {d} adds up everything to one number, at {step}. Each entry of {read} has a gradient of its own."""
    total = at.raw.sum()
    return [("", total), ("", total.expand(at.value.shape).clone())] if at.is_shared else None


@slip()
def axis_kept(at: Gathered) -> Made:
    """The numbers of your {d} are right, but an axis of size 1 is left over. Look for a keepdim."""
    lead = at.raw.dim() - at.value.dim()
    if not at.is_shared or not lead:
        return None
    return at.raw.sum_to_size(at.value.shape).reshape([1] * lead + list(at.value.shape))


@slip()
def axis_lost(at: Gathered) -> Made:
    """The numbers of your {d} are right, but an axis of size 1 got lost. Look for a missing keepdim."""
    return at.raw.sum_to_size(at.value.shape).squeeze() if at.is_shared and 1 in at.value.shape else None


@slip()
def first_only(at: Gathered) -> Made:
    """Your {d} uses the first entry of axis {detail} only, at {step}. All of them share {read}."""
    return _one_of(at, 0)


@slip()
def last_only(at: Gathered) -> Made:
    """Your {d} uses the last entry of axis {detail} only, at {step}. All of them share {read}; a loop that assigns
    keeps the last one.
    """
    return _one_of(at, -1)


def _one_of(at: Gathered, place: int) -> Iterator[tuple[int, Tensor]]:
    for axis in at.axes if at.is_shared else ():
        yield axis, at.raw.select(axis, place)
        yield axis, at.raw.narrow(axis, place % at.raw.shape[axis], 1)


@slip()
def summed_over(at: Gathered) -> Made:
    """Your {d} is summed over axis {detail} of {step}, the wrong one. Which axis was {read} shared along?"""
    axes = [axis for axis in range(at.raw.dim()) if [axis] != at.axes] if at.is_shared else []
    return [(axis, at.raw.sum(axis, keepdim=kept)) for axis in axes for kept in (False, True)]


@slip()
def averaged_over(at: Gathered) -> Made:
    """Your {d} is a mean over axis {detail} of {step}. That is neither the axis nor the sum."""
    axes = [axis for axis in range(at.raw.dim()) if [axis] != at.axes] if at.is_shared else []
    return [(axis, at.raw.mean(axis, keepdim=kept)) for axis in axes for kept in (False, True)]


GATHERED: tuple[Kind[Gathered], ...] = (
    upstream_itself,
    not_summed,
    summed_to_one,
    axis_kept,
    axis_lost,
    first_only,
    last_only,
    summed_over,
    averaged_over,
)


@dataclass(frozen=True)
class SharedFactor:
    """A factor that a product shared: the other factor, what came back to the product, and the shape to gather into."""

    partner: Tensor
    g: Tensor
    shape: tuple[int, ...]


@slip()
def one_factor_summed(at: SharedFactor) -> Made:
    """Your {d} adds up one factor and then multiplies, at {step}. {read} was shared, so the products are what adds
    up.
    """
    summed = at.partner.sum_to_size(at.shape)
    return [("", at.g * summed), ("", at.g.sum_to_size(at.shape) * at.partner)]


@slip()
def sums_multiplied(at: SharedFactor) -> Made:
    """Your {d} adds up both factors and then multiplies, at {step}. {read} was shared, so the products are what adds
    up.
    """
    return at.g.sum_to_size(at.shape) * at.partner.sum_to_size(at.shape)


SHARED: tuple[Kind[SharedFactor], ...] = (one_factor_summed, sums_multiplied)


@slip()
def results_exchanged(at: object) -> Made:
    """Your {d} is what comes out if the gradients of the two factors of {op} in {step} change places. Look at the order
    in which they are used after that.
    """


@slip()
def activations_skipped(at: object) -> Made:
    """Your {d} is what comes out if the activations in {step} are all passed by, as if they had slope 1."""


@slip()
def own_factors(at: object) -> Made:
    """At {step}, your {d} multiplies each of the two factors by itself. In a product, each factor gets the other
    one.
    """


@slip()
def moved_out(at: object) -> Made:
    """Your {d} multiplies by {detail} at the very end. It belongs inside, at {step}: what is summed after {step} must
    already have it.
    """


@slip()
def not_carried_back(at: object) -> Made:
    """Your {d} leaves out what one pass of the loop in {step} hands back to the pass before it, through {op} with
    {detail}. Each pass gets a gradient from outside and one from the next pass.
    """


@slip()
def turned_round(at: object) -> Made:
    """Your {d} has the right numbers in the reverse order along axis {detail}. Look for a flip, or for a list that was
    filled backward.
    """


@slip()
def axes_turned(at: object) -> Made:
    """Your {d} has axes {detail} swapped: look at the order of the indices, or for a transpose."""


@slip()
def parts_reordered(at: object) -> Made:
    """Your {d} has the right parts in another order along axis {detail}. Look at the order in which they are joined."""
