"""The inputs of a course's calls: the same for every submission, unpacked once, cloned for each call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from grader.sandbox.guest.tensors import clone, unpack_tensors


@dataclass(frozen=True)
class Call:
    """The arguments of one call by name, `cache/probs` for a value inside `cache`; nobody changes its tensors."""

    values: Mapping[str, Any]

    def arguments(self, given: Sequence[str]) -> dict[str, Any]:
        """Return arguments of their own for one call.

        Cloned, they lie in memory as torch lays it out: by where its arguments lie, a product may differ in its last
        bit.
        """
        arguments: dict[str, Any] = {}
        for name, value in self.values.items():
            own = value if isinstance(value, float | int) else clone(value)
            outer, _, inner = name.partition("/")
            if inner:
                setattr(arguments.setdefault(outer, SimpleNamespace()), inner, own)
            else:
                arguments[name] = own
        return {name: arguments[name] for name in given}


def unpack_call(described: Mapping[str, Any], data: memoryview) -> Call:
    """Return the inputs of one call."""
    names = [name for name, _, _ in described["tensors"]]
    return Call({**unpack_tensors(described["tensors"], data, names), **described["numbers"]})


# The calls of each question, in the grader's order.
Inputs = Sequence[Sequence[Call]]


def unpack_inputs(message: Mapping[str, Any], payload: bytearray) -> Inputs:
    """Return the inputs that a message describes and its payload holds."""
    parts = memoryview(payload)

    def calls(described: Sequence[Mapping[str, Any]]) -> Iterator[Call]:
        nonlocal parts
        for each in described:
            own, parts = parts[: each["length"]], parts[each["length"] :]
            yield unpack_call(each, own)

    return [list(calls(described)) for described in message["calls"]]
