"""The protocol between grader and child: frames of a short JSON text and bytes, and tensors as bytes.

Imported by both sides of the boundary, so it imports nothing else of the grader, and torch only where tensors are.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

HEADER = struct.Struct("<4sIQ")
MAGIC = b"grad"
MAX_TEXT = 1 << 20
MAX_PAYLOAD = 1 << 27
MAX_AXES = 64
# Beyond it torch overflows, as it does on (0, 2**47, 2**47), which holds nothing.
MAX_NUMBERS = 1 << 48
ALIGNMENT = 16
DTYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "bool")


class FrameError(Exception):
    """What arrived is no frame, or one that is larger than any honest one."""


@dataclass(frozen=True)
class Frame:
    """One message: what it says, and the bytes that go with it."""

    message: Mapping[str, Any]
    payload: bytes | bytearray


def pack(message: Mapping[str, Any], payload: bytes = b"") -> bytes:
    """Return a frame as bytes."""
    text = json.dumps(message).encode("ascii")
    return HEADER.pack(MAGIC, len(text), len(payload)) + text + payload


def unpack_header(header: bytes | bytearray) -> tuple[int, int]:
    """Return the length of the text and of the payload, both checked before anything is allocated."""
    magic, text_length, payload_length = HEADER.unpack(header)
    if magic != MAGIC:
        raise FrameError("the answer is not in the grader's format")
    if text_length > MAX_TEXT or payload_length > MAX_PAYLOAD:
        raise FrameError(f"the answer announces {text_length + payload_length} bytes, more than any honest one has")
    return text_length, payload_length


def unpack_text(text: bytes | bytearray) -> dict[str, Any]:
    """Return the message of a frame. Raises FrameError if it is not a JSON object."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError("the answer's text is not JSON") from error
    if not isinstance(message, dict):
        raise FrameError("the answer's text is not a JSON object")
    return message


def read_frame(descriptor: int) -> Frame | None:
    """Wait for a frame on a descriptor and return it, or None if there will be no more."""
    header = read_exactly(descriptor, HEADER.size)
    if len(header) < HEADER.size:
        return None
    text_length, payload_length = unpack_header(header)
    message = unpack_text(read_exactly(descriptor, text_length))
    return Frame(message, read_exactly(descriptor, payload_length))


def read_exactly(descriptor: int, length: int) -> bytearray:
    """Wait for so many bytes, and return them, or fewer if there are no more."""
    parts = bytearray()
    while len(parts) < length:
        part = os.read(descriptor, min(length - len(parts), 1 << 20))
        if not part:
            break
        parts += part
    return parts


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, in as many parts as it takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def pack_tensors(tensors: Mapping[str, Tensor]) -> tuple[list[list[Any]], bytes]:
    """Return what there is of each tensor, [name, dtype, shape], and their numbers, each begun at a multiple of 16."""
    import torch

    entries, parts = [], []
    for name, tensor in tensors.items():
        entries.append([name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape)])
        if tensor.dtype is torch.bfloat16:
            tensor = tensor.view(torch.int16)  # numpy has none
        data = tensor.numpy().tobytes()
        parts += [data, bytes(-len(data) % ALIGNMENT)]
    return entries, b"".join(parts)


def unpack_tensors(entries: object, payload: bytes | bytearray | memoryview, names: Sequence[str]) -> dict[str, Tensor]:
    """Return tensors among `names` that lie in a payload as `pack_tensors` made it, without copying it.

    Raises FrameError for a name that is unknown or repeated, a dtype or a shape that no gradient has, and for bytes
    that are missing or left over.
    """
    import torch

    if not isinstance(entries, list):
        raise FrameError("the answer's tensors are not a list")
    tensors: dict[str, Tensor] = {}
    start = 0
    for entry in entries:
        match entry:
            case [str(name), str(dtype), list(shape)] if name in names and name not in tensors:
                pass
            case _:
                raise FrameError("the answer's tensors have names that were not asked for")
        if dtype not in DTYPES or not is_shape(shape):
            raise FrameError(f"{name} of the answer has a dtype or a shape that no gradient has")
        kind: torch.dtype = getattr(torch, dtype)
        count = math.prod(shape)
        size = count * kind.itemsize
        if start + size > len(payload):
            raise FrameError("the answer's tensors are not well-formed: bytes are missing")
        if count:
            # As whole bytes: what is no boolean must not become one that is neither true nor false.
            read_as = torch.uint8 if kind is torch.bool else kind
            found = torch.frombuffer(payload, dtype=read_as, count=count, offset=start).reshape(shape)
            tensors[name] = found.bool() if kind is torch.bool else found
        else:
            tensors[name] = torch.zeros(shape, dtype=kind)  # a buffer that holds nothing is refused
        start += size + -size % ALIGNMENT
    if start != len(payload):
        raise FrameError("the answer's tensors are not well-formed: bytes are left over")
    return {name: tensors[name] for name in names if name in tensors}


def is_shape(shape: object) -> bool:
    """Return whether a tensor can have this shape."""
    return (
        isinstance(shape, list)
        and len(shape) <= MAX_AXES
        and all(type(size) is int and 0 <= size < MAX_NUMBERS for size in shape)
        and math.prod(size or 1 for size in shape) < MAX_NUMBERS
    )
