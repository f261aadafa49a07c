"""Slips in the backward of an operation that works entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from grader.diagnose.graph import Node, is_broadcast

Made = Iterator[tuple[str, Tensor]]


def slips_of_a_slope(node: Node, position: int, g: Tensor, values: Mapping[str, Tensor], inner: Tensor | None) -> Made:
    """Yield what one operation gives if it went wrong in a way that people go wrong, each with its kind.

    `g` is the upstream gradient of the operation, `position` says towards which input it is wanted, and
    `inner` is that input if it is a value of the forward itself. `values` are all of the forward.
    """
    right = node.backward(g)[position]
    if right is None:
        return
    yield "skipped", g
    yield "negated", -right
    slope = node.backward(torch.ones_like(g))[position]
    assert slope is not None
    if node.kind in _ENTRYWISE and is_broadcast(tuple(slope.shape), tuple(g.shape)):
        yield "slope_only", slope
        yield "divided_by_slope", g / slope
        yield "added_to_slope", g + slope
        yield "slope_twice", right * slope
        yield "subtracted_slope", g - slope
        yield "divided_by_upstream", slope / g
        yield "turned_upside_down", 1 / right
    if node.kind in _RULES:
        yield from _RULES[node.kind](node, g, values, inner)
    if node.kind in ("Mul", "Div"):
        yield from _of_a_product(node, position, g, values, inner)


def _of_tanh(node: Node, g: Tensor, values: Mapping[str, Tensor], _: Tensor | None) -> Made:
    h = node.saved("result")
    yield "square_missing", g * (1 - h)
    yield "square_added", g * (1 + h.square())
    yield "sigmoid_rule", g * h * (1 - h)
    yield "relu_rule", g * (h > 0)
    yield "bracket_squared", g * (1 - h).square()
    yield "parentheses_lost", g - h.square()
    yield "applied_twice", g * (1 - h.tanh().square())
    yield "upstream_in_the_slope", (1 - g.square()) * h
    yield "one_missing", -g * h.square()
    for name, value in _alike(values, h):
        yield f"slope_at:{name}", g * (1 - value.square())


def _of_sigmoid(node: Node, g: Tensor, values: Mapping[str, Tensor], _: Tensor | None) -> Made:
    s = node.saved("result")
    yield "tanh_rule", g * (1 - s.square())
    yield "applied_twice", g * s.sigmoid() * (1 - s.sigmoid())
    yield "relu_rule", g * (s > 0.5)
    yield "parentheses_lost", g * s - s.square()
    for name, value in _alike(values, s):
        yield f"slope_at:{name}", g * value * (1 - value)


def _of_exp(node: Node, g: Tensor, values: Mapping[str, Tensor], _: Tensor | None) -> Made:
    result = node.saved("result")
    x = result.log()
    yield "applied_twice", g * result.exp()
    yield "power_rule", g * x * (x - 1).exp()
    yield "power_rule", g * x * result
    yield "input_as_slope", g * x
    for name, value in _alike(values, result):
        yield f"slope_at:{name}", g * value


def _of_log(node: Node, g: Tensor, values: Mapping[str, Tensor], _: Tensor | None) -> Made:
    x = node.saved("self")
    yield "differentiated_twice", -g / x.square()
    yield "exp_rule", g * x.exp()
    yield "output_as_input", g / x.log()
    for name, value in _alike(values, x):
        yield f"slope_at:{name}", g / value
    for small in (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5):
        yield f"number_added:{small:g}", g / (x + small)


def _of_power(node: Node, g: Tensor, values: Mapping[str, Tensor], inner: Tensor | None) -> Made:
    x, k = node.saved("self"), node.saved("exponent")
    yield "exponent_kept", g * k * x**k
    yield "factor_missing", g * x ** (k - 1)
    yield "neither_lowered_nor_factor", g * x**k
    yield "exponent_raised", g * k * x ** (k + 1)
    yield "exponent_turned", g * k * x ** (-k)
    yield "exponent_turned", g * k * x ** (1 - k)
    yield "parentheses_lost", g * k * x**k - 1
    yield "square_assumed", g * 2 * x
    yield "towards_exponent", g * x**k * x.log()
    yield "slope_of_a_line", g * k
    if k != -1:
        yield "integrated", g * x ** (k + 1) / (k + 1)
    if inner is not None and inner.shape == x.shape:
        yield "inner_number_missing", g * k * inner ** (k - 1)
    for name, value in _alike(values, x):
        yield f"slope_at:{name}", g * k * value ** (k - 1)


def _of_a_product(node: Node, position: int, g: Tensor, values: Mapping[str, Tensor], own: Tensor | None) -> Made:
    """A product or quotient: the partner of a factor is exchanged, left out, turned around."""
    partner = node.saved("other" if position == 0 else "self")
    if not isinstance(partner, Tensor) or partner.dim() == 0:
        for value in values.values():
            if value.dim() == 0:
                yield "parentheses_lost", g - value
        return
    if own is None:
        own = node.saved("self" if position == 0 else "other")
    if bool(((partner == 0) | (partner == 1)).all()):
        yield "mask_inverted", g * (1 - partner)
        yield "mask_missing", g
    if own is not None:
        yield "own_factor", g * own
        yield "product_instead", g * own * partner
        yield "quotient_rule", -g * partner / own.square()
    for name, value in values.items():
        if value.dim() and is_broadcast(tuple(value.shape), tuple(g.shape)):
            yield f"partner:{name}", g * value
            if partner.shape == value.shape:
                yield f"partner_over:{name}", g / value


def _alike(values: Mapping[str, Tensor], saved: Tensor) -> Iterator[tuple[str, Tensor]]:
    return ((name, value) for name, value in values.items() if value.shape == saved.shape)


_ENTRYWISE = ("Tanh", "Sigmoid", "Relu", "Exp", "Log", "Pow", "Mul", "Div", "Sqrt", "Rsqrt", "Reciprocal")
_RULES: Mapping[str, Callable[[Node, Tensor, Mapping[str, Tensor], Tensor | None], Made]] = {
    "Tanh": _of_tanh,
    "Sigmoid": _of_sigmoid,
    "Exp": _of_exp,
    "Log": _of_log,
    "Pow": _of_power,
}
