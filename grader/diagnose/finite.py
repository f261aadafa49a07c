"""Where a gradient is not finite, and which value of the forward made it so."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from grader.compare import Verdict
from grader.diagnose.evidence import Sample

# exp of more than this is infinite in float64.
LARGEST_EXPONENT = 709.0


def find_not_finite(samples: Sequence[Sample]) -> tuple[str, str] | None:
    """Return "overflow" or "division" with the name of the value that was too large for exp, or zero."""
    wrong = [s for s in samples if s.trial.comparisons[s.gradient.name].verdict is Verdict.NOT_FINITE]
    if not wrong or any(sample.actual.shape != sample.expected.shape for sample in wrong):
        return None
    for name in wrong[0].tensors:
        if all(_is_where(s, s.tensors[name] == 0) for s in wrong):
            return "division", name
    for name in wrong[0].tensors:
        finite = [s for s in samples if s not in wrong]
        if all(_overflows(s.tensors[name]) for s in wrong) and not any(_overflows(s.tensors[name]) for s in finite):
            return "overflow", name
    return None


def _is_where(sample: Sample, mask: Tensor) -> bool:
    """Return whether a gradient is not finite where a mask over a value of its shape is set, and nowhere else."""
    return mask.shape == sample.actual.shape and bool((mask == ~sample.actual.isfinite()).all())


def _overflows(value: Tensor) -> bool:
    return value.numel() > 0 and bool(value.max() > LARGEST_EXPONENT)
