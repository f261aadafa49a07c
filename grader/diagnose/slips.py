"""One slip in the backward of one operation, carried on to the gradient that is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from grader.diagnose.evidence import Sample, are_small
from grader.diagnose.graph import MISFIT, Plan, is_broadcast, reduce_to
from grader.diagnose.steps import slips_of_a_layout, slips_of_a_slope, slips_of_softmax


@dataclass(frozen=True)
class Slip:
    """A slip of a `kind` in the step that makes `step`, in its backward towards `read`.

    `kind` may name a further value or axis behind a colon. `operation` is the node's kind: Tanh, Mm, ...
    """

    step: str
    read: str
    operation: str
    kind: str


def slips(sample: Sample) -> Iterator[tuple[Slip, Tensor]]:
    """Yield the gradient with each slip there can be in the steps behind it, nearest first."""
    for name, plan in sample.plans.items():
        upstream = sample.upstream.get(name)
        if upstream is None:
            continue
        right = plan.backward(upstream)
        relevant = [read for read in right if read == sample.value or read in sample.plans]
        relevant_right = {read: right[read] for read in relevant}
        contributed = sample.contributed(relevant_right)
        part = sample.flow(relevant_right)
        if part is None:
            continue
        part = part if part.shape == sample.expected.shape else part.sum_to_size(sample.expected.shape)
        for slip, wrong in _wrong_steps(sample, plan, upstream, right, relevant):
            if not sample.may_be_returned(contributed, wrong):
                continue
            candidate = sample.replace(name, part, sample.flow(wrong))
            if candidate is not None:
                yield slip, candidate
    yield from _composite_softmax(sample)


def _wrong_steps(
    sample: Sample, plan: Plan, upstream: Tensor, right: Mapping[str, Tensor], relevant: list[str]
) -> Iterator[tuple[Slip, dict[str, Tensor]]]:
    """Yield what a step passes back to each relevant value that it reads, with a slip in it."""
    name = plan.step.name
    for kind, other in _wrong_upstreams(sample, name, upstream):
        found = plan.backward(other)
        yield (
            Slip(name, "", "", kind),
            {read: reduce_to(found[read], tuple(sample.tensors[read].shape)) for read in relevant},
        )
    for read in relevant:
        for kind, wrong in _wrong_sums(right[read], sample.tensors[read], upstream):
            yield Slip(name, read, "", kind), {**{r: right[r] for r in relevant}, read: wrong}
    arriving = plan.arriving(upstream)
    for index, node in enumerate(plan.nodes):
        for position, edge in enumerate(node.edges):
            if edge is None or (isinstance(edge, str) and edge not in relevant):
                continue
            inner = _inner(sample, plan, edge)
            read = edge if isinstance(edge, str) else ""
            given = node, position, arriving[index], sample.tensors, inner
            for made in (slips_of_a_slope(*given), slips_of_a_layout(*given)):
                for kind, wrong in made:
                    try:
                        raw = plan.backward(upstream, {(index, position): wrong})
                    except MISFIT:
                        continue
                    if not read:
                        yield Slip(name, relevant[0], node.kind, kind), {r: raw[r] for r in relevant if r in raw}
                        continue
                    wrong_part = reduce_to(raw[read], tuple(sample.tensors[read].shape))
                    parts = {**{r: right[r] for r in relevant}, read: wrong_part}
                    yield Slip(name, read, node.kind, kind), parts


def _wrong_upstreams(sample: Sample, name: str, upstream: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield what may have been sent back through a step in place of its upstream gradient."""
    yield "upstream_ones", torch.ones_like(upstream)
    for other, gradient in sample.upstream.items():
        if gradient.shape == upstream.shape and other != name:
            yield f"upstream_exchanged:d{other}", gradient
    for other, value in sample.tensors.items():
        if value.shape == upstream.shape:
            yield f"upstream_exchanged:{other}", value
    for axis, size in enumerate(upstream.shape):
        if size > 1:
            for word, place in (("first", 0), ("last", size - 1)):
                some = torch.zeros_like(upstream)
                some.select(axis, place).copy_(upstream.select(axis, place))
                yield f"upstream_{word}:{axis}", some


def _inner(sample: Sample, plan: Plan, edge: int | str) -> Tensor | None:
    """Return the value of the forward that an operation was applied to, through additions of a number at most."""
    while isinstance(edge, int):
        node = plan.nodes[edge]
        behind = [e for e in node.edges if e is not None]
        if node.kind not in ("Add", "Sub") or len(behind) != 1:
            return None
        edge = behind[0]
    return sample.tensors[edge]


def _wrong_sums(raw: Tensor, value: Tensor, upstream: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield what becomes of a gradient that should be summed over the axes along which a value was broadcast."""
    lead = raw.dim() - value.dim()
    if raw.shape == value.shape or not is_broadcast(tuple(value.shape), tuple(raw.shape)):
        if upstream.shape == value.shape and value.dim():
            yield "upstream_itself", upstream
        return
    yield "not_summed", raw
    yield "summed_to_one", raw.sum()
    right = raw.sum_to_size(value.shape)
    summed = [axis for axis in range(raw.dim()) if axis < lead or raw.shape[axis] != value.shape[axis - lead]]
    if lead:
        yield "axis_kept", right.reshape([1] * lead + list(value.shape))
    if 1 in value.shape:
        yield "axis_lost", right.squeeze()
    for axis in range(raw.dim()):
        if axis in summed:
            yield f"first_only:{axis}", raw.select(axis, 0)
            yield f"last_only:{axis}", raw.select(axis, -1)
            yield f"first_only:{axis}", raw.narrow(axis, 0, 1)
            yield f"last_only:{axis}", raw.narrow(axis, raw.shape[axis] - 1, 1)
        if [axis] != summed:
            yield f"summed_over:{axis}", raw.sum(axis)
            yield f"summed_over:{axis}", raw.sum(axis, keepdim=True)
            yield f"averaged_over:{axis}", raw.mean(axis)
            yield f"averaged_over:{axis}", raw.mean(axis, keepdim=True)


def _composite_softmax(sample: Sample) -> Iterator[tuple[Slip, Tensor]]:
    """Yield the slips of a softmax that the forward writes out in steps and the student does in one."""
    target = sample.tensors[sample.value]
    for name in sample.plans:
        p = sample.tensors[name]
        upstream = sample.upstream.get(name)
        if upstream is None or p.shape != target.shape or not bool((p >= 0).all()):
            continue
        for dim in range(p.dim()):
            if p.shape[dim] > 1 and are_small(torch.softmax(target, dim) - p, p * 1e3):
                for kind, wrong in slips_of_softmax(p, upstream, dim):
                    yield Slip(name, sample.value, "Softmax", kind), wrong
