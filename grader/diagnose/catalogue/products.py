"""Slips in a product or quotient: its partner is exchanged, left out, turned around."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from grader.diagnose.catalogue.kind import Made, Site, slip
from grader.diagnose.catalogue.softmaxes import softmax
from grader.diagnose.graph import MISFIT, is_broadcast


def _own(at: Site) -> Tensor | None:
    if at.partner is None:
        return None
    found = at.inner if at.inner is not None else at.saved("self" if at.position == 0 else "other")
    return found if isinstance(found, Tensor) else None


@slip("Tanh", "Sigmoid", "Mul", "Div")
def parentheses_lost(at: Site) -> Made:
    """Your {d} is what comes out at {step} if parentheses are missing: a product or a quotient binds tighter than a
    minus.
    """
    if at.node.kind == "Tanh":
        return at.g - at.result.square()
    if at.node.kind == "Sigmoid":
        return [("", at.g * at.result - at.result.square()), ("", at.g * at.result - at.result)]
    return [("", at.g - value) for value in at.values.values() if value.dim() == 0] if at.partner is None else None


def _is_mask(tensor: Tensor | None) -> bool:
    return tensor is not None and bool(((tensor == 0) | (tensor == 1)).all())


@slip("Mul", "Div", "Where", "MaskedFill")
def mask_inverted(at: Site) -> Made:
    """Your {d} keeps what the mask drops at {step}, and drops what it keeps."""
    if at.node.kind in ("Where", "MaskedFill"):
        return at.g - at.right if at.right.shape == at.g.shape else None
    return at.g * (1 - at.partner) if at.partner is not None and _is_mask(at.partner) else None


@slip("Mul", "Div", "Where", "MaskedFill")
def mask_missing(at: Site) -> Made:
    """Your {d} leaves out the mask of {step}. An entry that is dropped cannot change the output."""
    return at.g if at.node.kind in ("Where", "MaskedFill") or _is_mask(at.partner) else None


@slip("Mul", "Div")
def own_factor(at: Site) -> Made:
    """At {step}, your {d} multiplies by the factor itself. In a product, each factor gets the other one."""
    own = _own(at)
    return at.g * own if own is not None else None


@slip("Mul", "Div")
def product_instead(at: Site) -> Made:
    """At {step}, your {d} multiplies by the whole product. Only the other factor scales a move."""
    own = _own(at)
    return at.g * own * at.partner if own is not None and at.partner is not None else None


@slip("Mul", "Div")
def quotient_rule(at: Site) -> Made:
    """At {step}, your {d} follows the rule of a quotient, and the forward has a product."""
    own = _own(at)
    return -at.g * at.partner / own.square() if own is not None and at.partner is not None else None


@slip("Mul", "Div")
def partner(at: Site) -> Made:
    """Your {d} is what comes out if {read} is multiplied by {detail} on the way to {step}. The forward multiplies it by
    something else.
    """
    if at.partner is None:
        return None
    fitting = [(n, v) for n, v in at.values.items() if v.dim() and is_broadcast(tuple(v.shape), tuple(at.g.shape))]
    return [(name, at.g * value) for name, value in fitting]


@slip("Mul", "Div")
def partner_over(at: Site) -> Made:
    """Your {d} divides by {detail} where {read} goes into {step}."""
    return [(name, at.g / value) for name, value in at.alike(at.partner)] if at.partner is not None else None


def _turned(tensor: Tensor) -> Tensor:
    return tensor.reshape(*tensor.shape[:-2], tensor.shape[-1], tensor.shape[-2])


def _matmul(at: Site, g: Tensor, other: Tensor) -> Tensor:
    """Out = a @ b, towards a (position 0) or towards b (position 1), for a factor that stands in the other's place."""
    return g @ other.mT if at.position == 0 else other.mT @ g


@slip("Mm", "Bmm")
def not_transposed(at: Site) -> Made:
    """Your {d} multiplies by the other factor as it stands, at {op} in {step}. Check which of its axes should meet
    which.
    """
    return _with_partner(at, lambda other: at.g @ other if at.position == 0 else other @ at.g)


@slip("Mm", "Bmm")
def upstream_turned(at: Site) -> Made:
    """Your {d} turns over what came back to {step}, at {op}, where it should stay as it is, or the other way round."""
    return _with_partner(at, lambda other: _matmul(at, at.g.mT, other))


@slip("Mm", "Bmm")
def reshaped(at: Site) -> Made:
    """Your {d} turns a factor over by reshaping it, at {op} in {step}. That keeps the numbers in order; a transpose
    does not.
    """
    return _with_partner(at, lambda other: at.g @ _turned(other) if at.position == 0 else _turned(other) @ at.g)


@slip("Mm", "Bmm")
def result_turned(at: Site) -> Made:
    """Your {d} lies on its side: rows and columns are swapped, at {op} in {step}."""
    return at.right.mT


@slip("Mm", "Bmm")
def other_order(at: Site) -> Made:
    """Your {d} has the two factors of {op} in {step} in the other order."""
    return _with_partner(at, lambda other: other.mT @ at.g if at.position == 0 else at.g @ other.mT)


