"""Wrong gradients that every rubric must reject: the bank's, and those that are wrong everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from grader.course import DEFAULT_TOLERANCE, Exercise, Gradient, Tolerance
from grader.course.cases import Case
from grader.course.mistakes import Mistake
from grader.course.trace import Value
from grader.verdict.compare import excess_over

# A gradient whose norm is below this part of the upstream's is zero but for rounding.
ZERO = 1e-12
STEP = 1e-5
NEARBY = 1e-3
PROBED = 12
# So many tolerances beyond is enough.
CLEAR = 10


@dataclass(frozen=True)
class Tried:
    """One wrong gradient on every case of one seed: how far beyond the tolerance it was, 0 where it passed.

    `mistake` is the entry of the bank that it comes from; `is_right` says that autograd finds no fault with it.
    """

    gradient: str
    name: str
    excess: Mapping[str, float]
    values: Mapping[str, Tensor]
    mistake: Mistake | None = None
    is_right: bool = False

    @property
    def worst(self) -> float:
        """Its excess on the case that sees it best."""
        return max(self.excess.values(), default=0.0)


def try_wrong_gradients(
    exercise: Exercise, cases: Sequence[Case], bank: Sequence[Mistake], forward: Callable[..., object] | None
) -> list[Tried]:
    """Compare every wrong gradient there is with autograd's; central differences only if a `forward` is given.

    What autograd finds right on all cases is no trial, and a gradient that is zero in truth has only its mistakes.
    """
    found: list[Tried] = []
    for gradient in exercise.gradients:
        expected = {case.name: case.expected[gradient.value] for case in cases}
        if not is_zero_in_truth(gradient, cases):
            wrong: dict[str, dict[str, Tensor | None]] = {}
            for case in cases:
                for name, tensor in _everywhere_wrong(gradient, case):
                    wrong.setdefault(name, {})[case.name] = tensor
            for name, tensors in wrong.items():
                if any(tensor is not None and not _is_same(tensor, expected[at]) for at, tensor in tensors.items()):
                    found.append(_tried(gradient, name, tensors, expected))
            if forward is not None:
                excess = _central_differences(gradient, cases, forward)
                found.append(Tried(gradient.name, "central difference", excess, {}))
        for mistake in bank:
            if (mistake.function, mistake.gradient) == (exercise.function, gradient.name):
                values = {case.name: mistake.evaluate(case, {}) for case in cases}
                found.append(_tried(gradient, mistake.name, values, expected, mistake))
    return [one for one in found if one.excess]


def is_zero_in_truth(gradient: Gradient, cases: Sequence[Case]) -> bool:
    """Return whether a gradient is zero, but for rounding, on every case."""
    return all(float(case.expected[gradient.value].norm()) <= ZERO * _size(case) for case in cases)


def _size(case: Case) -> float:
    return max(float(upstream.norm()) for upstream in case.upstream.values())


def _tried(
    gradient: Gradient,
    name: str,
    tensors: Mapping[str, Tensor | None],
    expected: Mapping[str, Tensor],
    mistake: Mistake | None = None,
) -> Tried:
    excess = {case: _excess(gradient.tolerance, expected[case], tensor) for case, tensor in tensors.items()}
    values = {case: tensor for case, tensor in tensors.items() if isinstance(tensor, Tensor)}
    by_default = gradient.tolerance == DEFAULT_TOLERANCE
    is_right = all(
        (excess[case] if by_default else _excess(DEFAULT_TOLERANCE, expected[case], tensor)) == 0.0
        for case, tensor in tensors.items()
    )
    return Tried(gradient.name, name, excess, values, mistake, is_right)


def _excess(tolerance: Tolerance, expected: Tensor, actual: object) -> float:
    return excess_over(expected, actual, tolerance) if isinstance(actual, Tensor) else math.inf


def _is_same(tensor: Tensor, expected: Tensor) -> bool:
    """Return whether autograd finds a trial right: equal but for the rounding of a sum in another order."""
    rounding = 1e-14 * float(expected.abs().max()) if expected.numel() else 0.0
    return tensor.shape == expected.shape and bool(((tensor - expected).abs() <= rounding).all())


def _everywhere_wrong(gradient: Gradient, case: Case) -> Iterator[tuple[str, Tensor]]:
    true = case.expected[gradient.value]
    yield "zeros", torch.zeros_like(true)
    yield "ones", torch.ones_like(true)
    yield "the sign flipped", -true
    yield "twice", 2 * true
    yield "half", true / 2
    yield "float32", true.float().double()
    if true.dim() >= 2 and true.shape[-1] == true.shape[-2] > 1:
        yield "transposed", true.mT.contiguous()
    for consumer in case.forward.consumers(gradient.value):
        upstream = case.expected[consumer]
        if upstream.shape == true.shape:
            yield f"d{consumer}, its upstream", upstream


def _central_differences(gradient: Gradient, cases: Sequence[Case], forward: Callable[..., object]) -> dict[str, float]:
    """Return how far numerical derivatives lie beyond the tolerance, up to the first case that clearly rejects them.

    Nothing is returned if they are exact in all cases. They cost more than all other trials together.
    """
    found: dict[str, float] = {}
    for case in cases:
        if not _is_curved(gradient, case, forward):
            continue
        value = case.forward.leaves[gradient.value].detach()
        places = torch.linspace(0, value.numel() - 1, min(PROBED, value.numel())).long()
        numeric = []
        for place in places.tolist():
            nudge = torch.zeros_like(value).flatten()
            nudge[place] = STEP
            nudge = nudge.reshape(value.shape)
            rise = _output(case, forward, gradient, value + nudge) - _output(case, forward, gradient, value - nudge)
            numeric.append(rise / (2 * STEP))
        expected = case.expected[gradient.value].flatten()[places]
        found[case.name] = _excess(gradient.tolerance, expected, torch.tensor(numeric, dtype=expected.dtype))
        if found[case.name] > CLEAR:
            break
    return found


def _is_curved(gradient: Gradient, case: Case, forward: Callable[..., object]) -> bool:
    """Return whether a central difference has an error of its own: where it is exact, no tolerance can tell.

    It is exact for a line, and for a parabola, too: its error is of third order. The step is small, so
    that a kink nearby (a relu, a max) is not taken for a curve.
    """
    value = case.forward.leaves[gradient.value].detach()
    # Any direction in which neighbours move quite differently: a softmax does not feel a common shift.
    direction = NEARBY * torch.arange(1, value.numel() + 1, dtype=value.dtype).sin().reshape(value.shape)
    at = {k: _output(case, forward, gradient, value + k * direction) for k in (-2, -1, 1, 2)}
    third = at[2] - 2 * at[1] + 2 * at[-1] - at[-2]
    return abs(third) > 1e-12 * (abs(at[1]) + 1)


class _Overridden(SimpleNamespace):
    """A plain namespace for a forward in which one value is not computed but given."""

    def __init__(self, name: str, value: Tensor, inputs: Mapping[str, Value]) -> None:
        super().__init__(**{**inputs, name: value})
        self.__dict__[" given"] = name

    def __setattr__(self, name: str, value: Any) -> None:
        if name != self.__dict__[" given"]:
            super().__setattr__(name, value)


def _output(case: Case, forward: Callable[..., object], gradient: Gradient, value: Tensor) -> float:
    values = _Overridden(gradient.value, value, case.forward.inputs)
    with torch.no_grad():
        forward(values)
    return float(case.objective(vars(values)))
