"""An operation of a step as the place where a slip of the catalogue happens."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from grader.diagnose.catalogue import Kind, Site, made
from grader.diagnose.evidence import Sample
from grader.diagnose.graph import Plan

# What keeps all numbers in their order.
VIEWS = ("View", "UnsafeView", "ReshapeAlias", "Clone")


def site_of(sample: Sample, plan: Plan, index: int, position: int, g: Tensor) -> Site | None:
    """Return an operation of a step, towards one of its inputs and for an upstream, as a place for slips."""
    node = plan.nodes[index]
    right = node.backward(g)[position]
    edge = node.edges[position]
    if right is None or edge is None:
        return None
    gradients = {f"d{name}": each for name, each in sample.upstream.items()}
    return Site(node, position, g, right, _inner(sample, plan, edge), sample.tensors, gradients)


def repeated(sample: Sample, plan: Plan, kind: Kind[Site]) -> Callable[[Tensor, int, int], Tensor]:
    """Return the slip as it happens in every pass of a loop, whatever arrives there; it raises where it cannot."""

    def patched(g: Tensor, index: int, position: int) -> Tensor:
        site = site_of(sample, plan, index, position, g)
        found = [wrong for word, wrong in made(kind, site) if ":" not in word] if site is not None else []
        if not found:
            raise ValueError
        return found[0]

    return patched


def _inner(sample: Sample, plan: Plan, edge: int | str) -> Tensor | None:
    """Return the value of the forward that an operation was applied to, through additions of a number and views."""
    shape = plan.nodes[edge].shape if isinstance(edge, int) else None
    while isinstance(edge, int):
        node = plan.nodes[edge]
        behind = [e for e in node.edges if e is not None]
        if node.kind not in ("Add", "Sub", *VIEWS) or len(behind) != 1:
            return None
        edge = behind[0]
    value = sample.tensors[edge]
    return value if shape is None or value.numel() != math.prod(shape) else value.reshape(shape)
