"""The shapes of values in the letters of the sizes that they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, permutations

from torch import Tensor

from grader.authoring.new.passes import Pass

UNKNOWN = "?"


def name_shapes(found: Pass) -> dict[str, str]:
    """Return the shape of every tensor of a forward pass as text, `(N, D)`; an axis that no size explains is `?`."""
    shapes: dict[str, str] = {}
    for name, value in found.forward.values.items():
        if isinstance(value, Tensor):
            letters = name_axes(found, name)
            shapes[name] = f"({', '.join(letters)}{',' if len(letters) == 1 else ''})"
    return shapes


def name_axes(found: Pass, name: str) -> list[str]:
    """Return a letter or a formula of letters for each axis of a value."""
    runs = [run for run in found.runs if isinstance(run.forward.values.get(name), Tensor)]
    tensors = [tensor for run in runs if isinstance(tensor := run.forward.values[name], Tensor)]
    sizes = {
        size: [int(run.sizes[size]) for run in runs]
        for size, value in found.runs[0].sizes.items()
        if isinstance(value, int)
    }
    count = min(tensor.dim() for tensor in tensors)
    return [_name([tensor.shape[axis] for tensor in tensors], sizes) for axis in range(count)]


def _name(lengths: Sequence[int], sizes: Mapping[str, Sequence[int]]) -> str:
    if len(set(lengths)) == 1 and len(lengths) > 1:
        return str(lengths[0])
    return next((text for text, values in _formulas(sizes) if list(values) == list(lengths)), UNKNOWN)


def _formulas(sizes: Mapping[str, Sequence[int]]) -> Iterator[tuple[str, list[int]]]:
    """Yield what an axis may be made of, the simplest first."""
    for name, values in sizes.items():
        yield name, list(values)
    for name, values in sizes.items():
        for factor in (2, 3, 4):
            yield f"{factor} * {name}", [factor * value for value in values]
        yield f"{name} // 2", [value // 2 for value in values]
        yield f"{name} + 1", [value + 1 for value in values]
        yield f"{name} - 1", [value - 1 for value in values]
    for (one, ones), (other, others) in combinations(sizes.items(), 2):
        yield f"{one} * {other}", [a * b for a, b in zip(ones, others, strict=True)]
        for factor in (2, 3, 4):
            yield f"{factor} * {one} * {other}", [factor * a * b for a, b in zip(ones, others, strict=True)]
        yield f"{one} + {other}", [a + b for a, b in zip(ones, others, strict=True)]
    for (one, ones), (other, others) in permutations(sizes.items(), 2):
        yield f"{one} - {other}", [a - b for a, b in zip(ones, others, strict=True)]
        yield f"{one} - {other} + 1", [a - b + 1 for a, b in zip(ones, others, strict=True)]
        yield f"{one} // {other}", [a // b for a, b in zip(ones, others, strict=True)]
