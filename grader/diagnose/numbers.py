"""The numbers of a case that a gradient can be too large by: its sizes, its floats, small constants."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from grader.diagnose.evidence import Sample

CLOSE = 1e-9
CONSTANTS = {"1": 1.0, "2": 2.0, "1/2": 0.5, "3": 3.0, "1/3": 1 / 3, "4": 4.0, "1/4": 0.25}
ROOTS = {
    "√2": math.sqrt(2),
    "1/√2": math.sqrt(0.5),
    "√(2π)": math.sqrt(2 * math.pi),
    "1/√(2π)": 1 / math.sqrt(2 * math.pi),
}
LOGARITHMS = {"ln 10": math.log(10), "1/ln 10": 1 / math.log(10), "ln 2": math.log(2), "1/ln 2": 1 / math.log(2)}

# A number with a rank: low for what is likely meant, where several names fit.
Ranked = tuple[float, int]


def name_factor(samples: Sequence[Sample], factors: Sequence[float]) -> tuple[str, ...]:
    """Return the names of the number that the factor is in every case, or none.

    There are several if the sizes and numbers of the cases do not tell them apart.
    """
    sizes = _sizes(samples)
    fitting: dict[str, int] | None = None
    targets = _with_ignored(samples)
    for place, (sample, factor) in enumerate(zip(samples, factors, strict=True)):
        here = _numbers(sample, {name: values[place] for name, values in sizes.items()})
        here.update(_of_what_counts(sample, targets))
        found = {
            name if sign == 1 else f"-{name}": rank
            for name, (value, rank) in here.items()
            for sign in (1, -1)
            if math.isclose(sign * value, factor, rel_tol=CLOSE)
        }
        fitting = found if fitting is None else {name: rank for name, rank in fitting.items() if name in found}
    if not fitting:
        return ()
    best = min(fitting.values())
    return tuple(name for name, rank in fitting.items() if rank == best)


@dataclass(frozen=True)
class WrittenIn:
    """A number in the code that is the size of this name in some of the cases, and not in the others."""

    size: str
    number: int


def find_written_in(samples: Sequence[Sample], factors: Sequence[float]) -> WrittenIn | None:
    """Return the number that a size is divided by, or it by the size, where they are the same in the right cases."""
    for name, values in _sizes(samples).items():
        right = {size for size, factor in zip(values, factors, strict=True) if factor == 1.0}
        if len(right) != 1:
            continue
        (number,) = right
        for power in (1, -1):
            expected = [(size / number) ** power for size in values]
            if all(math.isclose(*pair, rel_tol=CLOSE) for pair in zip(expected, factors, strict=True)):
                return WrittenIn(name, int(number))
    return None


def find_written_shape(samples: Sequence[Sample]) -> WrittenIn | None:
    """Return the number that an axis always has, if that is its size in some of the cases and not in the others."""
    fitting = [sample for sample in samples if sample.actual.shape == sample.expected.shape]
    dimensions = {sample.expected.dim() for sample in samples} | {sample.actual.dim() for sample in samples}
    if not fitting or len(fitting) == len(samples) or len(dimensions) != 1:
        return None
    axes = range(samples[0].expected.dim())
    wrong = [axis for axis in axes if any(s.actual.shape[axis] != s.expected.shape[axis] for s in samples)]
    if any(len({sample.actual.shape[axis] for sample in samples}) > 1 for axis in wrong):
        return None
    sizes = tuple(float(sample.expected.shape[wrong[0]]) for sample in samples)
    names = [name for name, values in _sizes(samples).items() if values == sizes]
    return WrittenIn(names[0], samples[0].actual.shape[wrong[0]]) if names else None


def show_sizes(name: str, sample: Sample) -> str:
    """Return the sizes and floats that the name of a number speaks of, as in "N = 5, p = 0.3"."""
    known: dict[str, float] = {**sample.sizes}
    known.update({key: value for key, value in sample.case.forward.values.items() if isinstance(value, float)})
    spoken = [part for part in known if part in _words(name)]
    return ", ".join(f"{part} = {known[part]:g}" for part in spoken)


def _words(text: str) -> set[str]:
    return set("".join(letter if letter.isalnum() or letter == "_" else " " for letter in text).split())


def _numbers(sample: Sample, sizes: Mapping[str, float]) -> dict[str, Ranked]:
    """Return the numbers of one case by names that mean the same in every case."""
    found: dict[str, Ranked] = {name: (value, 0) for name, value in CONSTANTS.items()}
    found.update({name: (value, 2) for name, value in {**LOGARITHMS, **ROOTS}.items()})
    for name, value in sample.case.forward.values.items():
        if isinstance(value, float):
            found.update(_of_a_share(name, value))
    found.update(_of_the_masks(sample))
    for name, size in sizes.items():
        found.update(_of_a_size(name, size))
    for (name, size), (other, another) in permutations(sizes.items(), 2):
        found[f"{name}/{other}"] = (size / another, 2)
        found[f"√({name}/{other})"] = (math.sqrt(size / another), 3)
        if name < other:
            found[f"{name}·{other}"] = (size * another, 2)
            found[f"1/({name}·{other})"] = (1 / (size * another), 2)
    return found


def _of_a_size(name: str, size: float) -> Iterator[tuple[str, Ranked]]:
    yield name, (size, 1)
    yield f"1/{name}", (1 / size, 1)
    yield f"√{name}", (math.sqrt(size), 2)
    yield f"1/√{name}", (1 / math.sqrt(size), 2)
    yield f"{name}²", (size**2, 2)
    yield f"1/{name}²", (1 / size**2, 2)
    if size > 1:
        yield f"{name}/({name} - 1)", (size / (size - 1), 2)
        yield f"({name} - 1)/{name}", ((size - 1) / size, 2)
        yield f"1/({name} - 1)", (1 / (size - 1), 3)
    yield f"{name} - 1", (size - 1, 3)
    yield f"{name} + 1", (size + 1, 3)
    yield f"2/{name}", (2 / size, 3)


def _of_a_share(name: str, value: float) -> Iterator[tuple[str, Ranked]]:
    yield name, (value, 1)
    yield f"1 - {name}", (1 - value, 1)
    yield f"(1 - {name})²", ((1 - value) ** 2, 2)
    if value:
        yield f"1/{name}", (1 / value, 1)
        yield f"(1 - {name})/{name}", ((1 - value) / value, 2)
    if value != 1:
        yield f"1/(1 - {name})", (1 / (1 - value), 1)
        yield f"1/(1 - {name})²", (1 / (1 - value) ** 2, 2)
        yield f"{name}/(1 - {name})", (value / (1 - value), 2)


def _of_the_masks(sample: Sample) -> Iterator[tuple[str, Ranked]]:
    """Yield what is off by the share of ones in a mask, by itself and where 1 - p was meant."""
    values = sample.case.forward.values
    for name, mask in sample.tensors.items():
        if mask.numel() > 1 and bool(((mask == 0) | (mask == 1)).all()) and bool(mask.any()):
            share = float(mask.mean())
            yield f"1/(the share of ones in {name})", (1 / share, 2)
            for other, p in values.items():
                if isinstance(p, float):
                    yield f"(1 - {other})/(the share of ones in {name})", ((1 - p) / share, 2)


def _with_ignored(samples: Sequence[Sample]) -> list[str]:
    """Return the names of the indices of which some, which are negative, are not counted in a loss."""
    return [
        name
        for name, value in samples[0].case.forward.values.items()
        if isinstance(value, Tensor) and value.dtype == torch.int64
        if any(bool((torch.as_tensor(sample.case.forward.values[name]) < 0).any()) for sample in samples)
    ]


def _of_what_counts(sample: Sample, names: Sequence[str]) -> Iterator[tuple[str, Ranked]]:
    """Yield the number of entries that are not ignored, and their share."""
    for name in names:
        counts = torch.as_tensor(sample.case.forward.values[name]) >= 0
        if bool(counts.any()):
            yield f"the number of entries of {name} that count", (float(counts.sum()), 1)
            yield f"1/(the number of entries of {name} that count)", (1 / float(counts.sum()), 1)
            yield f"(the entries of {name} that count)/(all of them)", (float(counts.double().mean()), 1)
            yield f"(all entries of {name})/(those that count)", (1 / float(counts.double().mean()), 1)


def _sizes(samples: Sequence[Sample]) -> dict[str, tuple[float, ...]]:
    """Return the sizes in every case by name: the author's letter, else the first axis that has them.

    Sizes that are the same in all cases have one name, with the letters of all.
    """
    found: dict[tuple[float, ...], str] = {}
    forward = samples[0].case.forward
    for value in dict.fromkeys([samples[0].value, forward.output, *forward.values]):
        if not all(value in sample.case.forward.values for sample in samples):
            continue  # a step of a loop that is longer in this case than in others
        tensor = forward.values[value]
        for axis in range(tensor.dim() if isinstance(tensor, Tensor) else 0):
            sizes = tuple(float(_size(sample.case.forward.values.get(value), axis)) for sample in samples)
            if 0.0 not in sizes and set(sizes) != {1.0}:
                found.setdefault(sizes, f"the size of axis {axis} of {value}")
    letters = dict.fromkeys(letter for sample in samples for letter in sample.sizes)
    named = {}
    for sizes, name in found.items():
        fitting = [
            letter
            for letter in letters
            if all(s.sizes.get(letter, size) == size for s, size in zip(samples, sizes, strict=True))
        ]
        named[" or ".join(fitting) if fitting else name] = sizes
    return named


def _size(value: object, axis: int) -> int:
    return value.shape[axis] if isinstance(value, Tensor) and axis < value.dim() else 0
