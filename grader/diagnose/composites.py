"""Slips in the one formula for what the forward may write out in steps: an activation, a softmax, a norm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from torch import Tensor

from grader.diagnose.catalogue import Kind, activations, made, norms, softmaxes
from grader.diagnose.evidence import Sample, are_equal, are_small
from grader.diagnose.graph import MISFIT
from grader.diagnose.slip import Slip

Place = TypeVar("Place")


def slips_of_composites(sample: Sample) -> Iterator[tuple[Slip, Tensor]]:
    """Yield the gradient with each slip there can be in a softmax or a norm between values behind it."""
    inputs = [name for name in (sample.value, *sample.plans) if name in sample.upstream]
    first = {name: activations.first_values(sample.tensors[name]) for name in inputs if sample.tensors[name].numel()}
    for result in sample.plans:
        upstream = sample.upstream.get(result)
        if upstream is None:
            continue
        for name in inputs:
            if sample.tensors[name].shape != sample.tensors[result].shape or name == result:
                continue
            for activation in _activations(sample, name, result, first[name]):
                for slip, wrong in _made(activations.KINDS, activation, result, name, "Activation"):
                    yield from _carried_on(sample, name, slip, wrong)
            for softmax in _softmaxes(sample, name, result):
                for slip, wrong in _made(softmaxes.KINDS, softmax, result, name, "Softmax"):
                    yield from _carried_on(sample, name, slip, wrong)
            for norm in _norms(sample, name, result):
                for slip, wrong in _made(norms.KINDS, norm, result, name, "Norm"):
                    yield from _carried_on(sample, name, slip, wrong)


def _made(
    kinds: tuple[Kind[Place], ...], place: Place, step: str, read: str, operation: str
) -> Iterator[tuple[Slip, Tensor]]:
    for kind in kinds:
        for word, wrong in made(kind, place):
            yield Slip(step, read, operation, word), wrong


def _carried_on(sample: Sample, name: str, slip: Slip, wrong: Tensor) -> Iterator[tuple[Slip, Tensor]]:
    """Yield the gradient with something wrong arriving at a value between."""
    if name == sample.value:
        yield slip, wrong
        return
    if wrong.shape != sample.tensors[name].shape:
        return
    right = sample.upstream[name]
    if not sample.may_be_returned(sample.contributed({name: right}), {name: wrong}):
        return
    part, flowed = sample.flow({name: right}), sample.flow({name: wrong})
    if part is not None and flowed is not None and part.shape == flowed.shape == sample.expected.shape:
        yield slip, flowed if are_small(sample.expected - part, part) else sample.expected - part + flowed


def _activations(sample: Sample, name: str, result: str, first: Tensor) -> Iterator[activations.Activation]:
    x, y, g = sample.tensors[name], sample.tensors[result], sample.upstream[result]
    found = activations.recognise(x, y, first)
    # Only where nothing else comes back to the input is the formula all of its gradient.
    if found is not None and are_equal(g * activations.FUNCTIONS[found].slope(x), sample.upstream[name]):
        yield activations.Activation(found, x, y, g)


def _softmaxes(sample: Sample, name: str, result: str) -> Iterator[softmaxes.Softmax]:
    x, p = sample.tensors[name], sample.tensors[result]
    if p.dim() == 0 or not bool((p >= 0).all()):
        return
    for dim in range(p.dim()):
        if p.shape[dim] > 1 and are_small(softmaxes.softmax(x, dim) - p, p * 1e3):
            yield softmaxes.Softmax(p, sample.upstream[result], dim)


def _norms(sample: Sample, name: str, result: str) -> Iterator[norms.Norm]:
    x, y, g = sample.tensors[name], sample.tensors[result], sample.upstream[result]
    for dim in range(y.dim()):
        centred = x - x.mean(dim, keepdim=True)
        square = centred.square().sum(dim, keepdim=True)
        if x.shape[dim] < 2 or not bool((square > 0).all()):
            continue
        r = (y * centred).sum(dim, keepdim=True) / square
        if bool((r == 1).all()) or not are_small(centred * r - y, y * 1e3):
            continue
        for c in (1.0, x.shape[dim] / (x.shape[dim] - 1)):
            plain, gain = _gain(sample, result, g)
            norm = norms.Norm(x, y, r, dim, g, plain, gain, c)
            if are_equal(norm.right, sample.upstream[name]):
                yield norm


def _gain(sample: Sample, result: str, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """Return what comes back to the product with a gain, and the gain, if the result of a norm is multiplied by one."""
    for consumer in sample.case.forward.consumers(result):
        plain = sample.upstream.get(consumer)
        if plain is None or plain.shape != g.shape:
            continue
        for value in sample.tensors.values():
            try:
                if value.dim() and value.shape != g.shape and are_equal(plain * value, g):
                    return plain, value
            except MISFIT:
                continue
    return None, None
