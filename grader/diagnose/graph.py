"""The graph of one step of a forward pass: its autograd nodes, which can be run backward one at a time.

A node that is called by itself gives its gradients before they are summed over what the forward
broadcast. So a backward pass can be replayed with a slip in it: another result for one node, or a sum
that was forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grader.course.trace import Forward, Step

# What torch raises where a gradient of another shape than the forward's does not fit.
MISFIT = (RuntimeError, IndexError, ValueError)
# By node and input, what goes back there in place of what is right: a tensor, or what makes it of the upstream, the
# node and the input.
Patch = Mapping[tuple[int, int], Tensor | Callable[[Tensor, int, int], Tensor]]


@dataclass(frozen=True)
class Node:
    """One operation of a step. `edges` say where its gradients go: to a node by index, a value by name, nowhere."""

    function: Any
    kind: str
    edges: tuple[int | str | None, ...]

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of what the operation made; None where this torch does not tell."""
        metadata = getattr(self.function, "_input_metadata", None)
        return tuple(metadata[0].shape) if metadata else None

    def saved(self, name: str) -> Any:
        """Return what the operation kept for its backward under this name, or None."""
        try:
            found = getattr(self.function, f"_saved_{name}", None)
        except RuntimeError:  # an operation that did not need to keep it
            return None
        return found.detach() if isinstance(found, Tensor) else found

    def backward(self, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of each input, not yet summed over broadcast axes."""
        found = self.function(upstream)
        return found if isinstance(found, tuple) else (found,)


@dataclass(frozen=True)
class Plan:
    """The nodes of one step, from its value down to the values that it reads."""

    step: Step
    nodes: tuple[Node, ...]

    def backward(self, upstream: Tensor, patch: Patch | None = None) -> dict[str, Tensor]:
        """Return what the step passes back to each value it reads, not yet summed over broadcast axes.

        `patch` replaces single results: of the node with this index, towards this one of its inputs.
        """
        patch = patch or {}
        arrived: dict[int, Tensor] = {0: upstream}
        found: dict[str, Tensor] = {}
        for index, node in enumerate(self.nodes):
            if index not in arrived:
                continue
            for position, gradient in enumerate(node.backward(arrived[index])):
                result = patch.get((index, position), gradient)
                if callable(result):
                    result = result(arrived[index], index, position)
                edge = node.edges[position] if position < len(node.edges) else None
                if result is None or edge is None:
                    continue
                if isinstance(edge, str):
                    found[edge] = found[edge] + result if edge in found else result
                else:
                    reduced = reduce_to(result, self.nodes[edge].shape)
                    arrived[edge] = arrived[edge] + reduced if edge in arrived else reduced
        return found

    def forward(self, tangents: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> Tensor:
        """Return how the value of the step moves if the values that it reads move along these tangents."""
        with torch.enable_grad():
            upstream = torch.zeros_like(self.step.output).requires_grad_()
            found = self.backward(upstream)
            moved = [reduce_to(found[n], tuple(values[n].shape)) * tangents[n] for n in tangents if n in found]
            total = torch.stack([part.sum() for part in moved]).sum()
        # A backward is linear in its upstream, and its slope towards that is the forward's own.
        return torch.autograd.grad(total, upstream)[0]

    def arriving(self, upstream: Tensor) -> dict[int, Tensor]:
        """Return what arrives at each node, by its index."""
        arrived: dict[int, Tensor] = {0: upstream}
        for index, node in enumerate(self.nodes):
            for position, gradient in enumerate(node.backward(arrived[index])):
                edge = node.edges[position]
                if gradient is not None and isinstance(edge, int):
                    reduced = reduce_to(gradient, self.nodes[edge].shape)
                    arrived[edge] = arrived[edge] + reduced if edge in arrived else reduced
        return arrived


def make_plan(step: Step, forward: Forward) -> Plan:
    """Return the nodes of a step, each after all that feed it a gradient."""
    names = {id(leaf): name for name, leaf in forward.leaves.items()}
    order: list[Any] = []
    seen: set[Any] = set()

    def visit(function: Any) -> None:
        if function is None or function in seen or hasattr(function, "variable"):
            return
        seen.add(function)
        for following, _ in function.next_functions:
            visit(following)
        order.append(function)

    visit(step.output.grad_fn)
    order.reverse()
    index = {function: place for place, function in enumerate(order)}

    def edge(following: Any) -> int | str | None:
        if hasattr(following, "variable"):
            return names.get(id(following.variable))
        return None if following is None else index[following]

    return Plan(
        step,
        tuple(
            Node(
                function,
                function.name().rstrip("0123456789").removesuffix("Backward"),
                tuple(edge(f) for f, _ in function.next_functions),
            )
            for function in order
        ),
    )


def reduce_to(gradient: Tensor, shape: tuple[int, ...] | None) -> Tensor:
    """Sum a gradient over the axes along which a value of this shape was broadcast, where there are such.

    A gradient that is no broadcast of the shape is returned as it is: a slip that is on its way.
    """
    if shape is None or tuple(gradient.shape) == shape or not is_broadcast(shape, tuple(gradient.shape)):
        return gradient
    return gradient.sum_to_size(shape)


def is_broadcast(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Return whether a tensor of the first shape can be expanded to the second."""
    if len(small) > len(large):
        return False
    return all(a in (b, 1) for a, b in zip(reversed(small), reversed(large), strict=False))
