"""Slips in a softmax with the result p along one axis, be it one operation or written out in steps."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from grader.diagnose.catalogue.kind import Kind, Made, slip


def softmax(x: Tensor, dim: int) -> Tensor:
    """Return a softmax; torch's own starts threads for the smallest of tensors, which takes ten times as long."""
    counts = (x - x.amax(dim, keepdim=True)).exp()
    return counts / counts.sum(dim, keepdim=True)


@dataclass(frozen=True)
class Softmax:
    """A softmax along `dim` with the result `p`, and what came back to it."""

    p: Tensor
    g: Tensor
    dim: int

    def sum(self, tensor: Tensor, dim: int | None = None) -> Tensor:
        """Return a sum along the axis of the softmax, or another."""
        return tensor.sum(self.dim if dim is None else dim, keepdim=True)


@slip()
def skipped(at: Softmax) -> Made:
    """Your {d} is what comes out if {op} in {step} is passed by, as if it had slope 1. Look at {step}."""
    return at.g


@slip()
def shared_sum_ignored(at: Softmax) -> Made:
    """Your {d} keeps the sum in the softmax {step} fixed. Every entry changes it, and so all others of its row."""
    return at.p * at.g


@slip()
def diagonal_only(at: Softmax) -> Made:
    """Your {d} has the effect of each entry on its own {step} only. It also moves the others."""
    return [("", at.p * at.g * (1 - at.p)), ("", at.g * (1 - at.p))]


@slip()
def sum_not_weighted(at: Softmax) -> Made:
    """Your {d} takes a plain sum in the softmax {step}. Its entries do not weigh alike."""
    return at.p * (at.g - at.sum(at.g))


@slip()
def weighted_after_the_sum(at: Softmax) -> Made:
    """Your {d} sums up what came back to the softmax {step} first and weighs it after that. Weigh each entry by {step},
    and sum then.
    """
    return at.p * (at.g - at.p * at.sum(at.g))


@slip()
def weighted_twice(at: Softmax) -> Made:
    """Your {d} weighs by {step} twice in the sum of the softmax. Once is enough."""
    return [("", at.p * (at.g - at.sum(at.p * at.p * at.g))), ("", at.p * (at.g - at.p * at.sum(at.p * at.g)))]


@slip()
def plain_mean(at: Softmax) -> Made:
    """Your {d} takes a plain mean in the softmax {step}. Its entries do not weigh alike."""
    return at.p * (at.g - at.g.mean(at.dim, keepdim=True))


@slip()
def sum_added(at: Softmax) -> Made:
    """Your {d} adds what comes through the shared sum of the softmax {step}. A larger sum makes all smaller."""
    return at.p * (at.g + at.sum(at.p * at.g))


@slip()
def mean_for_sum(at: Softmax) -> Made:
    """Your {d} takes a mean in the softmax {step} where nothing is divided."""
    return at.p * (at.g - (at.p * at.g).mean(at.dim, keepdim=True))


@slip()
def term_not_scaled(at: Softmax) -> Made:
    """One part of your {d} is not scaled by {step}. Check that it sums to zero along the axis of the softmax."""
    return at.p * at.g - at.sum(at.p * at.g)


@slip()
def not_scaled(at: Softmax) -> Made:
    """Your {d} is not scaled by {step}. An entry of almost no probability moves almost nothing."""
    return at.g - at.sum(at.p * at.g)


@slip()
def scaled_twice(at: Softmax) -> Made:
    """Your {d} is scaled by {step} once too often."""
    return at.p * at.p * (at.g - at.sum(at.p * at.g))


@slip()
def log_softmax_rule(at: Softmax) -> Made:
    """Your {d} takes a plain sum of what came back, as through a log-softmax. {step} has no log in it: weigh each entry
    by {step} before it is summed.
    """
    return at.g - at.p * at.sum(at.g)


@slip()
def upstream_as_target(at: Softmax) -> Made:
    """Your {d} is the difference of {step} and what came back to it, as if that were a target."""
    return [("", at.p - at.g), ("", at.g - at.p)]


@slip()
def upstream_not_in_the_sum(at: Softmax) -> Made:
    """Your {d} leaves what came back to {step} out of the sum of the softmax."""
    return at.p * (at.g - at.sum(at.p))


@slip()
def summed_over_other_axis(at: Softmax) -> Made:
    """Your {d} sums over the wrong axis of the softmax {step}."""
    weighted = at.p * at.g
    axes = [axis for axis in range(at.p.dim()) if axis != at.dim]
    return [("", at.p * (at.g - at.sum(weighted, axis))) for axis in axes]


@slip()
def summed_over_everything(at: Softmax) -> Made:
    """Your {d} sums over all of the softmax {step} at once. Each row has a sum of its own."""
    return at.p * (at.g - (at.p * at.g).sum())


KINDS: tuple[Kind[Softmax], ...] = (
    skipped,
    shared_sum_ignored,
    diagonal_only,
    sum_not_weighted,
    weighted_after_the_sum,
    weighted_twice,
    plain_mean,
    sum_added,
    mean_for_sum,
    term_not_scaled,
    not_scaled,
    scaled_twice,
    log_softmax_rule,
    upstream_as_target,
    upstream_not_in_the_sum,
    summed_over_other_axis,
    summed_over_everything,
)
