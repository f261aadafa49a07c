"""An answer of a student's function, read with bounds: nothing a child sends is trusted."""

from __future__ import annotations

import difflib
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from torch import Tensor

from grader.course import Limits
from grader.sandbox.child import End, Heard, describe_exit
from grader.sandbox.guest.protocol import Frame, FrameError, is_shape
from grader.sandbox.guest.tensors import unpack_tensors
from grader.text import clean, one_line

MAX_MESSAGE = 2_000
MAX_SOURCE = 400
MAX_FLAGS = 50
MAX_WRITTEN = 50
MAX_RIVALS = 5
MAX_OWN, MAX_OWN_NAME = 200, 60
PROCESSOR_SIGNAL = getattr(signal, "SIGXCPU", None)  # Windows has none
LOOKED_FOR = frozenset({"torch_inside", "python_inside", "numerical", "obfuscated", "replaced"})
NOTE_KINDS = frozenset({"not_a_tensor", "dtype", "shape", "refused"})


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
class Names:
    """The names that a function computes, each with its last line, and those that it returns, as its text has them.

    `order` are the returned ones as they stand, and `returned` the one for each gradient; "" is no plain name.
    """

    file: str
    made: Mapping[str, int] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    returned: Mapping[str, str] = field(default_factory=dict)
    line: int | None = None


@dataclass(frozen=True)
class Note:
    """Why there is no tensor for a gradient: `kind` is not_a_tensor, dtype, shape (too large) or refused."""

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
    gradients: Mapping[str, Tensor] = field(default_factory=dict)
    notes: Mapping[str, Note] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()


def read_answer(
    frame: Frame, gradients: Sequence[str], printed: str, seconds: float, room: Sequence[tuple[int, int]] = ()
) -> Answer:
    """Turn a child's frame into an answer. Raises FrameError if it is anything but a well-formed one.

    `room` are the numbers and the axes that each gradient may have.
    """
    message = frame.message
    outcome = _text(message, "outcome")
    if outcome not in _SAYABLE:
        raise FrameError("the answer names no outcome that a function can have")
    tensors = unpack_tensors(message.get("tensors"), frame.payload, gradients)
    for name, (numbers, axes) in zip(gradients, room, strict=False):
        if name in tensors and (tensors[name].numel() > numbers or tensors[name].dim() > axes):
            raise FrameError(f"the answer's {name} is much larger than any right one, and should not have been sent")
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
        flags=read_flags(message),
    )


def read_written(frame: Frame) -> list[str]:
    """Return the files that notebooks of the submission write; the names come from the child, so they are bounded."""
    return [name for name in read_names(frame, "written")[:MAX_WRITTEN] if name.endswith(".py") and len(name) <= 200]


def read_findings(frame: Frame) -> dict[str, tuple[tuple[str, Flag], ...]]:
    """Return by file what is suspicious in its text, each with the function that it stands in."""
    found: dict[str, tuple[tuple[str, Flag], ...]] = {}
    findings = frame.message.get("findings")
    for each in findings[:MAX_FLAGS] if isinstance(findings, list) else ():
        match each:
            case [str(file), str(place), str(kind), line, str(sentence), str(within)] if kind in LOOKED_FOR:
                said = f"{one_line(place, 200)} line {read_line({'line': line}) or 1}: {one_line(sentence, 450)}"
                found[file] = (*found.get(file, ()), (within, Flag(kind, said)))
    return found


def read_names(frame: Frame, key: str, inner: str | None = None) -> list[str]:
    """Return the texts of a list that a frame brings under a key, or inside of what it has there."""
    found = frame.message.get(key)
    if inner is not None:
        found = found.get(inner) if isinstance(found, dict) else None
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def read_file_name(message: Mapping[str, Any]) -> str | None:
    """Return the file that a message names, cleaned."""
    file = message.get("file")
    return one_line(file, 200) if isinstance(file, str) else None


def read_source(message: Mapping[str, Any]) -> str:
    """Return the text of the line that a message names, cleaned."""
    source = message.get("source")
    return clean(source, MAX_SOURCE) if isinstance(source, str) else ""


