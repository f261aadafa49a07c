"""Tensors as bytes, and what both sides ask of a tensor.

A submission can put something else in the place of any operation of torch, and so compute on inputs and answers where
it is not called. What is used on them is taken here, before it is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from grader.sandbox.guest.protocol import ALIGNMENT, DTYPES, FrameError, is_shape

clone, detach, contiguous, reshape, view = Tensor.clone, Tensor.detach, Tensor.contiguous, Tensor.reshape, Tensor.view
resolve_conj, resolve_neg, as_subclass = Tensor.resolve_conj, Tensor.resolve_neg, Tensor.as_subclass
numel, element_size, numpy, to_bool = Tensor.numel, Tensor.element_size, Tensor.numpy, Tensor.bool
frombuffer, zeros, equal = torch.frombuffer, torch.zeros, torch.equal
shape, dtype, layout, device = (getattr(Tensor, name).__get__ for name in ("shape", "dtype", "layout", "device"))
requires_grad, is_nested, is_quantized = (
    getattr(Tensor, name).__get__ for name in ("requires_grad", "is_nested", "is_quantized")
)
version = Tensor._version.__get__  # type: ignore[attr-defined] # torch types it as a number
_dispatch_keys, _has_key, _PYTHON = torch._C._dispatch_keys, torch._C.DispatchKeySet.has, torch._C.DispatchKey.Python


def computes_late(tensor: Tensor) -> bool:
    """Return whether a tensor runs code of its class's own whatever is asked of it (`__torch_dispatch__`)."""
    return bool(_has_key(_dispatch_keys(tensor), _PYTHON))


# What travels; another dtype is only named.
KINDS: dict[str, torch.dtype] = {name: getattr(torch, name) for name in DTYPES}


def pack_tensors(tensors: Mapping[str, Tensor]) -> tuple[list[list[Any]], bytes]:
    """Return what there is of each tensor, [name, dtype, shape], and their numbers, each begun at a multiple of 16."""
    entries, parts = [], []
    for name, tensor in tensors.items():
        entries.append([name, str(dtype(tensor)).removeprefix("torch."), list(shape(tensor))])
        # numpy has no bfloat16.
        data = numpy(view(tensor, torch.int16) if dtype(tensor) is torch.bfloat16 else tensor).tobytes()
        parts += [data, bytes(-len(data) % ALIGNMENT)]
    return entries, b"".join(parts)


def unpack_tensors(entries: object, payload: bytes | bytearray | memoryview, names: Sequence[str]) -> dict[str, Tensor]:
    """Return tensors among `names` that lie in a payload as `pack_tensors` made it, without copying it.

    Raises FrameError for a name that is unknown or repeated, a dtype or a shape that no gradient has, and for bytes
    that are missing or left over.
    """
    if not isinstance(entries, list):
        raise FrameError("the answer's tensors are not a list")
    tensors: dict[str, Tensor] = {}
    start = 0
    for entry in entries:
        match entry:
            case [str(name), str(kind_name), list(sizes)] if name in names and name not in tensors:
                pass
            case _:
                raise FrameError("the answer's tensors have names that were not asked for")
        if kind_name not in KINDS or not is_shape(sizes):
            raise FrameError(f"{name} of the answer has a dtype or a shape that no gradient has")
        kind = KINDS[kind_name]
        count = math.prod(sizes)
        size = count * kind.itemsize
        if start + size > len(payload):
            raise FrameError("the answer's tensors are not well-formed: bytes are missing")
        if count:
            # As whole bytes: what is no boolean must not become one that is neither true nor false.
            read_as = torch.uint8 if kind is torch.bool else kind
            found = reshape(frombuffer(payload, dtype=read_as, count=count, offset=start), sizes)
            tensors[name] = to_bool(found) if kind is torch.bool else found
        else:
            tensors[name] = zeros(sizes, dtype=kind)  # a buffer that holds nothing is refused
        start += size + -size % ALIGNMENT
    if start != len(payload):
        raise FrameError("the answer's tensors are not well-formed: bytes are left over")
    return {name: tensors[name] for name in names if name in tensors}
