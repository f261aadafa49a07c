"""The child's side of a conversation: requests come in, answers go out. Also played through before the first fork.

`answer` brings a submission and names the functions to call: all calls are made, and answered as they end, without
another word from the grader. `again` names calls to make once more, gradients whose line is wanted, and brings probes:
random tensors to call functions with in place of their gradients.
`prepare`, `run` and `show` are the conversation of a timed exercise.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from grader.sandbox.guest.call import Callee, Reply, call, explain, gather
from grader.sandbox.guest.files import Modules
from grader.sandbox.guest.guard import AutogradRefusedError, Guard
from grader.sandbox.guest.inputs import Inputs, unpack_inputs
from grader.sandbox.guest.probe import Prober, describe
from grader.sandbox.guest.protocol import Frame, pack, read_frame, unpack_tensors, write_all

MAX_NAMES = 100
MAX_REASON = 300
_UNKNOWN_NAME = re.compile(r"NameError: name '(\w+)' is not defined")

# What an answer says, and the tensors that go with it as bytes.
Part = tuple[dict[str, Any], bytes]


def respond(requests: int, answers: int, guard: Guard, inputs: Inputs = ()) -> None:
    """Answer every request that arrives on one descriptor, on the other, in order; each in its parts."""
    child = Responder(guard, inputs)
    while (frame := read_frame(requests)) is not None:
        for number, (message, payload) in enumerate(child.answers(frame)):
            for stream in (sys.stdout, sys.stderr):
                _flush(stream)
            say_mark(frame.message["id"], number)
            write_all(answers, pack({"id": frame.message["id"], "part": number, **message}, payload))


class Responder:
    """Does what requests ask, one after the other, in the process it is in."""

    def __init__(self, guard: Guard, inputs: Inputs = ()) -> None:
        self.guard = guard
        self.inputs = inputs
        self.modules = Modules({})
        self.callees: dict[int, Callee] = {}
        self.places: dict[int, tuple[str, str]] = {}  # file and name of each of them
        self.block = TimedBlock((), ())

    def answers(self, frame: Frame) -> Iterator[Part]:
        """Yield the parts of the answer to a request."""
        message, payload = frame.message, frame.payload
        match message["do"]:
            case "inputs":
                assert isinstance(payload, bytearray)
                self.inputs = unpack_inputs(message, payload)
                yield {}, b""
            case "look":
                yield self._look(message, payload), b""
            case "answer":
                yield self._look(message, payload), b""
                for question in message["questions"]:
                    yield from self._answer(question, frozenset(message["lost"]))
            case "again":
                yield from self._again(message, payload)
            case "prepare":
                self.block = self._prepare(message, payload)
                yield {}, b""
            case "run":
                self.block.run()
                yield {}, b""
            case "show":
                reply = self.block.reply(message["index"], message["gradients"], self.modules.sources)
                reply.pack()
                yield _answered(reply), reply.payload
            case unknown:
                raise ValueError(unknown)

    def _look(self, message: Mapping[str, Any], payload: bytes | bytearray) -> dict[str, Any]:
        """Take a submission's files and say what is in them, before a line of theirs has run."""
        sources, start = {}, 0
        for name, length in message["files"]:
            sources[name] = bytes(payload[start : start + length])
            start += length
        self.modules = Modules(sources, message["wanted"])
        unreadable = {file: [problem.text, problem.line] for file, problem in self.modules.unreadable.items()}
        written = sorted(set(self.modules.files).difference(sources))
        return {"unreadable": unreadable, "defines": self.modules.defines, "written": written}

    def _answer(self, question: Mapping[str, Any], lost: Collection[str]) -> Iterator[Part]:
        """Find a function in one of the files that may define it, and make all calls of it.

        Files that the grader has seen to end a child are passed over.
        """
        function, index = question["function"], question["index"]
        others: list[str] = []
        for file in self.modules.candidates(function, question["home"]):
            if file in lost or file in self.modules.unreadable:
                continue
            if not self.modules.is_loaded(file):
                # So that the grader knows which file it was, if nothing comes after this.
                yield {"loading": file}, b""
                self.modules.load(file)
            found = self.modules.function(file, function)
            if found is not None:
                rivals = self.modules.rivals(function, file, question["home"])[:MAX_NAMES]
                # Said with the first function of a file: with each, it would drown what is said of them.
                stopped = self._stopped(file) if file not in dict(self.places.values()) else None
                yield {"found": file, "stopped": stopped, "rivals": rivals}, b""
                self.places[index] = file, function
                self.callees[index] = Callee(found, question["given"], question["gradients"], self.modules.sources)
                for number in question["order"]:
                    reply = call(self.callees[index], self.inputs[index][number], self.guard)
                    self._trace_name(reply, file)
                    yield _answered(reply), reply.payload
                return
            others += self.modules.other_functions(file)
        stopped = {file: self._stopped(file, function) for file in self.modules.failures}
        yield {"found": None, "others": others[:MAX_NAMES], "stopped": stopped}, b""

    def _stopped(self, file: str, function: str | None = None) -> dict[str, Any] | None:
        """Say which statement of a file failed: the one that was to define a function, or the first."""
        failure = self.modules.failure(file, function) or self.modules.failure(file)
        if failure is None:
            return None
        reply = explain(failure.error, self.modules.sources)
        if reply.line is None:
            reply.file, reply.line = failure.part, failure.line or None
        place = {"part": failure.part, "at": failure.line, "ends": failure.is_end}
        return {"outcome": reply.outcome, **_where(reply), **place}

    def _trace_name(self, reply: Reply, file: str) -> None:
        """Say of a name that is not there which statement was to make it, if that failed."""
        unknown = _UNKNOWN_NAME.match(reply.message) if reply.outcome == "raised" else None
        failure = self.modules.failure(file, unknown[1]) if unknown else None
        if unknown and failure is not None:
            reason = explain(failure.error, ()).message[:MAX_REASON]
            reply.message += f"; {failure.describe()}, which makes {unknown[1]}, failed: {reason}"

    def _again(self, message: Mapping[str, Any], payload: bytes | bytearray) -> Iterator[Part]:
        """Say which lines made some gradients, then make some calls once more: as they were, and with probes."""
        lines = [self.modules.lines(each["function"], each["gradients"], each["home"]) for each in message["lines"]]
        yield {"lines": lines}, b""
        for index, number in message["repeated"]:
            reply = call(self.callees[index], self.inputs[index][number], self.guard)
            yield _answered(reply), reply.payload
        parts = memoryview(payload)
        for each in message["probed"]:
            index = each["index"]
            callee = self.callees[index]
            prober = Prober(self.modules, callee, *self.places[index], self.guard)
            for case in each["cases"]:
                own, parts = parts[: case["length"]], parts[case["length"] :]
                probes = unpack_tensors(case["tensors"], own, callee.gradients)
                runs = map(describe, prober.probe(self.inputs[index][case["number"]], probes, each["replaced"]))
                described = list(runs)
                yield {"runs": [said for said, _ in described]}, b"".join(data for _, data in described)

    def _prepare(self, message: Mapping[str, Any], payload: bytes | bytearray) -> TimedBlock:
        """Set up a block of calls to be timed: of the student's function, or of autograd on a reference forward."""
        calls = [each.arguments(message["given"]) for each in self.inputs[message["index"]]]
        if message["forward"] is not None:
            return autograd_block(message["forward"], calls, message["gradients"])
        self._look(message, payload)
        self.modules.load(message["file"])
        function = self.modules.function(message["file"], message["function"])
        return function_block(function, calls, self.guard, self.modules.sources)


def _answered(reply: Reply) -> dict[str, Any]:
    return {
        "outcome": reply.outcome,
        "tensors": reply.tensors,
        "notes": reply.notes,
        "flags": reply.flags,
        **_where(reply),
    }


def _where(reply: Reply) -> dict[str, Any]:
    return {"message": reply.message, "file": reply.file, "line": reply.line, "source": reply.source}


def say_mark(request: str, part: int) -> None:
    """Print a mark behind what was printed for a part of an answer: that is how the grader knows what belongs to it."""
    # Past Python's own buffers; the student may have closed the descriptor.
    with contextlib.suppress(OSError):
        os.write(2, f"[{request} {part}]".encode())


def _flush(stream: Any) -> None:
    # The student may have put anything in place of sys.stdout.
    with contextlib.suppress(Exception):
        stream.flush()


@dataclass
class TimedBlock:
    """Calls to make in one go, timed from outside: all is ready before, nothing is looked at until after."""

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
            with guard.watch(files) as watch, guard.inference:
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

    It runs in a sibling without a line of a student's. The forward passes are run here, outside the timed part, on the
    inputs in each call's `cache`.
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
