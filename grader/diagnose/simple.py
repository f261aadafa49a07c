"""Explanations by look alone: the shape of a gradient, its precision, what is not finite, and where."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from grader.diagnose.evidence import OF_LARGEST, Sample, are_equal
from grader.diagnose.graph import MISFIT
from grader.verdict.compare import Verdict

# An error is what could not be rounding. In between may be either, and then nothing is said.
ROUNDING, ERROR = 1e-9, 1e-6
# Of a named place, how much must be wrong for the place to be the reason.
MOST_OF_IT = 0.7
# How many wrong entries there must be in all cases together.
FEWEST = 3


@dataclass(frozen=True)
class Region:
    """A named part of a gradient: a `kind`, and the value or axis that it is about."""

    kind: str
    about: str = ""


def find_support(samples: Sequence[Sample], facts: Collection[str]) -> tuple[str, Region] | None:
    """Return which of these facts holds, and of which place.

    All that is wrong lies there ("wrong_in") and is zero ("zero_in"), or all that is not zero lies there and
    is right ("only_in").

    The place must be named in the same way in every case in which the gradient is wrong, and at least two
    cases or several entries must speak for it.
    """
    wrong = sorted((s for s in samples if not s.is_correct), key=lambda s: s.actual.numel())
    if not wrong or not all(s.is_sound and s.actual.shape == s.expected.shape for s in samples):
        return None
    first, errors = wrong[0], _errors(wrong[0])
    # What is wrong everywhere is wrong in no place of its own.
    if errors is None or bool(errors.all()):
        return None
    others = [(sample, _errors(sample)) for sample in wrong[1:]]
    if int(errors.sum()) + sum(int(e.sum()) for _, e in others if e is not None) < FEWEST:
        return None
    for place, mask in _places(first):
        fact = _fact(first, errors, mask)
        if fact in facts and all(e is not None and _fact(s, e, _place_of(s, place)) == fact for s, e in others):
            assert fact is not None
            return fact, place
    return None


def _place_of(sample: Sample, place: Region) -> Tensor | None:
    return next((mask for other, mask in _places(sample) if other == place), None)


def _fact(sample: Sample, error: Tensor, mask: Tensor | None) -> str | None:
    if mask is None or not bool(mask.any()) or bool(mask.all()):
        return None
    matters = mask & (sample.expected != 0)
    if not bool(matters.any()):
        matters = mask
    # To be right outside is no news where nothing is expected there.
    if not bool(sample.expected[~mask].any()):
        return None
    share = float((error & mask).sum()) / int(matters.sum())
    if not bool((error & ~mask).any()) and share >= MOST_OF_IT:
        return "wrong_in" if bool(sample.actual[mask].any()) else "zero_in"
    if not bool((error & mask).any()) and not bool(sample.actual[~mask].any()) and bool(sample.actual[mask].any()):
        return "only_in"
    return None


def _errors(sample: Sample) -> Tensor | None:
    """Return where a gradient is wrong, or None if it is not clear everywhere."""
    difference = (sample.actual - sample.expected).abs()
    size = torch.maximum(sample.actual.abs(), sample.expected.abs())
    floor = OF_LARGEST * size.max()
    error = difference > ERROR * size + floor
    right = difference <= ROUNDING * size + floor
    return error if bool((error | right).all()) else None


def _places(sample: Sample) -> Iterator[tuple[Region, Tensor]]:
    """Yield the named parts of a gradient of this shape, the most telling first."""
    shape = sample.expected.shape
    none = torch.zeros(shape, dtype=torch.bool)
    for name, index in sample.case.forward.values.items():
        if isinstance(index, Tensor) and not index.is_floating_point() and index.dtype != torch.bool:
            yield from _of_an_index(name, index, none)
    for name, value in {**sample.tensors, "dout": sample.case.dout}.items():
        if value.shape == shape and value.numel() > 1:
            if bool(((value == 0) | (value == 1)).all()):
                yield Region("zeros", name), value == 0
                yield Region("ones", name), value == 1
            elif bool((value < 0).any()) and bool((value > 0).any()):
                yield Region("negative", name), value < 0
                yield Region("positive", name), value > 0
    for axis, size in enumerate(shape):
        if size > 1:
            for word, place in (("first", 0), ("last", size - 1)):
                part = none.clone()
                part.select(axis, place).fill_(True)
                yield Region(word, str(axis)), part


def _of_an_index(name: str, index: Tensor, none: Tensor) -> Iterator[tuple[Region, Tensor]]:
    if none.dim() == 0 or not index.numel():
        return
    rows = none.shape[0]
    if none.dim() == 2 and index.shape == none.shape[:1] and int(index.max()) < none.shape[1]:
        target = none.clone()
        target[torch.arange(rows), index] = True
        yield Region("target", name), target
        yield Region("all_but_target", name), ~target
    if int(index.min()) >= 0 and int(index.max()) < rows and index.shape != none.shape[:1]:
        counts = torch.bincount(index.flatten(), minlength=rows)
        for kind, which in (("repeated", counts > 1), ("token_0", torch.arange(rows) == 0)):
            part = none.clone()
            part[which] = True
            yield Region(kind, name), part


# Beyond these a student's tensor costs more to look at than it can tell.
MOST_AXES, MOST_ENTRIES = 6, 1_000_000


def find_reshaping(samples: Sequence[Sample]) -> str | None:
    """Return what was done to the shape of a gradient that holds the right numbers, or None.

    One of "turned", "axis_kept", "axis_lost", "reordered", "not_expanded", "zeros_left_out:0", "not_summed:0,1"
    and "summed_too_far:0", with the axes after the colon.
    """
    wrong = [sample for sample in samples if sample.actual.shape != sample.expected.shape]
    if not wrong or not all(sample.is_sound for sample in samples):
        return None
    common: dict[str, None] | None = None
    for sample in wrong:
        here = dict.fromkeys(_relations(sample))
        common = here if common is None else {name: None for name in common if name in here}
    for name in common or ():
        if all(_holds(name, sample) for sample in samples if sample not in wrong):
            return name
    return None


def _relations(sample: Sample) -> Iterator[str]:
    actual, expected = sample.actual, sample.expected
    if not actual.numel() or not expected.numel() or actual.dim() > MOST_AXES or actual.numel() > MOST_ENTRIES:
        return
    if actual.dim() >= 2 and _is(actual.mT, expected):
        yield "turned"
    if actual.numel() == expected.numel() and _is(actual.reshape(expected.shape), expected):
        squeezed = [n for n in actual.shape if n > 1] == [n for n in expected.shape if n > 1]
        if squeezed and actual.dim() != expected.dim():
            yield "axis_kept" if actual.dim() > expected.dim() else "axis_lost"
        yield "reordered"
    for axes in _axes(actual):
        if _is(actual.sum(axes), expected) or _is(actual.sum(axes, keepdim=True), expected):
            yield f"not_summed:{','.join(map(str, axes))}"
    yield from _left_out(actual, expected)
    if _is(_expanded(actual, expected), expected):
        yield "not_expanded"
    for axes in _axes(expected):
        if _is(actual, expected.sum(axes)) or _is(actual, expected.sum(axes, keepdim=True)):
            yield f"summed_too_far:{','.join(map(str, axes))}"


def _left_out(actual: Tensor, expected: Tensor) -> Iterator[str]:
    """Yield the axis along which only zeros are missing at the end, as in a table of which the first rows are used."""
    if actual.dim() != expected.dim():
        return
    axes = [axis for axis in range(actual.dim()) if actual.shape[axis] != expected.shape[axis]]
    if len(axes) != 1:
        return
    (axis,) = axes
    size, whole = actual.shape[axis], expected.shape[axis]
    is_the_start = size < whole and _is(actual, expected.narrow(axis, 0, size))
    if is_the_start and not bool(expected.narrow(axis, size, whole - size).any()):
        yield f"zeros_left_out:{axis}"


def _holds(name: str, sample: Sample) -> bool:
    """Return whether a gradient that has the right shape in one case fits what was done in the others."""
    kind, _, axes = name.partition(":")
    if kind == "turned":
        return _is(sample.expected.mT, sample.actual)
    if kind == "zeros_left_out":
        return _is(sample.actual, sample.expected)
    # A sum over an axis of size 1 is the same with and without it.
    return all(
        sample.actual.shape[int(axis)] == 1 for axis in axes.split(",") if axis and int(axis) < sample.actual.dim()
    )


def _axes(tensor: Tensor) -> Iterator[tuple[int, ...]]:
    for count in range(1, tensor.dim() + 1):
        yield from combinations(range(tensor.dim()), count)


def _expanded(small: Tensor, large: Tensor) -> Tensor:
    try:
        return small.expand(large.shape)
    except MISFIT:
        return small


def _is(tensor: Tensor, other: Tensor) -> bool:
    return tensor.shape == other.shape and are_equal(tensor, other)


# exp of more than this is infinite in float64.
LARGEST_EXPONENT = 709.0


def find_not_finite(samples: Sequence[Sample]) -> tuple[str, str] | None:
    """Return "overflow" or "division" with the name of the value that was too large for exp, or zero."""
    wrong = [s for s in samples if s.trial.comparisons[s.gradient.name].verdict is Verdict.NOT_FINITE]
    if not wrong or any(sample.actual.shape != sample.expected.shape for sample in wrong):
        return None
    for name in wrong[0].tensors:
        if all(_is_where(s, s.tensors[name] == 0) for s in wrong):
            return "division", name
    for name in wrong[0].tensors:
        finite = [s for s in samples if s not in wrong]
        if all(_overflows(s.tensors[name]) for s in wrong) and not any(_overflows(s.tensors[name]) for s in finite):
            return "overflow", name
    return None


def _is_where(sample: Sample, mask: Tensor) -> bool:
    """Return whether a gradient is not finite where a mask over a value of its shape is set, and nowhere else."""
    return mask.shape == sample.actual.shape and bool((mask == ~sample.actual.isfinite()).all())


def _overflows(value: Tensor) -> bool:
    return value.numel() > 0 and bool(value.max() > LARGEST_EXPONENT)


# Relative error, in the sense of norms, of numbers that went through float32, and of a difference quotient.
FLOAT32 = (1e-9, 3e-6)
APPROXIMATE = (1e-13, 3e-6)
NARROW = {torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 5e-2}


def find_precision(samples: Sequence[Sample]) -> str | None:
    """Return "dtype", "float32" or "approximate" for a gradient that is right to fewer digits than it should be."""
    if any(sample.actual.shape != sample.expected.shape for sample in samples):
        return None
    wrong = [sample for sample in samples if not sample.is_correct]
    if all(_verdict(sample) is Verdict.WRONG_DTYPE for sample in wrong):
        close = [_error(sample) <= NARROW.get(sample.actual.dtype, 0.0) for sample in samples]
        return "dtype" if all(close) else None
    if not all(sample.is_sound for sample in samples):
        return None
    errors = [_error(sample) for sample in wrong]
    if all(FLOAT32[0] <= error <= FLOAT32[1] for error in errors) and all(_is_float32(s.actual) for s in wrong):
        return "float32"
    return "approximate" if all(APPROXIMATE[0] <= error <= APPROXIMATE[1] for error in errors) else None


def _verdict(sample: Sample) -> Verdict:
    return sample.trial.comparisons[sample.gradient.name].verdict


def _error(sample: Sample) -> float:
    size = float(sample.expected.norm())
    difference = float((sample.actual.to(sample.expected.dtype) - sample.expected).norm())
    return difference / size if size else float("inf")


def _is_float32(tensor: Tensor) -> bool:
    return tensor.numel() > 1 and bool(torch.equal(tensor.to(torch.float32).to(tensor.dtype), tensor))
