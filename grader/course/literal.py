"""A value as Python text that makes it again."""

from __future__ import annotations

import base64
import textwrap

import torch
from torch import Tensor

from grader.course.trace import Value

# More entries than this are written as base64: nobody reads them one by one.
MOST_WRITTEN_OUT = 120
WIDTH = 100
DTYPES = {torch.float64: "float64", torch.int64: "int64", torch.bool: "bool"}


def literal(value: Value) -> str:
    """Return a number as itself, a small tensor as torch.tensor([...]), a large one as unpack(shape, dtype, base64)."""
    if not isinstance(value, Tensor):
        return repr(value)
    dtype = DTYPES[value.dtype]
    finite = bool(value.isfinite().all())
    if finite and value.numel() <= MOST_WRITTEN_OUT and value.numel() > 0:
        rows = repr(value.tolist())
        if len(rows) > WIDTH - 30 and value.dim() > 1:
            rows = "[\n" + "".join(f"    {row},\n" for row in value.tolist()) + "]"
        return f"torch.tensor({rows}, dtype=torch.{dtype})"
    packed = base64.b64encode(value.contiguous().numpy().tobytes()).decode()
    lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(packed, WIDTH)) or '    ""'
    return f"unpack({tuple(value.shape)}, torch.{dtype},\n{lines}\n)"