def read_code_line(file: str, entry: object) -> CodeLine | None:
    """Return what an entry [line, text] says of a file, cleaned, or [part, line, text] of a part of it; or None."""
    match entry:
        case [str(part), int(line), str(text)] if read_line({"line": line}):
            return CodeLine(one_line(part, 200), line, clean(text, 2 * MAX_SOURCE))
        case [int(line), str(text)] if read_line({"line": line}):
            return CodeLine(file, line, clean(text, 2 * MAX_SOURCE))
    return None


def read_own_names(file: str, found: Mapping[str, object], gradients: Sequence[str]) -> Names:
    """Return what is said of a function's names, as far as they are names and within bounds."""
    made, order, returned = found.get("made"), found.get("order"), found.get("returned")
    lines = made.items() if isinstance(made, dict) else ()
    return Names(
        file=one_line(file, 200),
        made={n: at for n, line in list(lines)[:MAX_OWN] if _is_name(n) and (at := read_line({"line": line}))},
        order=tuple(str(n) if _is_name(n) else "" for n in order[:MAX_OWN]) if isinstance(order, list) else (),
        returned={
            name: str(returned[name]) if _is_name(returned[name]) else "" for name in gradients if name in returned
        }
        if isinstance(returned, dict)
        else {},
        line=read_line(found),
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_OWN_NAME and value.isascii() and value.isidentifier()


def read_line(message: Mapping[str, Any]) -> int | None:
    """Return the line that a message names, if it can be one."""
    line = message.get("line")
    return line if type(line) is int and 0 < line < 10_000_000 else None


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
        found[name] = Note(kind, text, tuple(note["shape"]) if is_shape(note.get("shape")) else None)
    return found


def read_flags(message: Mapping[str, Any]) -> tuple[Flag, ...]:
    """Return what a child says there is to suspect. Raises FrameError if that is no list of it."""
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


def explain_end(heard: Heard, what: str, limits: Limits, seconds: float) -> Answer:
    """Say how a process ended that gave no answer within `seconds`; `what` is what it was doing."""
    outcome, message = Outcome.CRASHED, f"{what} gave no answer"
    match heard.end:
        case End.TIMED_OUT:
            outcome, message = Outcome.TIMED_OUT, f"{what} did not finish within {seconds:.3g} s"
        case End.FLOODED:
            outcome = Outcome.TOO_MUCH_OUTPUT
            message = f"{what} printed more than {limits.output_kb} KB"
        case End.MALFORMED:
            outcome, message = Outcome.BAD_RETURN, f"{what}: {heard.reason}"
        case End.DIED:
            outcome, message = _explain_death(heard, what, limits)
    return Answer(outcome, message, printed=heard.printed, seconds=heard.seconds)


def _explain_death(heard: Heard, what: str, limits: Limits) -> tuple[Outcome, str]:
    code = heard.exit_code
    if code is None:
        return Outcome.CRASHED, f"{what} closed its answer and gave none"
    if PROCESSOR_SIGNAL is not None and code == -PROCESSOR_SIGNAL:
        return Outcome.TIMED_OUT, f"{what} used up the processor time of the whole submission"
    if "bad_alloc" in heard.printed or "MemoryError" in heard.printed[-200:]:
        return Outcome.OUT_OF_MEMORY, f"{what} asked for more than {limits.memory_mb} MB"
    if "Thread creation failed" in heard.printed:
        # libgomp ends the process in which it gets none.
        return Outcome.CRASHED, f"{what} gave no answer: it asked for threads (torch.set_num_threads), and gets one"
    return Outcome.CRASHED, f"{what} gave no answer: {describe_exit(code)}"


def explain_missing(function: str, home: str | None, others: Sequence[str], unread: Sequence[Answer] = ()) -> Answer:
    """Say that a function is nowhere, and where it may be: under another name, or in a notebook that was not read."""
    text = f"{function} is defined in no file of the submission"
    near = difflib.get_close_matches(function, [name[:100] for name in others], n=1, cutoff=0.85)
    hints = [f"is {one_line(near[0], 100)} meant to be it?"] if near else []
    hints += [answer.message for answer in unread]
    return Answer(Outcome.MISSING, "; ".join([text, *hints]), file=home)


def explain_not_found(gradients: Sequence[str], between: Sequence[str], stopped: Mapping[str, Any]) -> Answer:
    """Say that no statements of an exercise are in any file, and of which parts nothing is known."""
    names = ", ".join(gradients[:4]) + (", ..." if len(gradients) > 4 else "")
    among = ", ".join(between[-3:])
    way = f" without the gradients between, such as {among}," if between else ""
    text = f"no statement was found that assigns {names}{way} outside of a training loop"
    unread = [str(each.get("message", "")) for each in stopped.values() if isinstance(each, Mapping)]
    parts = [one_line(each, 200) for each in unread if each.startswith("SyntaxError: ")]
    return Answer(Outcome.MISSING, "; ".join([text, *parts[:3]]))


def read_notes(message: Mapping[str, Any], function: str, file: str, home: str) -> tuple[str, str]:
    """Return what a message says of the file in which a function was found: that it stopped, and what else defines it.

    Both are in words, or empty.
    """
    return _note_stop(message.get("stopped"), file), _note_rivals(message.get("rivals"), function, file, home)


def _note_stop(stopped: object, file: str) -> str:
    """Say that something in a file failed, and what that means for the functions above and below it."""
    if not isinstance(stopped, dict):
        return ""
    reason = one_line(str(stopped.get("message", "")), 500)
    place = one_line(str(stopped.get("part") or file), 200)
    line = read_line({"line": stopped.get("at")})
    at = f" line {line}" if line else ""
    if stopped.get("ends"):
        place = f"{place} stopped{at and f' at{at}'}"
        return f"{place}: {reason}; functions above were graded, those below did not run"
    return f"{place}{at} failed: {reason}; the functions above and below it were graded all the same"


def add_notes(answers: tuple[Answer, ...], stop: str, rivals: str) -> tuple[Answer, ...]:
    """Say with what a function answered what is to be said of the files: of a stop where it is right in itself."""

    def note(answer: Answer) -> Answer:
        is_right = answer.outcome is Outcome.RETURNED
        is_stub = answer.outcome is Outcome.NOT_WRITTEN
        parts = [answer.message, stop if is_right else "", "" if is_stub else rivals]
        return replace(answer, message="; ".join(part for part in parts if part))

    return tuple(map(note, answers)) if stop or rivals else answers


def _note_rivals(rivals: object, function: str, file: str, home: str) -> str:
    """Say which of several files that define a function otherwise was graded, and why.

    Nothing where there is one only, or a template lies beside what was made of it.
    """
    found = []
    for rival in rivals[:MAX_RIVALS] if isinstance(rivals, list) else []:
        match rival:
            case [str(name), bool(is_written)]:
                found.append((_name_version(name), is_written))
    stubs = [name for name, is_written in found if not is_written]
    written = [name for name, is_written in found if is_written]
    own = _name_version(file)
    if written:
        advice = "; run that cell to make them one" if any(" cell " in name for name in written) else ""
        return f"{function} is written in {own} and otherwise in {' and '.join(written)}: {own} was graded{advice}"
    if stubs and file != home:
        return f"{function} is not written in {' and '.join(stubs)}, but in {own}: that was graded"
    return ""


def _name_version(file: str) -> str:
    """Name a file, or the cell that would write it."""
    cell, _, written = one_line(file, 200).rpartition(", ")
    return f"{cell} (which writes {written})" if " cell " in cell else one_line(file, 200)


def explain_never_reached(function: str, file: str, stopped: Mapping[str, Any]) -> Answer:
    """Say that a file stopped before a function was defined in it."""
    reason = clean(str(stopped.get("message", "")), 1_000)
    line = read_line(stopped)
    at = f" at line {line}" if line else ""
    place = one_line(read_file_name(stopped) or file, 200)
    text = f"{place} stopped{at}, before {function} was defined: {reason}"
    text += "; functions above it were graded" + (", none below" if stopped.get("ends") else ", and those below")
    outcome = Outcome.OUT_OF_MEMORY if stopped.get("outcome") == Outcome.OUT_OF_MEMORY else Outcome.RAISED
    return Answer(outcome, text, file=read_file_name(stopped) or file, line=line, source=read_source(stopped))
