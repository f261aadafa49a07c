"""What a slip of the catalogue is, and the place in a backward pass where it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from grader.diagnose.graph import MISFIT, Node

# What a slip makes of a gradient: one tensor, or several with a word for each; nothing where it cannot happen.
Made = Tensor | Iterable[tuple[object, Tensor]] | None
Place = TypeVar("Place")

OPERATIONS: Mapping[str, str] = {
    "Mm": "the matrix product",
    "Bmm": "the matrix product",
    "Mul": "the product",
    "Div": "the division",
    "Sum": "the sum",
    "Mean": "the mean",
    "Pow": "the power",
    "Index": "the lookup",
    "Neg": "the minus",
    "Sub": "the difference",
    "Add": "the addition",
    "Tanh": "tanh",
    "Exp": "exp",
    "Log": "log",
    "Max": "the maximum",
    "Amax": "the maximum",
    "Softmax": "the softmax",
    "Relu": "the ReLU",
    "Where": "the choice",
    "MaskedFill": "the mask",
    "Transpose": "the transpose",
    "View": "the view",
    "UnsafeView": "the view",
    "Slice": "the slice",
    "Sigmoid": "the sigmoid",
    "Erf": "erf",
}


@dataclass(frozen=True)
class Kind(Generic[Place]):
    """One slip: its name, the sentence about it, the operations in which it happens, and what makes it."""

    name: str
    sentence: str
    operations: tuple[str, ...]
    make: Callable[[Place], Made]


def slip(*operations: str) -> Callable[[Callable[[Place], Made]], Kind[Place]]:
    """Turn a function into a slip of these operations; of "any", or of none where it is one of a whole step."""

    def wrap(make: Callable[[Place], Made]) -> Kind[Place]:
        return Kind(make.__name__, " ".join((make.__doc__ or "").split()), operations, make)

    return wrap


def made(kind: Kind[Place], place: Place) -> Iterator[tuple[str, Tensor]]:
    """Yield what a slip makes at a place, under its name, with its word behind a colon; nothing where shapes misfit."""
    try:
        found = kind.make(place)
        several = found if not isinstance(found, Tensor) else [("", found)]
        for word, tensor in several or ():
            yield (f"{kind.name}:{word}" if word != "" else kind.name), tensor
    except MISFIT:
        return


@dataclass(frozen=True)
class Site:
    """One operation on the way back: its upstream gradient `g`, towards which of its inputs, and what is `right`.

    `inner` is that input if it is a value of the forward itself; `values` and `gradients` are all there are, by name.
    """

    node: Node
    position: int
    g: Tensor
    right: Tensor
    inner: Tensor | None
    values: Mapping[str, Tensor]
    gradients: Mapping[str, Tensor]

    @cached_property
    def slope(self) -> Tensor:
        """What the operation gives for an upstream of ones."""
        found = self.node.backward(torch.ones_like(self.g))[self.position]
        assert found is not None
        return found

    def saved(self, name: str) -> Any:
        """Return what the operation kept under this name."""
        return self.node.saved(name)

    @property
    def exponent(self) -> float:
        """The exponent that a power kept."""
        return float(self.saved("exponent"))

    @property
    def x(self) -> Tensor:
        """The input that the operation kept."""
        return torch.as_tensor(self.saved("self"))

    @property
    def result(self) -> Tensor:
        """The output that the operation kept."""
        return torch.as_tensor(self.saved("result"))

    @cached_property
    def partner(self) -> Tensor | None:
        """The other factor of a product, as a float tensor; None if it is a number."""
        name = "mat2" if self.node.kind in ("Mm", "Bmm") else "other"
        found = self.saved(name if self.position == 0 else "self")
        return found.double() if isinstance(found, Tensor) and found.dim() else None

    def alike(self, tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield the values of the forward that have a tensor's shape."""
        return ((name, value) for name, value in self.values.items() if value.shape == tensor.shape)
