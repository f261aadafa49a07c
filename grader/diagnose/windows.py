"""Slips behind a value that the forward cuts into windows, as a convolution and a pool do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import torch
from torch import Tensor

from grader.diagnose.catalogue import Kind, made, windows
from grader.diagnose.evidence import Sample, are_equal
from grader.diagnose.graph import MISFIT, Plan, make_plan, reduce_to
from grader.diagnose.slip import Slip

Place = TypeVar("Place")
PADS = ("ConstantPadNd", "Clone", "Alias", "Slice")


def slips_of_windows(sample: Sample) -> Iterator[tuple[Slip, Tensor]]:
    """Yield the gradient with each slip there can be on the way back through windows, or through a border."""
    steps = {step.name: step for step in sample.case.forward.steps}
    for name, plan in sample.plans.items():
        place = _windows(sample, plan)
        if place is not None:
            (read,) = plan.step.reads
            yield from _replaced(sample, name, read, windows.BACK, place)
        read = plan.step.reads[0]
        if len(plan.step.reads) == 1 and _is_border(sample, plan, read):
            border = windows.Border(sample.tensors[read], sample.upstream[name])
            yield from _replaced(sample, name, read, windows.BORDER, border)
        for other in plan.step.reads:
            cut = _windows(sample, make_plan(steps[other], sample.case.forward)) if other in steps else None
            if cut is not None:
                yield from _with_another_factor(sample, plan, other, cut)


def _windows(sample: Sample, plan: Plan) -> windows.Windows | None:
    """Return the windows that a step cuts out of the one value that it reads, or None if it does something else."""
    name, reads = plan.step.name, plan.step.reads
    if len(reads) != 1 or name not in sample.upstream or {node.kind for node in plan.nodes} != {"Unfold"}:
        return None
    cuts = [
        windows.Cut(int(node.saved("dimension")), int(node.saved("size")), int(node.saved("step")))
        for node in reversed(plan.nodes)
    ]
    value = sample.tensors[reads[0]]
    made_of = next((step.reads for step in sample.case.forward.steps if step.name == reads[0]), ())
    inside = sample.tensors.get(made_of[0]) if len(made_of) == 1 else None
    return windows.Windows(value, sample.tensors[name], sample.upstream[name], cuts, inside)


def _is_border(sample: Sample, plan: Plan, read: str) -> bool:
    """Return whether a step puts a border around a value; of width 0 in some case, perhaps."""
    value, padded = sample.tensors[read], sample.tensors[plan.step.name]
    is_larger = value.dim() == padded.dim() and all(a <= b for a, b in zip(value.shape, padded.shape, strict=True))
    return is_larger and {node.kind for node in plan.nodes} <= set(PADS)


def _replaced(
    sample: Sample, name: str, read: str, kinds: tuple[Kind[Place], ...], place: Place
) -> Iterator[tuple[Slip, Tensor]]:
    if read != sample.value and read not in sample.plans:
        return
    part = sample.flow(sample.plans[name].backward(sample.upstream[name]))
    for kind in kinds:
        for word, wrong in made(kind, place):
            found = sample.replace(name, part, sample.flow({read: wrong})) if part is not None else None
            if found is not None:
                yield Slip(name, read, "", word), found


def _with_another_factor(sample: Sample, plan: Plan, other: str, cut: windows.Windows) -> Iterator[tuple[Slip, Tensor]]:
    """Yield what comes out if a step that multiplies windows by weights goes back with a slip in one of the two."""
    name = plan.step.name
    for read in plan.step.reads:
        if read == other or read != sample.value or _towards(sample, plan, read, other, cut.windows) is None:
            continue
        for kind in windows.FACTOR:
            for word, changed in made(kind, cut):
                wrong = _towards(sample, plan, read, other, changed)
                if wrong is not None:
                    yield Slip(name, read, "", word), wrong
    weights = [read for read in plan.step.reads if read != other and sample.tensors[read].dim() > 1]
    for weight in weights if other in sample.plans else ():
        if _towards(sample, plan, other, weight, sample.tensors[weight]) is None:
            continue
        for of_weights in windows.WEIGHTS:
            for word, changed in made(of_weights, sample.tensors[weight]):
                wrong = _towards(sample, plan, other, weight, changed)
                found = sample.flow({other: wrong}) if wrong is not None else None
                if found is not None:
                    yield Slip(name, other, "", word), found


def _towards(sample: Sample, plan: Plan, read: str, other: str, changed: Tensor) -> Tensor | None:
    """Return what a product passes back to one factor if the other one were changed; None if it is no product."""
    leaf, upstream = sample.case.forward.leaves[read], sample.upstream.get(plan.step.name)
    if upstream is None or not leaf.requires_grad:
        return None
    try:
        with torch.enable_grad():
            back = reduce_to(plan.backward(upstream)[other], tuple(changed.shape))
            # It is linear in the factor that is looked at, so its slope is what comes back to that.
            (found,) = torch.autograd.grad((back * changed).sum(), leaf, retain_graph=True, allow_unused=True)
    except MISFIT:
        return None
    right = sample.expected if read == sample.value else sample.upstream[read]
    is_product = changed is not sample.tensors[other] or (found is not None and are_equal(found, right))
    return found if is_product else None
