"""Slips in operations that sum, choose, look up or rearrange entries."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from grader.diagnose.catalogue.kind import Made, Site, slip

MAXIMA = ("Max", "Amax", "Min", "Amin")


@slip("Mean")
def mean_not_divided(at: Site) -> Made:
    """Your {d} is what comes out if {op} in {step} is taken for a sum. Each entry is only a share of a mean."""
    return at.right * at.right.numel() / at.g.numel()


@slip("Sum", "Mean")
def not_expanded(at: Site) -> Made:
    """Your {d} is what came back to {step}, not yet handed to every entry that went into it."""
    return at.g


@slip("Sum", "Mean")
def upstream_summed(at: Site) -> Made:
    """Your {d} adds up what came back to {step} once more, or takes its mean. Each entry of {step} stands for
    itself.
    """
    return [("", at.g.sum().expand_as(at.right)), ("", at.g.mean().expand_as(at.right))]


@slip("Sum", "Mean", "Index", *MAXIMA)
def times_input(at: Site) -> Made:
    """Your {d} multiplies by {read} at {op} in {step}. That step has slope 1, however large an entry is."""
    if at.inner is None or at.inner.shape != at.right.shape:
        return None
    where = _places(at)
    if at.node.kind == "Index":
        return None if where is None else _zeros(at).index_put(where, at.g * at.inner[where], accumulate=True)
    return at.right * at.inner


@slip("Sum", "Mean", "Index")
def filled_from_first(at: Site) -> Made:
    """Your {d} is filled from the first entry of an axis only, at {op} in {step}."""
    return [(axis, some) for axis, some in _parts(at, 0)]


@slip("Sum", "Mean", "Index")
def filled_from_last(at: Site) -> Made:
    """Your {d} is filled from the last entry of an axis only, at {op} in {step}. A loop that assigns keeps the last
    one.
    """
    return [(axis, some) for axis, some in _parts(at, -1)]


def _parts(at: Site, place: int) -> Iterator[tuple[int, Tensor]]:
    where = _places(at)
    if at.node.kind == "Index":
        for axis in range(where[0].dim()) if where is not None and len(where) == 1 else ():
            assert where is not None
            some = (where[0].select(axis, place),)
            yield axis, _zeros(at).index_put(some, at.g.select(axis, place), accumulate=True)
        return
    for axis in range(at.right.dim()):
        only = torch.zeros_like(at.right)
        only.select(axis, place).copy_(at.right.select(axis, place))
        yield axis, only


def _dim(at: Site) -> int | None:
    dim = at.saved("dim")
    return None if at.inner is None or dim is None else int(dim) % at.inner.dim()


def _wide(at: Site) -> Tensor:
    """Return the upstream of a maximum with the axis that was reduced."""
    dim = _dim(at)
    if at.inner is None or dim is None:
        raise ValueError
    return at.g if at.g.dim() == at.inner.dim() else at.g.unsqueeze(dim)


@slip(*MAXIMA)
def not_routed(at: Site) -> Made:
    """Your {d} is what came back to {step}, not yet put where {op} took it from."""
    return at.g


@slip(*MAXIMA)
def to_every_entry(at: Site) -> Made:
    """Your {d} gives what came back to every entry. {Op} in {step} reads a single one."""
    return _wide(at).expand_as(at.right)


@slip(*MAXIMA)
def averaged(at: Site) -> Made:
    """Your {d} shares what came back among all entries, as through a mean. {Op} in {step} reads a single one."""
    dim = _dim(at)
    return None if dim is None else _wide(at).expand_as(at.right) / at.right.shape[dim]


def _ties(at: Site) -> Tensor:
    """Return where the largest entries are; there may be several."""
    dim = _dim(at)
    if at.inner is None or dim is None:
        raise ValueError
    return at.inner == at.inner.amax(dim=dim, keepdim=True)


@slip(*MAXIMA)
def to_all_of_equal_ones(at: Site) -> Made:
    """Your {d} gives what came back to every entry that is as large as the largest, in {step}. Where several are equal,
    the forward reads one of them.
    """
    return torch.where(_ties(at), _wide(at), 0.0)


@slip(*MAXIMA)
def shared_by_equal_ones(at: Site) -> Made:
    """Your {d} shares what came back among entries that are equally large, in {step}. The forward reads one of them."""
    ties, dim = _ties(at), _dim(at)
    assert dim is not None
    return torch.where(ties, _wide(at) / ties.sum(dim=dim, keepdim=True), 0.0)


@slip(*MAXIMA)
def last_of_equal_ones(at: Site) -> Made:
    """Your {d} gives what came back to the last of several entries that are equally large, in {step}. The forward reads
    the first.
    """
    ties, dim = _ties(at), _dim(at)
    assert dim is not None
    last = ties.shape[dim] - 1 - ties.flip(dim).double().argmax(dim=dim, keepdim=True)
    return torch.zeros_like(at.right).scatter(dim, last, _wide(at))


@slip(*MAXIMA)
def smallest(at: Site) -> Made:
    """Your {d} gives what came back to the smallest entry, and the forward takes the largest."""
    dim, wide = _dim(at), _wide(at)
    assert at.inner is not None
    assert dim is not None
    return torch.zeros_like(at.inner).scatter(dim, at.inner.argmin(dim=dim, keepdim=True), wide)


@slip(*MAXIMA)
def positive_entries(at: Site) -> Made:
    """Your {d} gives what came back to every positive entry, as for a ReLU. {Op} compares entries with each other."""
    return None if at.inner is None else _wide(at) * (at.inner > 0)


@slip(*MAXIMA)
def place_only(at: Site) -> Made:
    """Your {d} is one where {op} in {step} took its entry. What came back to {step} must be multiplied in."""
    return (at.right != 0).to(at.right.dtype)


@slip(*MAXIMA)
def maximum_of_other_axis(at: Site) -> Made:
    """Your {d} looks for the maximum along the wrong axis, in {step}."""
    x, dim, wide = at.inner, _dim(at), _wide(at)
    if x is None:
        return None
    axes = [axis for axis in range(x.dim()) if axis != dim]
    return [("", torch.where(x == x.amax(dim=axis, keepdim=True), wide, 0.0)) for axis in axes]


@slip(*MAXIMA)
def maximum_of_all(at: Site) -> Made:
    """Your {d} compares all entries with the one largest, in {step}. Each row has a largest of its own."""
    return None if at.inner is None else torch.where(at.inner == at.inner.max(), _wide(at), 0.0)


@slip(*MAXIMA)
def soft_maximum(at: Site) -> Made:
    """Your {d} shares what came back as a softmax would. {Op} in {step} reads a single entry."""
    dim, wide = _dim(at), _wide(at)
    return None if at.inner is None or dim is None else at.inner.softmax(dim) * wide


@slip(*MAXIMA)
def place_as_value(at: Site) -> Made:
    """Your {d} multiplies by the index of the largest entry in {step}. The index says where to put what came back."""
    dim, wide = _dim(at), _wide(at)
    if at.inner is None or dim is None:
        return None
    return (at.inner.argmax(dim, keepdim=True) * wide).expand_as(at.inner)


@slip("Index", *MAXIMA)
def every_row(at: Site) -> Made:
    """Your {d} fills the chosen columns in every row: [:, index] takes all pairs. Each row has its own."""
    if at.right.dim() != 2:
        return None
    pairs, where = torch.zeros_like(at.right), _places(at)
    if at.node.kind == "Index":
        if where is None or len(where) != 2 or at.g.dim() != 1:
            return None
        pairs[:, where[1]] = at.g
    else:
        if at.inner is None or _dim(at) != 1:
            return None
        pairs[:, at.inner.argmax(dim=1)] = _wide(at)
    return pairs


def _places(at: Site) -> tuple[Tensor, ...] | None:
    """Return the indices of a lookup; None where some axes are taken whole."""
    if at.node.kind != "Index":
        return None
    indices = [index for index in at.saved("indices") or () if index is not None]
    if not indices or len(indices) != len(at.saved("indices")):
        return None
    return tuple(index.detach() for index in indices)


def _zeros(at: Site) -> Tensor:
    return torch.zeros_like(at.right)


@slip("Index")
def not_collected(at: Site) -> Made:
    """Your {d} is what came back to {step}, not yet collected where {op} took it from."""
    return at.g


@slip("Index")
def overwritten(at: Site) -> Made:
    """Your {d} is what comes out if what is looked up several times is written instead of added: with repeated indices,
    = and += keep one of them.
    """
    where = _places(at)
    if where is None:
        return None
    found = [("", _zeros(at).index_put_(where, at.g))]
    if len(where) == 1 and where[0].dim() == 2:  # one column after the other, as a loop over positions has it
        places, rows = where[0].T.flatten(), at.g.transpose(0, 1).flatten(0, 1)
        found.append(("", _zeros(at).index_put_((places,), rows)))
    return found


@slip("Index")
def count_only(at: Site) -> Made:
    """Your {d} counts how often {op} in {step} takes an entry. What came back to {step} must be multiplied in."""
    where = _places(at)
    return None if where is None else _zeros(at).index_put(where, torch.ones_like(at.g), accumulate=True)


@slip("Index")
def everywhere(at: Site) -> Made:
    """Your {d} is filled everywhere. {Op} in {step} reads some entries only."""
    return torch.full_like(at.right, float(at.g.flatten()[0])) if at.g.numel() else None


def _one_index(at: Site) -> Tensor | None:
    where = _places(at)
    return where[0] if where is not None and len(where) == 1 else None


def _counts(at: Site, index: Tensor) -> Tensor:
    """Return for each entry of a lookup how often its row is taken."""
    counts = torch.bincount(index.flatten(), minlength=at.right.shape[0])
    return counts[index].reshape(*index.shape, *[1] * (at.g.dim() - index.dim()))


@slip("Index")
def averaged_per_token(at: Site) -> Made:
    """Your {d} is a mean over the uses of each row. Every use moves the output, so they add up."""
    index = _one_index(at)
    return None if index is None else _zeros(at).index_put((index,), at.g / _counts(at, index), accumulate=True)


@slip("Index")
def counted_last(at: Site) -> Made:
    """Your {d} takes one use of each row as often as there are uses. Each use has a gradient of its own."""
    index = _one_index(at)
    return None if index is None else _zeros(at).index_put_((index,), at.g * _counts(at, index))


@slip("Index")
def same_for_all(at: Site) -> Made:
    """Your {d} gives every used row the same sum. A row gets what belongs to its own places."""
    index = _one_index(at)
    if index is None:
        return None
    return _zeros(at).index_put_((index,), at.g.sum(dim=tuple(range(index.dim()))).expand_as(at.g))


@slip("Index")
def summed_for_first(at: Site) -> Made:
    """Your {d} adds up along axis {detail} and gives the sum to one place of it. Each place has a row of its own."""
    index = _one_index(at)
    if index is None or index.dim() < 2:
        return None
    return [
        (axis, _zeros(at).index_put((index.select(axis, place),), at.g.sum(axis), accumulate=True))
        for axis in range(index.dim())
        for place in (0, -1)
    ]


@slip("Index")
def shifted(at: Site) -> Made:
    """Your {d} has its rows shifted by one at {op} in {step}. Indices count from 0."""
    where, rows = _places(at), at.right.shape[0]
    if where is None:
        return None
    if len(where) == 2 and where[0].dim() == 1:
        rolled = [(where[0], where[1].roll(by)) for by in (1, -1)]
        return [("", _zeros(at).index_put(pair, at.g, accumulate=True)) for pair in rolled]
    moved = [((each - 1,) if by < 0 else ((each + 1) % rows,)) for by in (-1, 1) for each in where[:1]]
    return [("", _zeros(at).index_put(pair, at.g, accumulate=True)) for pair in moved]


@slip("Index")
def table_turned(at: Site) -> Made:
    """Your {d} lies on its side: rows and columns are swapped, at {op} in {step}."""
    return at.right.mT


@slip("Index")
def axes_mixed(at: Site) -> Made:
    """Your {d} is what comes out if two axes are exchanged by reshaping, at {op} in {step}."""
    index = _one_index(at)
    if index is None or index.dim() < 2 or at.g.dim() != index.dim() + 1:
        return None
    mixed = at.g.reshape(*at.g.shape[:-2], at.g.shape[-1], at.g.shape[-2]).mT
    return _zeros(at).index_put((index,), mixed, accumulate=True)


@slip("Transpose", "Permute")
def view_for_transpose(at: Site) -> Made:
    """Your {d} is brought into its shape at {step} by a view alone. Axes have to change places there, and a view keeps
    all numbers in their order.
    """
    return at.g.reshape(at.right.shape) if at.g.shape != at.right.shape else None


@slip("View", "UnsafeView", "ReshapeAlias")
def axes_exchanged(at: Site) -> Made:
    """Your {d} has two axes in the other order at {step}. A view splits or joins them in the order in which they
    stand.
    """
    shape = at.right.shape
    if len(shape) < 2:
        return None
    found = []
    for axis in range(len(shape) - 1):
        turned = list(shape)
        turned[axis], turned[axis + 1] = turned[axis + 1], turned[axis]
        found.append(("", at.g.reshape(turned).transpose(axis, axis + 1)))
    return found
