"""The child's loop: requests come in, answers go out, until the pipe closes. Runs in the confined child only."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import safetensors.torch
from torch import Tensor

from grader.sandbox.block import Block, autograd_block, function_block
from grader.sandbox.calling import Reply, call, explain
from grader.sandbox.frames import Frame, pack, read_frame, write_all
from grader.sandbox.guard import Guard
from grader.sandbox.modules import Modules


def respond(requests: int, answers: int) -> None:
    """Answer every request that arrives on one descriptor, on the other, in order."""
    child = _Child()
    while (frame := read_frame(requests)) is not None:
        message, payload = child.handle(frame)
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)
        say_mark(frame.message)
        write_all(answers, pack({"id": frame.message["id"], **message}, payload))


class _Child:
    def __init__(self) -> None:
        self.modules = Modules({})
        self.block = Block((), ())
        self.guard = Guard()

    def handle(self, frame: Frame) -> tuple[dict[str, Any], bytes]:
        message = frame.message
        match message["do"]:
            case "files":
                return self._take_files(message, frame.payload), b""
            case "load":
                return self._load(message), b""
            case "call":
                return self._call(message, frame.payload)
            case "prepare":
                self.block = self._prepare(message, frame.payload)
                return {}, b""
            case "run":
                self.block.run()
                return {}, b""
            case "show":
                return self._answer(self.block.reply(message["index"], message["gradients"], self.modules.sources))
            case "nothing":
                return {}, b""
        raise ValueError(message["do"])

    def _take_files(self, message: Mapping[str, Any], payload: bytes) -> dict[str, Any]:
        sources, start = {}, 0
        for name, length in message["files"]:
            sources[name] = payload[start : start + length]
            start += length
        self.modules = Modules(sources, message["wanted"])
        unreadable = {file: [problem.text, problem.line] for file, problem in self.modules.unreadable.items()}
        wanted = set(message["wanted"])
        defines = {file: sorted(wanted.intersection(names)) for file, names in self.modules.defines.items()}
        written = sorted(set(self.modules.files).difference(sources))
        lines = self.modules.lines
        return {"unreadable": unreadable, "defines": defines, "written": written, "lines": lines}

    def _load(self, message: Mapping[str, Any]) -> dict[str, Any]:
        file = message["file"]
        stopped = self.modules.load(file)
        answer: dict[str, Any] = {
            "functions": [name for name in message["wanted"] if self.modules.function(file, name) is not None]
        }
        if stopped is not None:
            reply = explain(stopped, self.modules.sources)
            answer["stopped"] = {"outcome": reply.outcome, **_where(reply)}
        return answer

    def _call(self, message: Mapping[str, Any], payload: bytes) -> tuple[dict[str, Any], bytes]:
        reply = self._call_once(message, payload, logged=message["logged"])
        if reply.is_cut_short:
            found, reply = reply.flags, self._call_once(message, payload, logged=False)
            reply.flags += found
        return self._answer(reply)

    def _call_once(self, message: Mapping[str, Any], payload: bytes, *, logged: bool) -> Reply:
        function = self.modules.function(message["file"], message["function"])
        arguments = _arguments(message, safetensors.torch.load(payload))
        return call(function, arguments, message["gradients"], self.modules.sources, self.guard, logged=logged)

    def _answer(self, reply: Reply) -> tuple[dict[str, Any], bytes]:
        answer = {"outcome": reply.outcome, "notes": reply.notes, "flags": reply.flags, **_where(reply)}
        return answer, safetensors.torch.save(reply.tensors) if reply.tensors else b""

    def _prepare(self, message: Mapping[str, Any], payload: bytes) -> Block:
        """Set up a block of calls to be timed: of the student's function, or of autograd on a reference forward."""
        calls = []
        for numbers, length in zip(message["numbers"], message["lengths"], strict=True):
            calls.append(_arguments({**message, "numbers": numbers}, safetensors.torch.load(payload[:length])))
            payload = payload[length:]
        if message["forward"] is not None:
            return autograd_block(message["forward"], calls, message["gradients"])
        function = self.modules.function(message["file"], message["function"])
        return function_block(function, calls, self.guard, self.modules.sources)


def _where(reply: Reply) -> dict[str, Any]:
    return {"message": reply.message, "file": reply.file, "line": reply.line, "source": reply.source}


def _arguments(message: Mapping[str, Any], tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Put the arguments together again: `cache/probs` is the value probs of the namespace cache."""
    values: dict[str, Any] = {**tensors, **message["numbers"]}
    arguments: dict[str, Any] = {}
    for name in message["given"]:
        inside = {key.partition("/")[2]: value for key, value in values.items() if key.startswith(f"{name}/")}
        arguments[name] = SimpleNamespace(**inside) if inside else values[name]
    return arguments


def say_mark(message: Mapping[str, Any]) -> None:
    """Print what a request says to print before it is answered, if it does: output may travel slower than answers."""
    # Past Python's own buffers; the student may have closed the descriptor.
    with contextlib.suppress(OSError):
        os.write(2, str(message.get("mark", "")).encode())


def _flush(stream: Any) -> None:
    # The student may have put anything in place of sys.stdout.
    with contextlib.suppress(Exception):
        stream.flush()
