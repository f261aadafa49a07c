"""One call of a student's function: what it returned, or why not."""

from __future__ import annotations

import contextlib
import dis
import inspect
import math
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from types import TracebackType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grader.sandbox.guest import arrays
from grader.sandbox.guest import tensors as own
from grader.sandbox.guest.guard import Guard, Watch
from grader.sandbox.guest.inputs import Call, Form, Given, Maker
from grader.sandbox.guest.log import MOST_NONLINEAR, OperatorLog
from grader.sandbox.guest.tensors import KINDS, pack_tensors

MAX_MESSAGE = 2_000
MAX_SOURCE = 400
MAX_ANSWER_BYTES = 1 << 26
# What torch says where a tensor made in inference mode is to do what it cannot.
INFERENCE = "nference tensor"


# By gradient, the numbers and the axes that one may have, some times those of a right one.
Room = Mapping[str, Sequence[int]]


@dataclass
class Reply:
    """What the child says of one call; `notes` tells of each gradient why there is no tensor of it.

    `taken` are the tensors until they are packed: then `tensors` describes them and `payload` has their bytes.
    `is_cut_short` is of the call, not of the student's making: its log was full, so its outcome means nothing.
    """

    outcome: str
    message: str = ""
    file: str | None = None
    line: int | None = None
    source: str = ""
    taken: dict[str, Tensor] = field(default_factory=dict)
    tensors: list[list[Any]] = field(default_factory=list)
    payload: bytes = b""
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    flags: list[list[str]] = field(default_factory=list)
    is_cut_short: bool = False

    def pack(self) -> None:
        """Turn the tensors into bytes."""
        self.tensors, self.payload = pack_tensors(self.taken)
        self.taken = {}


class UnfinishedError(Exception):
    """A call went to its end although a part of it raised: `error`, beside the gradients that there are."""

    def __init__(self, error: BaseException, found: Mapping[str, Any]) -> None:
        super().__init__()
        self.error = error
        self.found = found


