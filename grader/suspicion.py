"""What the grader itself finds suspicious in answers, from outside of the process that gave them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from grader.course.cases import Case
from grader.sandbox.answer import Answer, Flag, Outcome

# Processor time, absolute and against that of autograd's backward pass on the same case; both must be exceeded. A
# derivative by differences runs the forward pass once or twice for every number that goes in.
MOST_TIMES = 200
MOST_SECONDS = 0.25


def find_processor_time(cases: Sequence[Case], answers: Sequence[Answer | None]) -> list[Flag]:
    """Return a flag if a call took processor time out of all proportion: derivatives by differences do.

    The time is the one figure that a process cannot forge.
    """
    found = []
    for case, answer in zip(cases, answers, strict=False):
        used = answer.cpu_seconds if answer is not None and answer.outcome is Outcome.RETURNED else None
        if used is not None and used > MOST_SECONDS:
            times = used / max(case.backward_seconds, 1e-6)
            if times > MOST_TIMES:
                found.append((times, f"case {case.name}: {used:.2g} s of processor time"))
    return [Flag("processor_time", f"{said}, {times:.0f} times autograd's") for times, said in sorted(found)[-1:]]


def find_difference(first: Answer, second: Answer) -> list[Flag]:
    """Return a flag if the same call, made twice, did not give the same bits."""
    if second.outcome is Outcome.TIMED_OUT:
        return []  # its operators were logged, which takes time
    if second.outcome is not first.outcome:
        ended = f"{first.outcome.value} at first, {second.outcome.value} when made again"
        return [Flag("nondeterministic", f"the same call: {ended}")]
    names = [
        name
        for name in dict.fromkeys([*first.gradients, *second.gradients])
        if not _is_same(first.gradients.get(name), second.gradients.get(name))
    ]
    return [Flag("nondeterministic", f"the same call made again gave other bits: {', '.join(names)}")] if names else []


def _is_same(first: Tensor | None, second: Tensor | None) -> bool:
    """Return whether two tensors are the same bit for bit: nan is nan, and -0.0 is not 0.0."""
    if first is None or second is None or first.dtype != second.dtype or first.shape != second.shape:
        return False
    return torch.equal(first.reshape(-1).view(torch.uint8), second.reshape(-1).view(torch.uint8))
