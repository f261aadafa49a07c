"""The child's side of a conversation: requests come in, answers go out. Also played through before the first fork.

`answer` brings a submission and names the functions to call: all calls are made, and answered as they end, without
another word from the grader. `again` names calls to make once more and gradients whose line is wanted, and brings
inputs that nobody has seen for one more call of each function, and probes: random tensors to call functions with in
place of their gradients.
`prepare`, `load`, `run` and `show` are the conversation of a timed exercise; `prepare` and `step` that of training,
where each step brings the values of a forward pass.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from time import thread_time
from types import ModuleType
from typing import Any

from grader.sandbox.guest.call import Callee, Reply, Room, call, explain
from grader.sandbox.guest.files import Modules
from grader.sandbox.guest.formula import Written
from grader.sandbox.guest.guard import Guard
from grader.sandbox.guest.inputs import Form, Inputs, Maker, read_form, unpack_call, unpack_inputs
from grader.sandbox.guest.loading import trace_name
from grader.sandbox.guest.probe import Hooks, Prober, copy_function, describe
from grader.sandbox.guest.protocol import Frame, pack, read_frame, write_all
from grader.sandbox.guest.repair import read_settings, tell_changes
from grader.sandbox.guest.slices import Statements, find_statements
from grader.sandbox.guest.tensors import unpack_tensors
from grader.sandbox.guest.timed import TimedBlock, autograd_block, function_block

MAX_NAMES = 100
# Seconds for changes of all formulas of one gradient.
REPAIR_SECONDS = 1.2
# Seconds of a call from which on its operators are logged when it is made with new inputs; honest ones take 1 ms.
WORTH_A_LOG = 0.002
CLOCK = time.perf_counter

# What an answer says, and the tensors that go with it as bytes.
Part = tuple[dict[str, Any], bytes]


def respond(requests: int, answers: int, guard: Guard, inputs: Inputs = ()) -> None:
    """Answer every request that arrives on one descriptor, on the other, in order; each in its parts."""
    _keep_apart()
    child = Responder(guard, inputs)
    while (frame := read_frame(requests)) is not None:
        for number, (message, payload) in enumerate(child.answers(frame)):
            for stream in (sys.stdout, sys.stderr):
                _flush(stream)
            say_mark(frame.message["id"], number)
            write_all(answers, pack({"id": frame.message["id"], "part": number, **message}, payload))


# Kept: to take a module down costs more than to keep it.
_APART: list[ModuleType] = []


def _keep_apart() -> None:
    """Take our modules out of a submission's sight and give it builtins of its own: what it replaces, we don't call."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "grader"]:
        _APART.append(sys.modules.pop(name))
    copied = sys.modules["builtins"] = ModuleType("builtins")
    vars(copied).update(vars(builtins))