@dataclass(frozen=True)
class Callee:
    """A student's function, what it is given and asked for, and the files that are its submission.

    `maker` makes its cache, if that is the student's, too.
    """

    function: Callable[..., Any]
    form: Form
    gradients: Sequence[str]
    files: Collection[str]
    room: Room = field(default_factory=dict)
    maker: Maker | None = None

    def completed(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the arguments of a call with the cache that the student's own forward makes, if it is to make one."""
        return arguments if self.maker is None else {**arguments, "cache": self.maker.make(arguments["cache"])}

    @property
    def has_begun(self) -> bool:
        """Whether the function may compute a gradient, by whatever name, although it gave none."""
        try:
            steps = pairwise(dis.get_instructions(inspect.unwrap(self.function).__code__))
            kept = [(step.argval, before) for before, step in steps if step.opname.startswith("STORE_FAST")]
            made = {name for name, before in kept if before.opname != "LOAD_CONST" or before.argval is not None}
            return any(type(name) is str and name.startswith("d") and len(name) > 1 for name in made)
        except BaseException:  # noqa: BLE001 # an object of the student's own
            return False

    @property
    def misfit(self) -> Reply | None:
        """What there is to say if the function does not take what the exercise gives, by its parameters' names."""
        try:
            signature = inspect.signature(self.function)
        except BaseException:  # noqa: BLE001 # the call itself will tell
            return None
        try:
            signature.bind(**dict.fromkeys(self.form.given))
        except TypeError as error:
            name = getattr(self.function, "__name__", "the function")
            code = getattr(inspect.unwrap(self.function), "__code__", None)
            file = code.co_filename if code is not None and code.co_filename in self.files else None
            text = f"{name}{signature} does not take what the exercise gives, ({', '.join(self.form.given)}): {error}"
            line = code.co_firstlineno if code is not None and file is not None else None
            return Reply("raised", f"TypeError: {text}"[:MAX_MESSAGE], file, line)
        except BaseException:  # noqa: BLE001 # a signature of its own; the call itself will tell
            return None
        return None


def call(callee: Callee, asked: Call, guard: Guard, *, logged: bool = False) -> Reply:
    """Call a student's function with arguments by name, and gather the gradients that it gives.

    Whatever touches its arguments or its answer is watched. If it called autograd there are no gradients: what it went
    on to return is not looked at. `logged` logs its operators.
    """
    with guard.watch(callee.files) as watch:
        reply = _call(callee, asked.give(callee.form), guard, watch, guard.inference, logged=logged)
        if reply.outcome == "raised" and INFERENCE in reply.message and not watch.refusal:
            # Versions are read, or the data of a layer set. The count of nodes alone then tells of a graph.
            reply = _call(callee, asked.give(callee.form), guard, watch, guard.untracked(), logged=logged)
        if not watch.refusal:
            try:
                reply.pack()
            except BaseException as error:  # noqa: BLE001 # what they call on a tensor may be the student's by now
                reply = explain(error, callee.files)
    if watch.refusal:
        reply = Reply("autograd_used", watch.refusal, watch.file, watch.line, watch.source[:MAX_SOURCE])
    reply.flags += watch.flags
    return reply


def _call(
    callee: Callee,
    given: Given,
    guard: Guard,
    watch: Watch,
    mode: AbstractContextManager[Any],
    *,
    logged: bool,
) -> Reply:
    function, gradients, files = callee.function, callee.gradients, callee.files
    inputs = sum(map(own.numel, given.tensors.values()))
    log = OperatorLog(watch, guard.call_operator, inputs) if logged else None
    # Gathered in here, too: what was returned may be an object that computes only when looked at.
    with mode:
        try:
            with log or nullcontext():
                returned = function(**callee.completed(given.arguments))
        except UnfinishedError as unfinished:
            reply = explain(unfinished.error, files)
            with contextlib.suppress(BaseException):
                _take(unfinished.found, reply, callee)
        except BaseException as error:  # noqa: BLE001 # whatever a student raises is an answer
            misfit = callee.misfit if isinstance(error, TypeError) else None
            reply = misfit or explain(error, files)
            found = _locals_of(function, error.__traceback__, gradients)
            error.__traceback__ = None
            # Asking an object of the student's for its class or its shape may raise anything, too.
            with contextlib.suppress(BaseException):
                _take(found, reply, callee)
        else:
            reply = _gathered(returned, callee)
    if watch.elementary > MOST_NONLINEAR * inputs:
        each = f"more than {MOST_NONLINEAR} numbers out of numpy's or math's exp, log and so on for each that goes in"
        watch.note("forward_repeated", f"{each}: as if the forward pass ran for every one of them")
    reply.is_cut_short = log is not None and log.is_full
    reply.flags += [["mutated_input", f"{name} was changed in place"] for name in given.changed]
    return reply


def _gathered(returned: Any, callee: Callee) -> Reply:
    try:
        return gather(returned, callee)
    except BaseException as error:  # noqa: BLE001 # it asks objects of the student's for what they are
        return explain(error, callee.files)


def explain(error: BaseException, files: Collection[str]) -> Reply:
    """Say what an exception means as an outcome, with the last line of the submission on its way."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename in files]
    file, line = (own[-1].filename, own[-1].lineno) if own else (None, None)
    source = (own[-1].line or "")[:MAX_SOURCE] if own else ""
    text = _text_of(error)
    if isinstance(error, ModuleNotFoundError):
        text += "; there are torch, numpy, Python's own modules and what was handed in with it"
    if isinstance(error, NotImplementedError) and own and frames[-1] is own[-1] and _is_by_raise(error):
        return Reply("not_written", text, file, line)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "can't allocate memory" in text):
        return Reply("out_of_memory", text, file, line, source)
    return Reply("raised", text, file, line, source)


def _is_by_raise(error: BaseException) -> bool:
    """Return whether a raise statement raised it, and not a call into compiled code on the same line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def _text_of(error: BaseException) -> str:
    try:
        text = str(error)
        text = text[:MAX_MESSAGE] if type(text) is str else "(its message is not text)"
    except BaseException:  # noqa: BLE001 # the exception's own __str__ is student code as well
        text = "(its message could not be read: __str__ raised)"
    name = _class_name(error)
    return f"{name[:100]}: {text}" if text else name[:100]


def _class_name(value: object) -> str:
    # Not type(value).__name__: a metaclass could answer that with anything.
    return str(type.__dict__["__name__"].__get__(type(value)))


def _locals_of(function: Callable[..., Any], trace: TracebackType | None, gradients: Sequence[str]) -> dict[str, Any]:
    """Return the gradients that the function had computed when it raised."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    while trace is not None:
        if trace.tb_frame.f_code is code:
            found = trace.tb_frame.f_locals
            return {name: found[name] for name in gradients if found.get(name) is not None}
        trace = trace.tb_next
    return {}


def gather(returned: Any, callee: Callee) -> Reply:
    """Match what a function returned with the gradients it was to return.

    Only the built-in methods of dict, tuple and list are used: a subclass may answer differently each time.
    """
    reply = Reply("returned")
    gradients, order = callee.gradients, callee.form.returns or callee.gradients
    wanted = ", ".join(order)
    if isinstance(returned, dict):
        found = dict(dict.items(returned))
        unknown = [key for key in found if not (type(key) is str and key in order)]
        if unknown:
            text = f"returned a dict with the key {_short(unknown[0])}; the keys are {wanted}"
            return Reply("bad_return", text)
    elif isinstance(returned, tuple | list):
        values = list(tuple.__iter__(returned) if isinstance(returned, tuple) else list.__iter__(returned))
        if len(values) != len(order):
            text = f"returned {_count(len(values))}, expected {len(order)}: {wanted}"
            return Reply("bad_return", text)
        found = dict(zip(order, values, strict=True))
    elif len(gradients) == 1 and (
        returned is None or isinstance(returned, Tensor | np.ndarray | np.generic | int | float)
    ):
        found = {gradients[0]: returned}
    elif returned is None:
        found = {}
    else:
        one = "one tensor" if isinstance(returned, Tensor) else f"one {_kind(returned)}"
        single = "an array" if callee.form.is_numpy else "a tensor"
        several = f"{len(order)} {'values' if callee.form.returns else 'gradients'}: {wanted}"
        expected = f"{single}, {wanted}" if len(order) == 1 else several
        return Reply("bad_return", f"returned {one}, expected {expected}")
    if all(found.get(name) is None for name in gradients):
        return Reply("not_written", "returned None" + ("" if len(gradients) == 1 else " for every gradient"))
    _take({name: found.get(name) for name in gradients}, reply, callee)
    return reply


def _take(found: Mapping[str, Any], reply: Reply, callee: Callee) -> None:
    """Put the tensors into the reply as plain ones, within a bound on their size, and say what is no tensor.

    Of an exercise in numpy the same is done with arrays.
    """
    left = MAX_ANSWER_BYTES
    for name, value in found.items():
        if value is None:
            continue
        if callee.form.is_numpy:
            left -= _take_array(name, value, left, reply, callee.room.get(name))
            continue
        if not isinstance(value, Tensor):
            reply.notes[name] = {"kind": "not_a_tensor", "text": f"a {_kind(value)}, not a tensor"}
            continue
        try:
            with torch._C.DisableTorchFunctionSubclass():
                left -= _take_tensor(name, value, left, reply, callee.room.get(name))
        except MemoryError:
            reply.outcome, reply.message = "out_of_memory", f"{name} could not be copied"
        except (RuntimeError, TypeError, NotImplementedError) as error:
            _refuse(name, f"a {_kind(value)} that holds no plain numbers ({_text_of(error)[:200]})", reply)


def _take_tensor(name: str, value: Tensor, left: int, reply: Reply, room: Sequence[int] | None) -> int:
    """Put one tensor into the reply and return its size in bytes."""
    if own.computes_late(value):
        _refuse(name, f"a {_kind(value)} that computes only when it is looked at; return a plain tensor", reply)
        return 0
    unusual = _unusual_layout(value)
    if unusual:
        _refuse(name, f"a {unusual} tensor; return an ordinary dense one", reply)
        return 0
    shape, dtype = list(own.shape(value)), own.dtype(value)
    size = own.numel(value) * own.element_size(value)
    if _is_too_large(name, ("a tensor", shape, str(dtype), size), left, reply, room):
        return 0
    if own.requires_grad(value):
        reply.flags.append(["requires_grad", f"{name} requires grad ({_kind(value)}); it was detached"])
    if dtype not in KINDS.values():
        reply.notes[name] = {"kind": "dtype", "text": str(dtype), "shape": shape}
        return 0
    plain = own.contiguous(own.resolve_neg(own.resolve_conj(own.detach(value))))
    reply.taken[name] = plain if type(plain) is Tensor else own.as_subclass(plain, Tensor)
    return size


def _take_array(name: str, value: Any, left: int, reply: Reply, room: Sequence[int] | None) -> int:
    """Put one array into the reply and return its size in bytes."""
    found = arrays.find_array(value)
    if isinstance(found, str):
        plain = "plain numpy array" if isinstance(value, arrays.ndarray) else "numpy array"
        reply.notes[name] = {"kind": "not_a_tensor", "text": f"a {found or _kind(value)}, not a {plain}"}
        return 0
    shape, dtype = list(found.shape), arrays.dtype_name(found)
    if _is_too_large(name, ("an array", shape, dtype, found.nbytes), left, reply, room):
        return 0
    copied = arrays.as_tensor(found)
    if copied is None:
        reply.notes[name] = {"kind": "dtype", "text": dtype, "shape": shape}
        return 0
    reply.taken[name] = copied
    return found.nbytes


def _is_too_large(
    name: str, found: tuple[str, list[int], str, int], left: int, reply: Reply, room: Sequence[int] | None
) -> bool:
    """Return whether a gradient is so large that only its shape is told, and tell it.

    `found` is what it is, in words, with its shape, dtype and size in bytes.
    """
    kind, shape, dtype, size = found
    if size > left:
        # Refused by its announced size: copying an expanded view would cost what it only pretends to hold.
        _refuse(name, f"{kind} of shape {tuple(shape)}, {size} bytes; a gradient has the shape of its value", reply)
        return True
    if room is not None and (math.prod(shape) > room[0] or len(shape) > room[1]):
        # What is so much larger is looked at by nobody: its shape says all.
        reply.notes[name] = {"kind": "shape", "text": dtype, "shape": shape}
        return True
    return False


def _unusual_layout(value: Tensor) -> str | None:
    if own.is_nested(value):
        return "nested"
    layout = own.layout(value)
    if layout is not torch.strided:
        return "sparse" if "sparse" in str(layout) else str(layout).removeprefix("torch.")
    if own.is_quantized(value):
        return "quantized"
    kind = own.device(value).type
    return None if kind == "cpu" else kind


def _refuse(name: str, text: str, reply: Reply) -> None:
    reply.notes[name] = {"kind": "refused", "text": text}
    if reply.outcome == "returned":
        reply.outcome, reply.message = "bad_return", f"{name} is {text}"


def _kind(value: Any) -> str:
    name = _class_name(value)[:60]
    return {"ndarray": "numpy array", "NoneType": "None", "int": "number (int)", "float": "number (float)"}.get(
        name, name
    )


def _short(value: Any) -> str:
    return repr(value[:60]) if type(value) is str else f"of type {_kind(value)}"


def _count(number: int) -> str:
    return "1 value" if number == 1 else f"{number} values"
