"""The child's loop: requests come in, answers go out. Runs in the confined child, and in the rehearsal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import safetensors.numpy
import safetensors.torch
import torch
from torch import Tensor

from grader.sandbox.guest.call import Callee, Reply, call, explain, gather
from grader.sandbox.guest.files import Modules
from grader.sandbox.guest.guard import AutogradRefusedError, Guard
from grader.sandbox.guest.protocol import Frame, pack, read_frame, write_all

MAX_NAMES = 100


def respond(requests: int, answers: int, guard: Guard) -> None:
    """Answer every request that arrives on one descriptor, on the other, in order.

    A request to call is answered in parts, one as soon as each call has ended.
    """
    child = Responder(guard)
    while (frame := read_frame(requests)) is not None:
        for message, payload in child.answers(frame):
            for stream in (sys.stdout, sys.stderr):
                _flush(stream)
            say_mark(frame.message)
            write_all(answers, pack({"id": frame.message["id"], **message}, payload))


class Responder:
    """Does what requests ask, one after the other, in the process it is in."""

    def __init__(self, guard: Guard) -> None:
        self.modules = Modules({})
        self.block = TimedBlock((), ())
        self.guard = guard

    def answers(self, frame: Frame) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yield the answer to a request, or its parts: what each says, and its tensors as bytes."""
        if frame.message["do"] == "call":
            yield from self._call_each(frame.message, frame.payload)
        else:
            yield self._handle(frame)

    def _handle(self, frame: Frame) -> tuple[dict[str, Any], bytes]:
        message = frame.message
        match message["do"]:
            case "files":
                return self._take_files(message, frame.payload), b""
            case "load":
                return self._load(message), b""
            case "nothing":
                return {}, b""
            case "lines":
                return {"lines": self.modules.lines(message["function"], message["gradients"], message["home"])}, b""
            case "prepare":
                self.block = self._prepare(message, frame.payload)
                return {}, b""
            case "run":
                self.block.run()
                return {}, b""
            case "show":
                return self._answer(self.block.reply(message["index"], message["gradients"], self.modules.sources))
        raise ValueError(message["do"])

    def _take_files(self, message: Mapping[str, Any], payload: bytes) -> dict[str, Any]:
        sources, start = {}, 0
        for name, length in message["files"]:
            sources[name] = payload[start : start + length]
            start += length
        self.modules = Modules(sources, message["wanted"])
        unreadable = {file: [problem.text, problem.line] for file, problem in self.modules.unreadable.items()}
        written = sorted(set(self.modules.files).difference(sources))
        return {"unreadable": unreadable, "defines": self.modules.defines, "written": written}

    def _load(self, message: Mapping[str, Any]) -> dict[str, Any]:
        file = message["file"]
        stopped = self.modules.load(file)
        answer: dict[str, Any] = {
            "functions": [name for name in message["wanted"] if self.modules.function(file, name) is not None],
            "others": self.modules.other_functions(file)[:MAX_NAMES],
        }
        if stopped is not None:
            reply = explain(stopped, self.modules.sources)
            answer["stopped"] = {"outcome": reply.outcome, **_where(reply)}
        return answer

    def _call_each(self, message: Mapping[str, Any], payload: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
        function = self.modules.function(message["file"], message["function"])
        callee = Callee(function, message["gradients"], self.modules.sources)
        for part, (numbers, tensors) in enumerate(_each_call(message, payload)):
            answer, gradients = self._answer(self._call(callee, message["given"], numbers, tensors, message["logged"]))
            yield {"part": part, **answer}, gradients

    def _call(
        self, callee: Callee, given: Sequence[str], numbers: Mapping[str, float], tensors: bytes, is_logged: bool
    ) -> Reply:
        reply = call(callee, _unpack(given, numbers, tensors), self.guard, logged=is_logged)
        if reply.is_cut_short:
            found, reply = reply.flags, call(callee, _unpack(given, numbers, tensors), self.guard)
            reply.flags += found
        return reply

    def _answer(self, reply: Reply) -> tuple[dict[str, Any], bytes]:
        answer = {"outcome": reply.outcome, "notes": reply.notes, "flags": reply.flags, **_where(reply)}
        return answer, _pack(reply.tensors)

    def _prepare(self, message: Mapping[str, Any], payload: bytes) -> TimedBlock:
        """Set up a block of calls to be timed: of the student's function, or of autograd on a reference forward."""
        calls = [_unpack(message["given"], numbers, tensors) for numbers, tensors in _each_call(message, payload)]
        if message["forward"] is not None:
            return autograd_block(message["forward"], calls, message["gradients"])
        function = self.modules.function(message["file"], message["function"])
        return function_block(function, calls, self.guard, self.modules.sources)


def _where(reply: Reply) -> dict[str, Any]:
    return {"message": reply.message, "file": reply.file, "line": reply.line, "source": reply.source}


def _each_call(message: Mapping[str, Any], payload: bytes) -> Iterator[tuple[dict[str, float], bytes]]:
    """Yield the numbers and the packed tensors of each call that a request brings."""
    start = 0
    for numbers, length in zip(message["numbers"], message["lengths"], strict=True):
        yield numbers, payload[start : start + length]
        start += length


def _unpack(given: Sequence[str], numbers: Mapping[str, float], tensors: bytes) -> dict[str, Any]:
    # Cloned, they lie in memory as torch lays it out: by where its arguments lie, a product may differ in its last bit.
    values = {name: tensor.clone() for name, tensor in safetensors.torch.load(tensors).items()}
    return put_together(given, {**values, **numbers})


def put_together(given: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that travelled as values: `cache/probs` is the value probs of the namespace cache."""
    arguments: dict[str, Any] = {}
    for name in given:
        inside = {key.partition("/")[2]: value for key, value in values.items() if key.startswith(f"{name}/")}
        arguments[name] = SimpleNamespace(**inside) if inside else values[name]
    return arguments


def _pack(tensors: Mapping[str, Tensor]) -> bytes:
    if not tensors:
        return b""
    try:
        # The same format from arrays costs a third of what it costs from tensors.
        return safetensors.numpy.save({name: tensor.numpy() for name, tensor in tensors.items()})
    except TypeError:
        return safetensors.torch.save(dict(tensors))  # numpy has no bfloat16


def say_mark(message: Mapping[str, Any]) -> None:
    """Print what a request says to print before it is answered, if it does: output may travel slower than answers."""
    # Past Python's own buffers; the student may have closed the descriptor.
    with contextlib.suppress(OSError):
        os.write(2, str(message.get("mark", "")).encode())


def _flush(stream: Any) -> None:
    # The student may have put anything in place of sys.stdout.
    with contextlib.suppress(Exception):
        stream.flush()


@dataclass
class TimedBlock:
    """Calls to make in one go, and what each gave."""

    thunks: Sequence[Callable[[], Any]]
    returned: Sequence[Any] = ()
    error: BaseException | None = field(default=None)

    def run(self) -> None:
        """Make all the calls."""
        try:
            self.returned = [thunk() for thunk in self.thunks]
        except BaseException as error:  # noqa: BLE001 # it is told when the block is looked at
            self.error = error

    def reply(self, index: int, gradients: Sequence[str], files: Collection[str]) -> Reply:
        """Return what one of the calls gave, as the answer to a single call."""
        return explain(self.error, files) if self.error is not None else gather(self.returned[index], gradients)


def function_block(
    function: Callable[..., Any], calls: Sequence[Mapping[str, Any]], guard: Guard, files: Collection[str]
) -> TimedBlock:
    """Return a block of calls of a student's function, which ends at the first one that calls autograd."""

    def thunk(arguments: Mapping[str, Any]) -> Callable[[], Any]:
        def run() -> Any:
            with guard.watch(files) as watch:
                returned = function(**arguments)
            if watch.refusal:
                raise AutogradRefusedError(watch.refusal)
            return returned

        return run

    return TimedBlock([thunk(arguments) for arguments in calls])


def autograd_block(
    forward: Mapping[str, str], calls: Sequence[Mapping[str, Any]], gradients: Sequence[str]
) -> TimedBlock:
    """Return a block of autograd's backward passes over a reference forward, given as source and name.

    The forward passes are run here, outside the timed part, on the inputs in each call's `cache`.
    """
    module: dict[str, Any] = {"torch": torch}
    exec(forward["source"], module)  # noqa: S102 # the course's own forward, in a child without student code
    names = [name.removeprefix("d") for name in gradients]

    def thunk(arguments: Mapping[str, Any]) -> Callable[[], Any]:
        values = SimpleNamespace(**vars(arguments["cache"]))
        leaves = [getattr(values, name).requires_grad_() for name in names]
        module[forward["name"]](values)
        output: Tensor = getattr(values, forward["output"])
        # Kept, so that every block goes back through the same graph.
        return lambda: torch.autograd.grad(output, leaves, retain_graph=True)

    return TimedBlock([thunk(arguments) for arguments in calls])
