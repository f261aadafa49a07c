"""Where a gradient is wrong, if that is a place with a name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grader.diagnose.evidence import OF_LARGEST, Sample

# An error is what could not be rounding. In between may be either, and then nothing is said.
ROUNDING, ERROR = 1e-9, 1e-6
# Of a named place, how much must be wrong for the place to be the reason.
MOST_OF_IT = 0.7
# How many wrong entries there must be in all cases together.
FEWEST = 3


@dataclass(frozen=True)
class Place:
    """A named part of a gradient: a `kind`, and the value or axis that it is about."""

    kind: str
    about: str = ""


def find_support(samples: Sequence[Sample], facts: Collection[str]) -> tuple[str, Place] | None:
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


def _place_of(sample: Sample, place: Place) -> Tensor | None:
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


def _places(sample: Sample) -> Iterator[tuple[Place, Tensor]]:
    """Yield the named parts of a gradient of this shape, the most telling first."""
    shape = sample.expected.shape
    none = torch.zeros(shape, dtype=torch.bool)
    for name, index in sample.case.forward.values.items():
        if isinstance(index, Tensor) and not index.is_floating_point() and index.dtype != torch.bool:
            yield from _of_an_index(name, index, none)
    for name, value in {**sample.tensors, "dout": sample.case.dout}.items():
        if value.shape == shape and value.numel() > 1:
            if bool(((value == 0) | (value == 1)).all()):
                yield Place("zeros", name), value == 0
                yield Place("ones", name), value == 1
            elif bool((value < 0).any()) and bool((value > 0).any()):
                yield Place("negative", name), value < 0
                yield Place("positive", name), value > 0
    for axis, size in enumerate(shape):
        if size > 1:
            for word, place in (("first", 0), ("last", size - 1)):
                part = none.clone()
                part.select(axis, place).fill_(True)
                yield Place(word, str(axis)), part
                yield Place(f"all_but_{word}", str(axis)), ~part


def _of_an_index(name: str, index: Tensor, none: Tensor) -> Iterator[tuple[Place, Tensor]]:
    if none.dim() == 0 or not index.numel():
        return
    rows = none.shape[0]
    if none.dim() == 2 and index.shape == none.shape[:1] and int(index.max()) < none.shape[1]:
        target = none.clone()
        target[torch.arange(rows), index] = True
        yield Place("target", name), target
        yield Place("all_but_target", name), ~target
    if int(index.min()) >= 0 and int(index.max()) < rows and index.shape != none.shape[:1]:
        counts = torch.bincount(index.flatten(), minlength=rows)
        for kind, which in (("repeated", counts > 1), ("token_0", torch.arange(rows) == 0)):
            part = none.clone()
            part[which] = True
            yield Place(kind, name), part
