"""An answer of a student's function, read with bounds: nothing a child sends is trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import safetensors
import torch
from torch import Tensor

from grader.sandbox.guest.protocol import Frame, FrameError
from grader.text import clean, one_line

MAX_HEADER = 1 << 16
MAX_MESSAGE = 2_000
MAX_SOURCE = 400
MAX_FLAGS = 50
MAX_AXES = 64
NOTE_KINDS = frozenset({"not_a_tensor", "dtype", "refused"})
DTYPES = MappingProxyType(
    {
        "F64": torch.float64,
        "F32": torch.float32,
        "F16": torch.float16,
        "BF16": torch.bfloat16,
        "I64": torch.int64,
        "I32": torch.int32,
        "BOOL": torch.bool,
    }
)


class Outcome(StrEnum):
    """How the run of a student's function ended."""

    RETURNED = "returned"
    NOT_WRITTEN = "not_written"
    MISSING = "missing"
    RAISED = "raised"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MUCH_OUTPUT = "too_much_output"
    CRASHED = "crashed"
    BAD_RETURN = "bad_return"
    AUTOGRAD_USED = "autograd_used"
    UNREADABLE = "unreadable"
    NOT_JUDGED = "not_judged"


# What a child may say of itself; everything else is found out from outside.
_SAYABLE = frozenset(
    {
        Outcome.RETURNED,
        Outcome.NOT_WRITTEN,
        Outcome.RAISED,
        Outcome.OUT_OF_MEMORY,
        Outcome.BAD_RETURN,
        Outcome.AUTOGRAD_USED,
    }
)


@dataclass(frozen=True)
class Flag:
    """Something for the instructor to look at; it changes no score."""

    kind: str
    detail: str


@dataclass(frozen=True)
class CodeLine:
    """A line of a submission, with the text from there to the end of its statement."""

    file: str
    line: int
    text: str


@dataclass(frozen=True)
class Note:
    """Why there is no tensor for a gradient: `kind` is not_a_tensor, dtype or refused."""

    kind: str
    text: str
    shape: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Answer:
    """One call of a student's function, as a value: how it ended and the tensors it gave."""

    outcome: Outcome
    message: str = ""
    file: str | None = None
    line: int | None = None
    source: str = ""
    printed: str = ""
    seconds: float = 0.0
    cpu_seconds: float | None = None
    gradients: Mapping[str, Tensor] = field(default_factory=dict)
    notes: Mapping[str, Note] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()


def read_answer(frame: Frame, gradients: Sequence[str], printed: str, seconds: float) -> Answer:
    """Turn a child's frame into an answer. Raises FrameError if it is anything but a well-formed one."""
    message = frame.message
    outcome = _text(message, "outcome")
    if outcome not in _SAYABLE:
        raise FrameError("the answer names no outcome that a function can have")
    tensors = read_tensors(frame.payload, gradients) if frame.payload else {}
    return Answer(
        outcome=Outcome(outcome),
        message=clean(_text(message, "message"), MAX_MESSAGE),
        file=read_file_name(message),
        line=read_line(message),
        source=read_source(message),
        printed=printed,
        seconds=seconds,
        gradients=MappingProxyType(tensors),
        notes=MappingProxyType(_notes(message, gradients)),
        flags=_flags(message),
    )


def read_tensors(payload: bytes, names: Sequence[str]) -> dict[str, Tensor]:
    """Read a safetensors payload whose tensors are among `names`.

    Raises FrameError for a header that is too long, whatever safetensors refuses (bytes that are missing, left over or
    shared, sizes that do not fit them), an unknown name or dtype, and a shape that no tensor has.
    """
    if int.from_bytes(payload[:8], "little") > MAX_HEADER:
        raise FrameError("the answer's tensors have a header of an impossible length")
    try:
        entries = safetensors.deserialize(payload)  # type: ignore[no-untyped-call] # it ships no types
    except safetensors.SafetensorError as error:
        raise FrameError(f"the answer's tensors are not well-formed: {one_line(str(error), 200)}") from error
    tensors = {}
    for name, entry in entries:
        if name not in names:
            raise FrameError("the answer's tensors have names that were not asked for")
        tensors[name] = _tensor(name, **entry)
    return {name: tensors[name] for name in names if name in tensors}  # they come in any order


def read_file_name(message: Mapping[str, Any]) -> str | None:
    """Return the file that a message names, cleaned."""
    file = message.get("file")
    return one_line(file, 200) if isinstance(file, str) else None


def read_source(message: Mapping[str, Any]) -> str:
    """Return the text of the line that a message names, cleaned."""
    source = message.get("source")
    return clean(source, MAX_SOURCE) if isinstance(source, str) else ""


def read_code_line(file: str, entry: object) -> CodeLine | None:
    """Return what an entry [line, text] says of a file, cleaned, or None if it is no such entry."""
    match entry:
        case [int(line), str(text)] if read_line({"line": line}):
            return CodeLine(file, line, clean(text, 2 * MAX_SOURCE))
    return None


def read_line(message: Mapping[str, Any]) -> int | None:
    """Return the line that a message names, if it can be one."""
    line = message.get("line")
    return line if type(line) is int and 0 < line < 10_000_000 else None


def _tensor(name: str, *, dtype: str, shape: list[int], data: bytearray) -> Tensor:
    # What holds no numbers may have any shape that safetensors can multiply out, and torch overflows on some.
    if dtype not in DTYPES or len(shape) > MAX_AXES or not (data or _shape(shape)):
        raise FrameError(f"{name} of the answer has a dtype or a shape that no gradient has")
    # frombuffer refuses an empty buffer.
    return (
        torch.frombuffer(data, dtype=DTYPES[dtype]).reshape(shape) if data else torch.zeros(shape, dtype=DTYPES[dtype])
    )


def _text(message: Mapping[str, Any], key: str) -> str:
    value = message.get(key)
    if not isinstance(value, str):
        raise FrameError(f"the answer's {key} is not text")
    return value


def _notes(message: Mapping[str, Any], gradients: Sequence[str]) -> dict[str, Note]:
    notes = message.get("notes")
    if not isinstance(notes, dict):
        raise FrameError("the answer's notes are not an object")
    found = {}
    for name, note in notes.items():
        if name not in gradients or not isinstance(note, dict):
            raise FrameError("the answer has a note on a gradient that was not asked for")
        kind, text = _text(note, "kind"), one_line(_text(note, "text"), 500)
        if kind not in NOTE_KINDS:
            raise FrameError("the answer has a note of no known kind")
        found[name] = Note(kind, text, _shape(note.get("shape")))
    return found


def _shape(shape: object) -> tuple[int, ...] | None:
    """Return a shape, if a tensor can have it; torch overflows on (0, 2**47, 2**47), which holds nothing."""
    if (
        not isinstance(shape, list)
        or len(shape) > MAX_AXES
        or not all(type(size) is int and size >= 0 for size in shape)
    ):
        return None
    return tuple(shape) if math.prod(max(size, 1) for size in shape) < 1 << 48 else None


def _flags(message: Mapping[str, Any]) -> tuple[Flag, ...]:
    flags = message.get("flags")
    if not isinstance(flags, list):
        raise FrameError("the answer's flags are not a list")
    found = []
    for flag in flags[:MAX_FLAGS]:
        match flag:
            case [str(kind), str(detail)]:
                found.append(Flag(one_line(kind, 50), one_line(detail, 500)))
            case _:
                raise FrameError("a flag of the answer is not two texts")
    return tuple(found)