class Responder:
    """Does what requests ask, one after the other, in the process it is in."""

    def __init__(self, guard: Guard, inputs: Inputs = ()) -> None:
        self.guard = guard
        self.inputs = inputs
        self.modules = Modules({})
        self.statements: dict[str, Statements] = {}  # exercises that are no functions
        self.callees: dict[int, Callee] = {}
        self.seconds: dict[int, float] = {}  # of the longest call of each
        self.places: dict[int, tuple[str, str]] = {}  # file and name of each of them
        self.unwritten: set[int] = set()
        self.timed: Any = None
        self.form = Form(())
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
            case "load":
                calls = self._unpack(message, payload)
                self.block = function_block(self.timed, calls, self.guard, self.modules.sources)
                yield {}, b""
            case "run":
                self.block.run()
                yield {}, b""
            case "step":
                callee = Callee(self.timed, self.form, message["gradients"], self.modules.sources, _room(message))
                reply = call(callee, unpack_call(message, memoryview(payload)), self.guard)
                yield _answered(reply), reply.payload
            case "show":
                reply = self.block.reply(message["index"], message["gradients"], self.modules.sources, _room(message))
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
        self.modules = Modules(sources, message["wanted"], message.get("first", ""))
        self.guard.begin(self.modules.sources)
        unreadable = {file: [problem.text, problem.line] for file, problem in self.modules.unreadable.items()}
        written = sorted(set(self.modules.files).difference(sources))
        self.statements = find_statements(
            self.modules, message.get("statements", ()), lambda index: self.inputs[index][0].values
        )
        defines = {file: list(names) for file, names in self.modules.defines.items()}
        for function, found in self.statements.items():
            defines[found.file].append(function)
        findings = [
            [file, place, each.kind, each.line, each.sentence, each.within]
            for file in self.modules.files
            for place in [file, *self.modules.parts(file)]
            for each in self.modules.findings.pop(place, ())
        ]
        said = {"unreadable": unreadable, "defines": defines, "written": written}
        return {**said, "findings": findings[:MAX_NAMES]}

    def _answer(self, question: Mapping[str, Any], lost: Collection[str]) -> Iterator[Part]:
        """Find a function in one of the files that may define it, and make all calls of it.

        Files that the grader has seen to end a child are passed over.
        """
        function, index = question["function"], question["index"]
        if question.get("is_statements"):
            yield from self._answer_with_statements(question)
            return
        others: list[str] = []
        for file in self.modules.candidates(function, question["home"]):
            if file in lost or file in self.modules.unreadable:
                continue
            if not self.modules.is_loaded(file):
                # So that the grader knows which file it was, if nothing comes after this.
                yield {"loading": file}, b""
                with self.guard.loading(file):
                    self.modules.load(file)
            found = self.modules.function(file, function)
            if found is not None:
                rivals = self.modules.rivals(function, file, question["home"])[:MAX_NAMES]
                # Said with the first function of a file: with each, it would drown what is said of them.
                stopped = self._stopped(file) if file not in dict(self.places.values()) else None
                yield {"found": file, "stopped": stopped, "rivals": rivals}, b""
                self.places[index] = file, function
                maker = self._maker(question.get("maker"), file)
                form, gradients = read_form(question), question["gradients"]
                self.callees[index] = Callee(found, form, gradients, self.modules.sources, _room(question), maker)
                for number in question["order"]:
                    started = CLOCK()
                    reply = call(self.callees[index], self.inputs[index][number], self.guard)
                    if reply.outcome == "returned":  # of a call that was refused something there is no more to know
                        self.seconds[index] = max(CLOCK() - started, self.seconds.get(index, 0.0))
                    if reply.outcome == "not_written":
                        self.unwritten.add(index)
                    reply.message = trace_name(reply.message, partial(self.modules.failure, file), _reason)
                    yield _answered(reply), reply.payload
                return
            others += self.modules.other_functions(file)
        stopped = {file: self._stopped(file, function) for file in self.modules.failures}
        yield {"found": None, "others": others[:MAX_NAMES], "stopped": stopped}, b""

    def _maker(self, described: Sequence[Any] | None, file: str) -> Maker | None:
        """Return the function that makes a cache, from the file with the function that takes it."""
        return Maker(self.modules.function(file, described[0]), *described) if described else None

    def _answer_with_statements(self, question: Mapping[str, Any]) -> Iterator[Part]:
        index, found = question["index"], self.statements.get(question["function"])
        if found is None:
            stopped = {file: self._stopped(file) for file in self.modules.failures}
            yield {"found": None, "others": [], "stopped": stopped}, b""
            return
        yield {"loading": found.file}, b""
        found.load()
        yield {"found": found.file, "stopped": None}, b""
        form = replace(read_form(question), is_numpy=found.is_numpy)
        self.callees[index] = Callee(found, form, question["gradients"], self.modules.sources)
        for number in question["order"]:
            yield self._said(call(self.callees[index], self.inputs[index][number], self.guard), index)

    def _said(self, reply: Reply, index: int) -> Part:
        """Return a reply as an answer; of statements, with the part of the file where they were found."""
        found = self.callees[index].function
        if isinstance(found, Statements):
            reply.message = trace_name(reply.message, found.failures.get, _reason)
            if reply.outcome == "returned":
                reply.message = found.summary
            if reply.file == found.file:
                reply.file, reply.line = found.place(reply.line)
        return _answered(reply), reply.payload

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

    def _again(self, message: Mapping[str, Any], payload: bytes | bytearray) -> Iterator[Part]:
        """Say which lines made some gradients, then make some calls once more: as they were, and with probes."""
        yield {"lines": [self._lines(each) for each in message["lines"]]}, b""
        parts = memoryview(payload)
        for each in message["calls"]:
            index = each["index"]
            callee, repeated = self.callees[index], self.inputs[index][each["number"]]
            own, parts = parts[: each["length"]], parts[each["length"] :]
            fresh = unpack_call(each, own) if each["tensors"] else repeated
            # What is fast is logged in a few functions that are drawn now: nobody knows which.
            reply = call(callee, fresh, self.guard, logged=self._is_logged(index) or each["repeat"])
            if reply.is_cut_short:
                found, reply = reply.flags, call(callee, fresh, self.guard)
                reply.flags += found
            yield self._said(reply, index)
            if each["repeat"]:
                yield self._said(call(callee, repeated, self.guard), index)
        for each in message["probed"]:
            index = each["index"]
            callee = self.callees[index]
            prober = Prober(callee, self._copier(index), self.guard, is_logged=self._is_logged(index))
            for case in each["cases"]:
                own, parts = parts[: case["length"]], parts[case["length"] :]
                probes = unpack_tensors(case["tensors"], own, callee.gradients)
                sums = []
                for about in case["sums"]:
                    own, parts = parts[: about["length"]], parts[about["length"] :]
                    sums.append(unpack_tensors(about["tensors"], own, callee.gradients))
                runs = prober.probe(self.inputs[index][case["number"]], probes, each["replaced"], sums)
                described = list(map(describe, runs))
                said = {"runs": [said for said, _ in described], "flags": prober.flags[:MAX_NAMES]}
                prober.flags = []
                yield said, b"".join(data for _, data in described)
        left = REPAIR_SECONDS
        for each in message["repairs"]:
            settings, parts = read_settings(each, parts, self.inputs[each["index"]])
            started, callee = thread_time(), self.callees[each["index"]]
            yield tell_changes(each, callee, settings, self._written(each["index"]), self.guard, left), b""
            left -= thread_time() - started if len(each["gradients"]) == 1 else 0.0

    def _written(self, index: int) -> Written | None:
        """Return a function as it is written, with what is around it; None if its text is not there."""
        callee = self.callees[index]
        if isinstance(found := callee.function, Statements):
            return Written(found.definition, callee.gradients, {}, found.namespace, lambda line: found.place(line)[1])
        file, name = self.places[index]
        definition = self.modules.definition(file, name, callee.function)
        helpers = {other: each for other, each in self.modules.definitions(file).items() if other != name}
        around = vars(self.modules.loaded[file])
        return Written(definition, callee.gradients, helpers, around) if definition is not None else None

    def _is_logged(self, index: int) -> bool:
        """Return whether the operators of a function's further calls are logged."""
        return not self.guard.refuses_kernels or self.seconds.get(index, 0.0) > WORTH_A_LOG

    def _lines(self, asked: Mapping[str, Any]) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
        found = self.statements.get(asked["function"])
        if found is not None:
            return found.file, found.lines(asked["gradients"]), {}
        if asked["index"] in self.unwritten and not self.callees[asked["index"]].has_begun:
            return asked["home"], {}, {}
        return self.modules.lines(asked["function"], asked["gradients"], asked["home"])

    def _copier(self, index: int) -> Callable[[Hooks], Any]:
        callee = self.callees[index]
        if isinstance(callee.function, Statements):
            return callee.function.hooked
        return partial(copy_function, self.modules, callee.gradients, *self.places[index])

    def _prepare(self, message: Mapping[str, Any], payload: bytes | bytearray) -> TimedBlock:
        """Set up a block of calls to be timed: of the student's function, or of autograd on a reference forward."""
        self.form = read_form(message)
        calls = [each.give(self.form).arguments for each in self.inputs[message["index"]]]
        if message["forward"] is not None:
            return autograd_block(message["forward"], calls, message["gradients"])
        self._look(message, payload)
        with self.guard.loading(message["file"]):
            self.modules.load(message["file"])
        self.timed = self.modules.function(message["file"], message["function"])
        return function_block(self.timed, calls, self.guard, self.modules.sources)

    def _unpack(self, message: Mapping[str, Any], payload: bytes | bytearray) -> list[Mapping[str, Any]]:
        """Return the arguments of calls that a message brings, in objects of their own."""
        calls: list[Mapping[str, Any]] = []
        parts = memoryview(payload)
        for each in message["calls"]:
            own, parts = parts[: each["length"]], parts[each["length"] :]
            calls.append(unpack_call(each, own).give(self.form).arguments)
        return calls


def _room(question: Mapping[str, Any]) -> Room:
    return dict(zip(question["gradients"], question["room"], strict=False))


def _answered(reply: Reply) -> dict[str, Any]:
    return {
        "outcome": reply.outcome,
        "tensors": reply.tensors,
        "notes": reply.notes,
        "flags": reply.flags,
        **_where(reply),
    }


def _reason(error: BaseException) -> str:
    return explain(error, ()).message


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
