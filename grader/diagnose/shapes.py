"""A gradient of the wrong shape whose numbers tell how it came about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from torch import Tensor

from grader.diagnose.evidence import Sample, are_equal
from grader.diagnose.graph import MISFIT

# Beyond these a student's tensor costs more to look at than it can tell.
MOST_AXES, MOST_ENTRIES = 6, 1_000_000


def find_reshaping(samples: Sequence[Sample]) -> str | None:
    """Return what was done to the shape of a gradient that holds the right numbers, or None.

    One of "turned", "axis_kept", "axis_lost", "reordered", "not_expanded", "not_summed:0,1" and
    "summed_too_far:0", with the axes after the colon.
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
    if _is(_expanded(actual, expected), expected):
        yield "not_expanded"
    for axes in _axes(expected):
        if _is(actual, expected.sum(axes)) or _is(actual, expected.sum(axes, keepdim=True)):
            yield f"summed_too_far:{','.join(map(str, axes))}"


def _holds(name: str, sample: Sample) -> bool:
    """Return whether a gradient that has the right shape in one case fits what was done in the others."""
    kind, _, axes = name.partition(":")
    if kind == "turned":
        return _is(sample.expected.mT, sample.actual)
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
