"""A gradient that is right but for its precision."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from grader.compare import Verdict
from grader.diagnose.evidence import Sample

# Relative error, in the sense of norms, of numbers that went through float32, and of a difference quotient.
FLOAT32 = (1e-9, 3e-6)
APPROXIMATE = (1e-13, 3e-6)
NARROW = {torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 5e-2}


def find_precision(samples: Sequence[Sample]) -> str | None:
    """Return "dtype", "float32" or "approximate" for a gradient that is right to fewer digits than it should be."""
    if any(sample.actual.shape != sample.expected.shape for sample in samples):
        return None
    wrong = [sample for sample in samples if not sample.is_correct]
    if all(_verdict(sample) is Verdict.WRONG_DTYPE for sample in wrong):
        close = [_error(sample) <= NARROW.get(sample.actual.dtype, 0.0) for sample in samples]
        return "dtype" if all(close) else None
    if not all(sample.is_sound for sample in samples):
        return None
    errors = [_error(sample) for sample in wrong]
    if all(FLOAT32[0] <= error <= FLOAT32[1] for error in errors) and all(_is_float32(s.actual) for s in wrong):
        return "float32"
    return "approximate" if all(APPROXIMATE[0] <= error <= APPROXIMATE[1] for error in errors) else None


def _verdict(sample: Sample) -> Verdict:
    return sample.trial.comparisons[sample.gradient.name].verdict


def _error(sample: Sample) -> float:
    size = float(sample.expected.norm())
    difference = float((sample.actual.to(sample.expected.dtype) - sample.expected).norm())
    return difference / size if size else float("inf")


def _is_float32(tensor: Tensor) -> bool:
    return tensor.numel() > 1 and bool(torch.equal(tensor.to(torch.float32).to(tensor.dtype), tensor))
