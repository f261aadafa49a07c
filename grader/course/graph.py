"""The graph of a forward pass as plain data: values, and what each was computed from; without a tensor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NamedValue:
    """One value of a graph: its shape in each case, the names that it was computed from, and the line that did it."""

    name: str
    shapes: tuple[tuple[int, ...], ...]
    reads: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Graph:
    """The values of a forward pass that have a gradient, in forward order, the output last; no tensors."""

    values: tuple[NamedValue, ...]

    @property
    def output(self) -> str:
        """The name of the last value."""
        return self.values[-1].name

    def consumers(self, name: str) -> tuple[NamedValue, ...]:
        """The values computed directly from `name`, in forward order."""
        return tuple(value for value in self.values if name in value.reads)
