"""The inputs of a course's calls: the same for every submission, unpacked once, cloned for each call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from torch import Tensor

from grader.sandbox.guest import arrays
from grader.sandbox.guest.tensors import clone, equal, unpack_tensors, version


@dataclass(frozen=True)
class Form:
    """How a function is given its arguments: by these names, and as numpy arrays if it is in numpy.

    If `cache` names values, the cache is a tuple of them in this order, or the only one itself. `returns` names what
    comes back, in its order, if it is more than the gradients.
    """

    given: Sequence[str]
    cache: Sequence[str] = ()
    is_numpy: bool = False
    returns: Sequence[str] = ()


def read_form(question: Mapping[str, Any]) -> Form:
    """Return the form that a request asks for."""
    is_numpy = question.get("arrays") == "numpy"
    return Form(question["given"], question.get("cache", ()), is_numpy, question.get("returns", ()))


@dataclass(frozen=True)
class Maker:
    """The student's own forward pass, which makes a cache of what it is given: `out, cache = forward(x, w, b)`."""

    function: Callable[..., Any]
    name: str
    given: Sequence[str]

    def make(self, values: Any) -> Any:
        """Return the cache that comes of the values of a call."""
        if self.function is None:
            raise NameError(f"{self.name} is not there, and the cache is what it makes; write it in the same file")
        made = self.function(*(getattr(values, name) for name in self.given))
        if not isinstance(made, tuple | list) or len(made) < 2:  # an output, and the cache behind it
            raise TypeError(f"{self.name} returned one value, expected two: out, cache")
        return made[-1]


@dataclass(frozen=True)
class Given:
    """The arguments of one call, with the tensors that hold their numbers by the names in `values`."""

    arguments: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    values: Mapping[str, Any]
    versions: Mapping[str, int]

    @property
    def changed(self) -> list[str]:
        """The names of those that were changed in place."""
        if self.versions:
            found = [name for name, tensor in self.tensors.items() if version(tensor) != self.versions[name]]
        else:
            # What numpy does to an array, its tensor does not count.
            found = [name for name, tensor in self.tensors.items() if not equal(tensor, self.values[name])]
        return [name.replace("/", ".") for name in found]


@dataclass(frozen=True)
class Call:
    """The arguments of one call by name, `cache/probs` for a value inside `cache`; nobody changes its tensors."""

    values: Mapping[str, Any]

    def give(self, form: Form) -> Given:
        """Return arguments of their own for one call.

        Cloned, they lie in memory as torch lays it out: by where its arguments lie, a product may differ in its last
        bit.
        """
        arguments: dict[str, Any] = {}
        cache: dict[str, Any] = {}
        tensors: dict[str, Tensor] = {}
        for name, value in self.values.items():
            own = value
            if isinstance(value, Tensor):
                own = tensors[name] = clone(value)
                own = arrays.as_array(own) if form.is_numpy else own
            elif isinstance(value, dict):
                own = dict(value)
            _, _, inner = name.partition("/")
            if inner:
                cache[inner] = own
            else:
                arguments[name] = own
        if form.cache:
            ordered = tuple(cache[name] for name in form.cache)
            arguments["cache"] = ordered if len(ordered) > 1 else ordered[0]
        elif cache:
            arguments["cache"] = SimpleNamespace(**cache)
        versions = {} if form.is_numpy else {name: version(tensor) for name, tensor in tensors.items()}
        return Given({name: arguments[name] for name in form.given}, tensors, self.values, versions)


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
