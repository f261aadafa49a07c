"""Properties that right gradients have, looked at in those that a student returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from grader.course import Exercise, Invariant, InvariantKind, Tolerance
from grader.course.trace import Forward
from grader.results import GradientFeedback, InvariantFeedback
from grader.verdict.compare import Verdict
from grader.verdict.follow import Trial

# A reference's forward, which writes on a plain namespace as well as on a trace.
ForwardPass = Callable[[Any], object]

# How far rounding may carry a sum that is zero, or a sum of two answers, relative to what is added up.
ROUNDING = Tolerance(rtol=1e-10, atol=1e-12)
# Relative to the true gradient, below which one is zero but for rounding and tells nothing; and relative to the largest
# gradient of its case, below which the true one is.
NOISE = 1e-9
NOTHING = "what was returned is zero, but for rounding"
# What rounding leaves of a sum whose terms cancelled when they were made, relative to the largest gradient.
LEFT = 1e-15
# dout of the third call in terms of those of the first two.
COMBINATION = (2.0, -3.0)


def judge_invariants(
    exercise: Exercise,
    trials: Sequence[Trial],
    probes: Sequence[Mapping[str, Tensor]],
    gradients: Sequence[GradientFeedback],
    forward: ForwardPass,
) -> tuple[InvariantFeedback, ...]:
    """Judge every invariant of an exercise over all cases.

    `probes` are the answers to `probe_upstreams` on the first case; `forward` is the reference. An
    invariant earns its points only if the gradients it looks at earned theirs: zeros have most properties.
    """
    earned = {gradient.name for gradient in gradients if gradient.verdict in (Verdict.CORRECT, Verdict.FOLLOWS)}
    unknown = any(gradient.verdict is Verdict.NOT_JUDGED for gradient in gradients)
    found = []
    for invariant in exercise.invariants:
        held, detail = _look(invariant, trials, probes, forward)
        score = invariant.points if held and earned.issuperset(invariant.of) else 0.0
        found.append(InvariantFeedback(invariant.name, held, detail, None if unknown else score, invariant.points))
    return tuple(found)


def probe_upstreams(upstream: Tensor) -> tuple[Tensor, Tensor]:
    """Return two more upstream gradients beside one: one of its own, and a combination of both."""
    a, b = COMBINATION
    # Any other direction will do; the case's own values in another order have its scale.
    other = upstream.flatten().roll(1).reshape(upstream.shape) + upstream.flatten().flip(0).reshape(upstream.shape)
    return other, a * upstream + b * other


def _look(
    invariant: Invariant, trials: Sequence[Trial], probes: Sequence[Mapping[str, Tensor]], forward: ForwardPass
) -> tuple[bool | None, str]:
    if not all(_is_usable(trial, name) for trial in trials for name in invariant.of):
        return None, "not all of its gradients were returned in the right shape"
    looked_at = trials[:1] if invariant.kind is InvariantKind.LINEAR else trials
    if any(_tells_nothing(invariant.kind, trial, name) for trial in looked_at for name in invariant.of):
        return None, NOTHING
    match invariant.kind:
        case InvariantKind.SUMS_TO_ZERO:
            return _sums_to_zero(invariant, trials)
        case InvariantKind.DESCENT:
            return _descent(invariant, trials, forward)
        case InvariantKind.LINEAR:
            return _linear(invariant, trials[0], probes)


def _is_usable(trial: Trial, name: str) -> bool:
    return trial.comparisons[name].verdict in (Verdict.CORRECT, Verdict.WRONG_VALUES)


def _tells_nothing(kind: InvariantKind, trial: Trial, name: str) -> bool:
    """Return whether a gradient is noise where the true one is not; of zeros a step that lowers nothing is told."""
    own = float(trial.returned[name].norm())
    is_plain_zero = own == 0.0 and kind is InvariantKind.DESCENT
    return own < NOISE * float(trial.case.expected[name[1:]].norm()) and not is_plain_zero


def _sums_to_zero(invariant: Invariant, trials: Sequence[Trial]) -> tuple[bool | None, str]:
    assert invariant.dim is not None
    found: list[tuple[bool, float]] = []
    for trial in trials:
        largest = max(float(each.norm()) for each in trial.case.expected.values())
        for name in invariant.of:
            gradient = trial.returned[name]
            # In a batch of one, say, nothing comes back, and sums of nothing are zero whatever the formula.
            if max(float(gradient.norm()), float(trial.case.expected[name[1:]].norm())) <= NOISE * largest:
                continue
            sums = gradient.sum(dim=invariant.dim).abs()
            sizes = gradient.abs().sum(dim=invariant.dim)
            allowed = ROUNDING.rtol * sizes + LEFT * largest * gradient.shape[invariant.dim]
            found.append((bool((sums <= allowed).all()), float(sums.max()) if sums.numel() else 0.0))
    if not found:
        return None, NOTHING
    return all(is_zero for is_zero, _ in found), f"the largest sum is {max(worst for _, worst in found):.2g}"


def _descent(invariant: Invariant, trials: Sequence[Trial], forward: ForwardPass) -> tuple[bool, str]:
    """Move the values a small step against their gradients and look at the output, or at outputs times upstreams."""
    details: list[tuple[bool, str]] = []
    for trial in trials:
        case = trial.case
        values = SimpleNamespace(**case.forward.inputs)
        for name in invariant.of:
            value, gradient = case.forward.leaves[name[1:]].detach(), trial.returned[name]
            size = float(gradient.norm())
            # Relative to the value, so that one rubric entry fits cases of every scale.
            length = invariant.step * float(value.norm()) / size if size > 0 else 0.0
            setattr(values, name[1:], value - length * gradient)
        with torch.no_grad():
            forward(values)
        before, after = (float(case.objective(at)) for at in (case.forward.values, vars(values)))
        details.append((after < before, f"from {before:.6g} to {after:.6g}"))
    return min(details, key=lambda detail: detail[0])


def _linear(invariant: Invariant, trial: Trial, probes: Sequence[Mapping[str, Tensor]]) -> tuple[bool | None, str]:
    a, b = COMBINATION
    worst, is_linear = 0.0, True
    for name in invariant.of:
        own = trial.returned[name]
        if len(probes) != 2 or any(name not in probe or probe[name].shape != own.shape for probe in probes):
            return None, "the function did not answer for another upstream gradient"
        if any(probe[name].dtype != own.dtype for probe in probes):
            return None, "the function answered with another dtype for another upstream gradient"
        other, both = (probe[name] for probe in probes)
        error = (both - (a * own + b * other)).abs()
        scale = max(float(tensor.abs().max()) for tensor in (own, other, both)) if own.numel() else 0.0
        is_linear = is_linear and bool((error <= ROUNDING.atol + ROUNDING.rtol * scale).all())
        worst = max(worst, float(error.max()) if own.numel() else 0.0)
    return is_linear, f"the largest difference is {worst:.2g}"


def find_misfits(exercise: Exercise, forward: Forward) -> list[str]:
    """Return a line for every invariant that asks of a gradient what its value cannot give."""
    problems = []
    for invariant in exercise.invariants:
        for name in invariant.of:
            value = name.removeprefix("d")
            axes = forward.leaves[value].dim()
            if invariant.kind is InvariantKind.DESCENT and value not in forward.inputs:
                problems.append(f"{invariant.place}: descent moves inputs of the forward, and {value} is computed")
            if invariant.dim is not None and not -axes <= invariant.dim < axes:
                problems.append(
                    f"{invariant.place}: {name} has {axes} axes, counted from 0, so none is {invariant.dim}"
                )
    return problems
