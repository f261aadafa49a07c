"""The slips that people make in the backward of one operation: in its slope, in its layout, in a softmax."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from grader.diagnose.graph import MISFIT, Node, is_broadcast

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


def slips_of_a_layout(node: Node, position: int, g: Tensor, values: Mapping[str, Tensor], inner: Tensor | None) -> Made:
    """Yield what one operation gives if it went wrong in a way that people go wrong, each with its kind."""
    right = node.backward(g)[position]
    if right is None:
        return
    if node.kind in ("Sum", "Mean"):
        yield from _of_a_sum(g, right, inner)
    if node.kind in ("Mm", "Bmm"):
        yield from _of_a_matmul(node, position, g, values)
    if node.kind in ("Max", "Amax", "Min", "Amin") and inner is not None and node.saved("dim") is not None:
        yield from _of_a_maximum(node, g, right, inner)
    if node.kind == "Index":
        yield from _of_a_lookup(node, g, right, inner)
    if node.kind in ("Softmax", "_Softmax"):
        yield from slips_of_softmax(node.saved("result"), g, int(node.saved("dim")) % right.dim())


def _of_a_sum(g: Tensor, right: Tensor, inner: Tensor | None) -> Made:
    yield "not_expanded", g
    yield "upstream_summed", g.sum().expand_as(right)
    if inner is not None and inner.shape == right.shape:
        yield "times_input", right * inner
    for axis in range(right.dim()):
        for word, place in (("first", 0), ("last", -1)):
            only = torch.zeros_like(right)
            only.select(axis, place).copy_(right.select(axis, place))
            yield f"only_{word}:{axis}", only


def _of_a_matmul(node: Node, position: int, g: Tensor, values: Mapping[str, Tensor]) -> Made:
    """Out = a @ b, towards a (position 0) or towards b (position 1)."""
    other = node.saved("mat2" if position == 0 else "self")
    if not isinstance(other, Tensor):
        return
    turned = other.reshape(*other.shape[:-2], other.shape[-1], other.shape[-2])
    towards_a = position == 0
    attempts: dict[str, Callable[[], Tensor]] = {
        "not_transposed": lambda: g @ other if towards_a else other @ g,
        "reshaped": lambda: g @ turned if towards_a else turned @ g,
        "result_turned": lambda: other @ g.mT if towards_a else g.mT @ other,
        "other_order": lambda: other.mT @ g if towards_a else g @ other.mT,
        "partner_ones": lambda: g @ torch.ones_like(other).mT if towards_a else torch.ones_like(other).mT @ g,
        "summed_before": lambda: (
            g.sum(-1, keepdim=True) * other.sum(-1).unsqueeze(-2)
            if towards_a
            else other.sum(-2).unsqueeze(-1) * g.sum(-2, keepdim=True)
        ),
        "only_first": lambda: g[..., :1] @ other[..., :1].mT if towards_a else other[..., :1, :].mT @ g[..., :1, :],
        "only_last": lambda: g[..., -1:] @ other[..., -1:].mT if towards_a else other[..., -1:, :].mT @ g[..., -1:, :],
        "products_not_summed": lambda: (
            g.unsqueeze(-2) * other.unsqueeze(-3) if towards_a else other.unsqueeze(-1) * g.unsqueeze(-2)
        ),
    }
    for name, value in values.items():
        if value.dim() >= 2 and value.shape[-2:] == other.shape[-2:] and value.dim() == other.dim():
            attempts[f"partner:{name}"] = lambda v=value: g @ v.mT if towards_a else v.mT @ g  # type: ignore[misc] # a bound default
    for kind, attempt in attempts.items():
        try:
            yield kind, attempt()
        except MISFIT:  # shapes that do not fit: nobody gets this far with them
            continue


def _of_a_maximum(node: Node, g: Tensor, right: Tensor, x: Tensor) -> Made:
    dim = int(node.saved("dim")) % x.dim()
    wide = g if g.dim() == x.dim() else g.unsqueeze(dim)
    yield "not_routed", g
    yield "to_every_entry", wide.expand_as(x)
    yield "times_input", right * x
    yield "smallest", torch.zeros_like(x).scatter(dim, x.argmin(dim=dim, keepdim=True), wide)
    yield "positive_entries", wide * (x > 0)
    yield "slope_only", (right != 0).to(x.dtype)
    for axis in range(x.dim()):
        if axis != dim:
            yield "maximum_of_other_axis", torch.where(x == x.amax(dim=axis, keepdim=True), wide, 0.0)
    if x.dim() == 2 and dim == 1:
        pairs = torch.zeros_like(x)
        pairs[:, x.argmax(dim=1)] = wide
        yield "every_row", pairs


def _of_a_lookup(node: Node, g: Tensor, right: Tensor, inner: Tensor | None) -> Made:
    """Out = table[index], one index or one for each of the first axes."""
    indices = [index for index in node.saved("indices") or () if index is not None]
    if not indices or len(indices) != len(node.saved("indices")):
        return
    where = tuple(index.detach() for index in indices)
    zeros = torch.zeros_like(right)
    yield "not_collected", g
    yield "overwritten", zeros.clone().index_put_(where, g)
    yield "slope_only", zeros.index_put(where, torch.ones_like(g), accumulate=True)
    yield "everywhere", torch.full_like(right, float(g.flatten()[0]) if g.numel() else 0.0)
    if inner is not None:
        yield "times_input", zeros.index_put(where, g * inner[where], accumulate=True)
    if len(where) == 2 and g.dim() == 1 and right.dim() == 2:
        pairs = zeros.clone()
        pairs[:, where[1]] = g
        yield "every_row", pairs
    if len(where) != 1:
        return
    index, rows = where[0], right.shape[0]
    counts = torch.bincount(index.flatten(), minlength=rows)
    spread = counts[index].reshape(*index.shape, *[1] * (g.dim() - index.dim()))
    yield "averaged_per_token", zeros.index_put(where, g / spread, accumulate=True)
    yield "same_for_all", zeros.clone().index_put_(where, g.sum(dim=tuple(range(index.dim()))).expand_as(g))
    yield "shifted", zeros.index_put((index - 1,), g, accumulate=True)
    yield "shifted", zeros.index_put(((index + 1) % rows,), g, accumulate=True)
    turned = right.mT
    yield "result_turned", turned
    for axis in range(index.dim()):
        for word, place in (("first", 0), ("last", -1)):
            some = zeros.index_put((index.select(axis, place),), g.select(axis, place), accumulate=True)
            yield f"only_{word}:{axis}", some
    if g.dim() == index.dim() + 1 and index.dim() > 1:
        mixed = g.reshape(*g.shape[:-2], g.shape[-1], g.shape[-2]).mT
        yield "axes_mixed", zeros.index_put(where, mixed, accumulate=True)


def slips_of_softmax(p: Tensor, g: Tensor, dim: int) -> Made:
    """Yield what a softmax over `dim` with the result p gives if it went wrong."""
    weighted = p * g
    yield "skipped", g
    yield "shared_sum_ignored", weighted
    yield "diagonal_only", weighted * (1 - p)
    yield "sum_not_weighted", p * (g - g.sum(dim, keepdim=True))
    yield "plain_mean", p * (g - g.mean(dim, keepdim=True))
    yield "sum_added", p * (g + weighted.sum(dim, keepdim=True))
    yield "mean_for_sum", p * (g - weighted.mean(dim, keepdim=True))
    yield "parentheses_lost", weighted - weighted.sum(dim, keepdim=True)
    yield "not_scaled", g - weighted.sum(dim, keepdim=True)
    yield "scaled_twice", p * p * (g - weighted.sum(dim, keepdim=True))
    yield "log_softmax_rule", g - p * g.sum(dim, keepdim=True)
    yield "upstream_as_target", p - g
    for axis in range(p.dim()):
        if axis != dim:
            yield "other_axis", p * (g - weighted.sum(axis, keepdim=True))
