"""Slips on the way back through windows that are cut out of an image, or another value, one stride after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from grader.diagnose.catalogue.kind import Kind, Made, slip


@dataclass(frozen=True)
class Cut:
    """Along one axis: how long a window is, and how far the next one is away."""

    axis: int
    size: int
    stride: int


@dataclass(frozen=True)
class Windows:
    """The `windows` of a value: for each cut, the axis now counts windows, and one more at the end is within them.

    `g` is what came back to the windows. `inside` is the value without its border, where it has one.
    """

    value: Tensor
    windows: Tensor
    g: Tensor
    cuts: Sequence[Cut]
    inside: Tensor | None

    def put(self, strides: Sequence[int], *, adds: bool = True, backward: bool = False) -> Tensor:
        """Return what came back, put where the windows would be with these strides."""
        found = torch.zeros_like(self.value)
        counts = [range(self.windows.shape[cut.axis]) for cut in self.cuts]
        places = list(product(*counts))
        for place in reversed(places) if backward else places:
            part, target = self.g, found
            for cut, stride, at in zip(self.cuts, strides, place, strict=True):
                part = part.narrow(cut.axis, at, 1)
                target = target.narrow(cut.axis, at * stride, cut.size)
            part = part.reshape(target.shape)
            target.copy_(target + part if adds else part)
        return found

    def cut(self, value: Tensor, strides: Sequence[int]) -> Tensor:
        """Return as many windows of a value, with these strides."""
        for cut, stride in zip(self.cuts, strides, strict=True):
            value = value.unfold(cut.axis, cut.size, stride).narrow(cut.axis, 0, self.windows.shape[cut.axis])
        return value

    @property
    def strides(self) -> list[int]:
        """The stride along each axis."""
        return [cut.stride for cut in self.cuts]

    @property
    def last_axes(self) -> list[int]:
        """The axes within a window."""
        return list(range(self.windows.dim() - len(self.cuts), self.windows.dim()))

    @property
    def at_the_corner(self) -> Tensor:
        """The value with its border on the far side only."""
        found = torch.zeros_like(self.value)
        inside = self.value if self.inside is None else self.inside
        found[tuple(slice(size) for size in inside.shape)] = inside
        return found


@slip()
def windows_overwritten(at: Windows) -> Made:
    """Your {d} keeps one window only where windows on {read} overlap. What an entry gets from several of them adds
    up: look for an = that should be +=.
    """
    return [("", at.put(at.strides, adds=False, backward=backward)) for backward in (False, True)]


@slip()
def windows_one_apart(at: Windows) -> Made:
    """Your {d} goes on by one from window to window on {read}. The forward goes on by the stride."""
    return at.put([1] * len(at.cuts))


@slip()
def windows_side_by_side(at: Windows) -> Made:
    """Your {d} goes on by the size of a window on {read}. The forward goes on by the stride."""
    return at.put([cut.size for cut in at.cuts])


@slip()
def windows_flipped(at: Windows) -> Made:
    """Your {d} turns each window on {read} round. The forward lays the weights on a window as they are, and what
    comes back goes the same way.
    """
    turned = at.g.flip(at.last_axes)
    return Windows(at.value, at.windows, turned, at.cuts, at.inside).put(at.strides)


@slip()
def windows_turned(at: Windows) -> Made:
    """Your {d} swaps rows and columns of each window on {read}."""
    return Windows(at.value, at.windows, at.g.mT, at.cuts, at.inside).put(at.strides) if len(at.cuts) > 1 else None


BACK: tuple[Kind[Windows], ...] = (
    windows_overwritten,
    windows_one_apart,
    windows_side_by_side,
    windows_flipped,
    windows_turned,
)


@slip()
def of_windows_one_apart(at: Windows) -> Made:
    """Your {d} multiplies by windows that are one entry apart, at {step}. The forward goes on by the stride."""
    return at.cut(at.value, [1] * len(at.cuts))


@slip()
def of_windows_at_the_corner(at: Windows) -> Made:
    """Your {d} multiplies by windows that begin at the corner of the image, at {step}. The forward puts a border all
    around it first, and its windows begin there.
    """
    return at.cut(at.at_the_corner, at.strides)


@slip()
def of_windows_flipped(at: Windows) -> Made:
    """Your {d} multiplies by windows that are turned round, at {step}. The forward takes them as they are."""
    return at.windows.flip(at.last_axes)


@slip()
def of_windows_summed(at: Windows) -> Made:
    """Your {d} adds up the windows over axis {detail} before it multiplies, at {step}. Each has its own product."""
    axes = [axis for axis in range(at.windows.dim()) if axis not in at.last_axes]
    return [(axis, at.windows.sum(axis, keepdim=True).expand_as(at.windows)) for axis in axes]


FACTOR: tuple[Kind[Windows], ...] = (
    of_windows_one_apart,
    of_windows_at_the_corner,
    of_windows_flipped,
    of_windows_summed,
)


@dataclass(frozen=True)
class Border:
    """A value to which a border of zeros was added, and what came back to both together."""

    value: Tensor
    g: Tensor


def _kept(at: Border, *, is_first: bool) -> Tensor:
    found = at.g
    for axis, size in enumerate(at.value.shape):
        found = found.narrow(axis, 0 if is_first else found.shape[axis] - size, size)
    return found


@slip()
def border_cut_at_one_side(at: Border) -> Made:
    """Your {d} cuts the border of {step} off at one side only. It lies around {read} on all sides."""
    return [("", _kept(at, is_first=is_first)) for is_first in (True, False)]


@slip()
def border_kept(at: Border) -> Made:
    """Your {d} still has the border of {step}. {read} has none: cut it off."""
    return at.g


BORDER: tuple[Kind[Border], ...] = (border_cut_at_one_side, border_kept)


@slip()
def factor_flipped(at: Tensor) -> Made:
    """Your {d} multiplies by the weights turned round, in {step}. The forward lays them on each window as they are."""
    return at.flip((-2, -1)) if at.dim() > 1 else None


@slip()
def factor_summed(at: Tensor) -> Made:
    """Your {d} adds up the weights over axis {detail} before it multiplies, in {step}. Each has its own product."""
    return _along_each_axis(at)


def _along_each_axis(at: Tensor) -> Iterator[tuple[int, Tensor]]:
    for axis in range(at.dim()):
        yield axis, at.sum(axis, keepdim=True).expand_as(at)


WEIGHTS: tuple[Kind[Tensor], ...] = (factor_flipped, factor_summed)
