"""Another tensor of the exercise in place of the gradient, and one tensor under two names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from grader.diagnose.evidence import Sample, are_equal
from grader.diagnose.graph import MISFIT, make_plan, reduce_to
from grader.verdict.compare import Verdict


@dataclass(frozen=True)
class Other:
    """Another tensor: its name, and how it was turned into what was returned ("", "negated", ...)."""

    name: str
    change: str = ""


def other_tensors(sample: Sample) -> Iterator[tuple[Other, Tensor]]:
    """Yield the other gradients of the forward, the upstream, and its values, each as it is or changed a little."""
    forward = sample.case.forward
    for name in forward.leaves:
        if name not in (sample.value, forward.output) and name in sample.upstream:
            yield from _changed(f"d{name}", sample.upstream[name])
    yield from _of_ones(sample)
    if "dout" in sample.exercise.given:
        yield from _changed("dout", sample.case.dout)
    if len(forward.outputs) > 1:
        for name, upstream in sample.case.upstream.items():
            yield Other(f"d{name}", "as_given"), upstream
    for name, value in sample.tensors.items():
        yield from _changed(name, value)
    yield Other("1", "ones"), torch.ones_like(sample.expected)


def _of_ones(sample: Sample) -> Iterator[tuple[Other, Tensor]]:
    """Yield the gradient as it is for an upstream of ones: of the one value that is made of it, then of the output."""
    forward = sample.case.forward
    consumers = forward.consumers(sample.value)
    if len(consumers) == 1 and consumers[0] in sample.plans and consumers[0] != forward.output:
        plan = sample.plans[consumers[0]]
        passed = plan.backward(torch.ones_like(plan.step.output))
        if sample.value in passed:
            yield Other(f"d{consumers[0]}", "of_ones"), reduce_to(passed[sample.value], tuple(sample.expected.shape))
    if "dout" in sample.exercise.given:
        ones = forward.gradient(sample.value, torch.ones_like(sample.case.dout), {})
        if ones is not None:
            yield Other("dout", "of_ones"), ones


def is_beside(other: Other, samples: Sequence[Sample]) -> bool:
    """Return whether another gradient is neither swapped with this one nor what comes back to it."""
    value = other.name.removeprefix("d")
    if other.change.startswith(("first", "last")):
        return True
    if value == other.name or value not in samples[0].case.forward.leaves:
        return False
    if not other.change and is_swapped(other, samples[0]):
        return False
    return value not in replace(samples[0], is_deep=True).plans


def is_swapped(other: Other, sample: Sample) -> bool:
    """Return whether this gradient was returned under the other's name, too."""
    returned = sample.trial.returned.get(other.name)
    return returned is not None and returned.shape == sample.expected.shape and are_equal(returned, sample.expected)


def _changed(name: str, tensor: Tensor) -> Iterator[tuple[Other, Tensor]]:
    yield Other(name), tensor
    yield Other(name, "negated"), -tensor
    if tensor.dim() >= 2:
        yield Other(name, "turned"), tensor.mT
    for axis in range(tensor.dim()):
        yield Other(name, f"summed:{axis}"), tensor.sum(axis)
        if tensor.shape[axis]:
            yield Other(name, f"first:{axis}"), tensor.select(axis, 0)
            yield Other(name, f"last:{axis}"), tensor.select(axis, -1)


def additions(sample: Sample) -> Iterator[tuple[Other, Tensor]]:
    """Yield the expected gradient with another tensor or number of the case added to it or taken away."""
    if sample.actual.shape != sample.expected.shape:
        return
    others: dict[str, Tensor | float] = {**sample.tensors, "1": 1.0}
    others.update({n: v for n, v in sample.case.forward.values.items() if isinstance(v, float)})
    if "dout" in sample.exercise.given:
        others["dout"] = sample.case.dout
    for name in sample.case.forward.leaves:
        if name not in (sample.value, sample.case.forward.output) and name in sample.upstream:
            others[f"d{name}"] = sample.upstream[name]
    for name, other in others.items():
        if isinstance(other, Tensor):
            if other.dim() > sample.expected.dim():
                for axis in range(other.dim()):
                    if other.sum(axis).shape == sample.expected.shape:
                        yield Other(name, "sum_added"), sample.expected + other.sum(axis)
                continue
            try:
                other = other.expand(sample.expected.shape)
            except MISFIT:
                for axis in range(other.dim()):
                    if other.sum(axis).shape == sample.expected.shape:
                        yield Other(name, "sum_added"), sample.expected + other.sum(axis)
                continue
        yield Other(name, "added"), sample.expected + other
        yield Other(name, "subtracted"), sample.expected - other


def products_of_uses(sample: Sample) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    """Yield what becomes of a value that is used several times if its uses are multiplied instead of added."""
    consumers = tuple(name for name in sample.case.forward.consumers(sample.value) if name in sample.plans)
    if len(consumers) > 1:
        yield consumers, torch.stack([_use(sample, name) for name in consumers]).prod(dim=0)


def _use(sample: Sample, consumer: str) -> Tensor:
    raw = sample.plans[consumer].backward(sample.upstream[consumer])[sample.value]
    return reduce_to(raw, tuple(sample.tensors[sample.value].shape))


def find_shared(samples: Sequence[Sample]) -> str | None:
    """Return the gradient that shares its memory with this one, so that what was added to it landed here, too.

    The grader sees copies, so what tells is this: both are the same bit for bit, the other is right, and it
    begins as this one, because a step of the forward passes it on unchanged and more is added after that.
    """
    for other in samples[0].exercise.gradients:
        if other.value != samples[0].value and all(_is_shared(sample, other.name, other.value) for sample in samples):
            return other.name
    return None


def _is_shared(sample: Sample, name: str, value: str) -> bool:
    theirs = sample.trial.returned.get(name)
    if theirs is None or sample.trial.comparisons[name].verdict is not Verdict.CORRECT:
        return False
    if theirs.shape != sample.actual.shape or not torch.equal(theirs, sample.actual):
        return False
    step = next((step for step in sample.case.forward.steps if step.name == sample.value), None)
    if step is None or value not in step.reads:
        return False
    passed = make_plan(step, sample.case.forward).backward(sample.case.expected[sample.value])
    return value in passed and torch.equal(passed[value], sample.case.expected[sample.value])
