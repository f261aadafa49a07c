"""The frame that grader and child exchange: a short JSON text, then bytes (sources or safetensors).

Imported by both sides, so it imports nothing else of the grader.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HEADER = struct.Struct("<4sIQ")
MAGIC = b"grad"
MAX_TEXT = 1 << 20
MAX_PAYLOAD = 1 << 27


class FrameError(Exception):
    """What arrived is no frame, or one that is larger than any honest one."""


@dataclass(frozen=True)
class Frame:
    """One message: what it says, and the bytes that go with it."""

    message: Mapping[str, Any]
    payload: bytes


def pack(message: Mapping[str, Any], payload: bytes = b"") -> bytes:
    """Return a frame as bytes."""
    text = json.dumps(message).encode("ascii")
    return HEADER.pack(MAGIC, len(text), len(payload)) + text + payload


def unpack_header(header: bytes) -> tuple[int, int]:
    """Return the length of the text and of the payload, both checked before anything is allocated."""
    magic, text_length, payload_length = HEADER.unpack(header)
    if magic != MAGIC:
        raise FrameError("the answer is not in the grader's format")
    if text_length > MAX_TEXT or payload_length > MAX_PAYLOAD:
        raise FrameError(f"the answer announces {text_length + payload_length} bytes, more than any honest one has")
    return text_length, payload_length


def unpack_text(text: bytes) -> dict[str, Any]:
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
    header = _read(descriptor, HEADER.size)
    if len(header) < HEADER.size:
        return None
    text_length, payload_length = unpack_header(header)
    message = unpack_text(_read(descriptor, text_length))
    return Frame(message, _read(descriptor, payload_length))


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, in as many parts as it takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read(descriptor: int, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = os.read(descriptor, min(length - len(parts), 1 << 20))
        if not part:
            break
        parts += part
    return bytes(parts)
