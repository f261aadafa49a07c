"""Numpy arrays that a function is given and returns, where its exercise is in numpy. Runs in the confined child only.

What is used on them is taken here, before a submission is loaded that may put something else in its place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from grader.sandbox.guest.tensors import KINDS, numpy

Array = np.ndarray[Any, np.dtype[Any]]
ndarray, scalar, matrix, masked = np.ndarray, np.generic, np.matrix, np.ma.MaskedArray
_array, _from_numpy = np.array, torch.from_numpy


def as_array(tensor: Tensor) -> Array:
    """Return an array that has its numbers in a tensor of this call's own."""
    return numpy(tensor)


def find_array(value: object) -> Array | str:
    """Return an array, or a number of numpy's as one without axes; of anything else what it is, in words."""
    if isinstance(value, scalar):
        value = _array(value)
    if type(value) is ndarray:
        return value
    for kind, name in ((matrix, "numpy matrix"), (masked, "masked array"), (Tensor, "torch tensor")):
        if isinstance(value, kind):
            return name
    return ""


def dtype_name(array: Array) -> str:
    """Return the name of an array's dtype, whatever the order of its bytes."""
    return str(array.dtype.name)


def as_tensor(array: Array) -> Tensor | None:
    """Return a copy as a tensor, whatever the strides and the order of bytes; None if no tensor has such numbers."""
    if dtype_name(array) not in KINDS:
        return None
    return _from_numpy(_array(array, dtype=array.dtype.newbyteorder("="), order="C", copy=True))
