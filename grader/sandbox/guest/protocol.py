"""The protocol between grader and child: frames of a short JSON text and bytes.

Imported by both sides of the boundary, so it imports nothing else of the grader. Tensors as bytes are `tensors`.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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


def is_shape(shape: object) -> bool:
    """Return whether a tensor can have this shape."""
    return (
        isinstance(shape, list)
        and len(shape) <= MAX_AXES
        and all(type(size) is int and 0 <= size < MAX_NUMBERS for size in shape)
        and math.prod(size or 1 for size in shape) < MAX_NUMBERS
    )