@slip("Mm", "Bmm")
def partner_ones(at: Site) -> Made:
    """Your {d} does not use the other factor of {op} in {step}; it is what comes out if that is ones."""
    return _with_partner(at, lambda other: _matmul(at, at.g, torch.ones_like(other)))


@slip("Mm", "Bmm")
def partner_averaged(at: Site) -> Made:
    """Your {d} takes a plain mean where {op} in {step} weighs by the other factor."""
    return _with_partner(
        at, lambda other: [("", _matmul(at, at.g, torch.ones_like(other)) / other.shape[axis]) for axis in (-1, -2)]
    )


@slip("Mm", "Bmm")
def summed_before(at: Site) -> Made:
    """Your {d} adds up, or takes a mean, before it multiplies, at {op} in {step}. Each pair has its own product."""
    g, axis = at.g, -1 if at.position == 0 else -2

    def sums(other: Tensor) -> Iterator[tuple[str, Tensor]]:
        theirs = other.sum(axis).unsqueeze(-2 if at.position == 0 else -1)
        product = g.sum(axis, keepdim=True) * theirs
        for number in (1, g.shape[axis], g.shape[axis] ** 2):
            yield "", product / number

    return _with_partner(at, sums)


@slip("Mm", "Bmm")
def only_first(at: Site) -> Made:
    """Your {d} is filled from the first entry of an axis only, at {op} in {step}."""
    g = at.g
    return _with_partner(
        at,
        lambda other: g[..., :1] @ other[..., :1].mT if at.position == 0 else other[..., :1, :].mT @ g[..., :1, :],
    )


@slip("Mm", "Bmm")
def only_last(at: Site) -> Made:
    """Your {d} is filled from the last entry of an axis only, at {op} in {step}. A loop that assigns keeps the last
    one.
    """
    g = at.g
    return _with_partner(
        at,
        lambda other: g[..., -1:] @ other[..., -1:].mT if at.position == 0 else other[..., -1:, :].mT @ g[..., -1:, :],
    )


@slip("Mm", "Bmm")
def products_not_summed(at: Site) -> Made:
    """Your {d} still has an axis that {op} in {step} adds up. Its products are right."""
    g = at.g
    return _with_partner(
        at,
        lambda other: (
            g.unsqueeze(-2) * other.unsqueeze(-3) if at.position == 0 else other.unsqueeze(-1) * g.unsqueeze(-2)
        ),
    )


@slip("Mm", "Bmm")
def factor_exchanged(at: Site) -> Made:
    """Your {d} is what comes out if {read} is multiplied by {detail} on the way to {step}. The forward multiplies it by
    something else.
    """
    return _with_partner(at, lambda other: _exchanged(at, other))


@slip("Mm", "Bmm")
def factor_out_of_order(at: Site) -> Made:
    """Your {d} multiplies by {detail}, reshaped, at {op} in {step}. The numbers are those of the right factor and stand
    in another order: axes have to change places before they are joined.
    """

    def found(other: Tensor) -> Iterator[tuple[str, Tensor]]:
        for name, value in at.values.items():
            is_in_order = set(value.shape[-2:]) == set(other.shape[-2:])
            if value.dim() != other.dim() and not is_in_order and _has_the_numbers_of(value, other):
                for turned in (value, value.mT) if value.dim() > 1 else (value,):
                    yield name, _matmul(at, at.g, turned.reshape(other.shape))

    return _with_partner(at, found)


def _has_the_numbers_of(value: Tensor, other: Tensor) -> bool:
    """Return whether two tensors hold the same numbers, in whatever order."""
    if value.numel() != other.numel():
        return False
    return torch.equal(value.flatten().sort().values, other.flatten().sort().values)


@slip("Mm", "Bmm")
def softmax_of_factor(at: Site) -> Made:
    """Your {d} multiplies by a softmax of {detail}, at {op} in {step}. The forward has another factor there."""
    return _with_partner(at, lambda other: _exchanged(at, other, lambda value: softmax(value, -1)))


def _exchanged(
    at: Site, other: Tensor, change: Callable[[Tensor], Tensor] = lambda value: value
) -> Iterator[tuple[str, Tensor]]:
    """Yield the product with each value or gradient that has the size of the other factor, as it is or turned."""
    sizes = {(other.shape[-2], other.shape[-1]), (other.shape[-1], other.shape[-2])}
    for name, value in {**at.values, **at.gradients}.items():
        if value.dim() < 2 or value.numel() != other.numel():
            continue
        # A product over the last axis has all axes before it in one.
        is_in_order = value.dim() > other.dim() and value.shape[-1] == other.shape[-1]
        if tuple(value.shape[-2:]) not in sizes and not is_in_order:
            continue
        changed = change(value).reshape(other.shape) if is_in_order else change(value)
        for turned in (changed, changed.mT):
            if turned.shape[-2:] == other.shape[-2:]:
                yield name, _matmul(at, at.g, turned.reshape(other.shape))


def _with_partner(at: Site, make: Callable[[Tensor], Made]) -> Made:
    try:
        return make(at.partner) if at.partner is not None else None
    except MISFIT:  # shapes that do not fit: nobody gets this far with them
        return None
