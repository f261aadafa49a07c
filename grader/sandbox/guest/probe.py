"""A student's function called with random tensors in place of its gradients. Runs in the confined child only.

Hooks see what is assigned to each gradient (`rewrite`). A first run finds out behind which assignment the gradient is
what the function returns; a second one notes there what the student's statement made, and puts the probe in its place.
So every step works on numbers that the grader drew, whatever went wrong before it.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from grader.sandbox.guest import arrays
from grader.sandbox.guest.call import Callee, call
from grader.sandbox.guest.files import Modules
from grader.sandbox.guest.guard import Guard
from grader.sandbox.guest.inputs import Call
from grader.sandbox.guest.rewrite import HOOKS, rewrite
from grader.sandbox.guest.tensors import KINDS, pack_tensors, unpack_tensors

MAX_EVENTS = 20_000
MAX_BYTES = 1 << 26
# Signs of autograd: a run in which there are any earns nothing.
VOID = frozenset({"autograd_graph"})
WITH_PROBES = "autograd_with_probes"


@dataclass(frozen=True)
class Event:
    """A gradient was assigned, or handed on: at which site, how manieth event of all, and what it was after that."""

    site: int
    number: int
    is_copy: bool
    value: Tensor | None


@dataclass
class Run:
    """One run: what the hooks saw, and where they put probes.

    `plan` says behind which event of each gradient, counted from 0, its probe goes in. A trial also puts one wherever
    a gradient is None or its statement raises, one that `mends` also where its shape or dtype is wrong: what comes
    behind is to be reached.
    """

    probes: Mapping[str, Tensor]
    plan: Mapping[str, int]
    is_trial: bool
    mends: bool = False
    events: dict[str, list[Event]] = field(default_factory=dict)
    made: dict[str, Tensor | None] = field(default_factory=dict)
    count: int = 0
    is_complete: bool = False
    has_failed: bool = False
    is_void: bool = False
    returned: Mapping[str, Tensor] = field(default_factory=dict)

    def stand_in(self, gradient: str) -> Tensor:
        """Return something to go on with, each time something else: what is returned shows where it came from."""
        return self.probes[gradient] * (2.0 + self.count)


class Hooks:
    """What the rewritten functions call; `run` is the one that is under way. In numpy, arrays go in and out."""

    def __init__(self, *, is_numpy: bool = False) -> None:
        self.run = Run({}, {}, is_trial=True)
        self._is_numpy = is_numpy

    def note(self, gradient: str, value: Any, site: int, is_copy: bool = False) -> Any:  # noqa: FBT001, FBT002, RUF100
        """See what a gradient is now, and return what it shall be."""
        run = self.run
        events = run.events.setdefault(gradient, [])
        planned = run.plan.get(gradient) == len(events)
        if planned:
            run.made[gradient] = self._plain(value)
        if planned:
            value = self._handed(run.probes[gradient].clone())
        elif run.is_trial and (value is None or (run.mends and not self._is_like(value, run.probes[gradient]))):
            value = self._handed(run.stand_in(gradient))
            run.has_failed = True  # or would have, at whatever reads it
        run.count += 1
        if run.count > MAX_EVENTS:
            raise RuntimeError("too many assignments to be looked at")
        seen = self._plain(value)
        if events and _is_same(seen, events[-1].value):
            seen = events[-1].value  # and no second copy of it is kept
        events.append(Event(site, run.count, is_copy, seen))
        return value

    def make(self, gradient: str, made: Callable[[], Any], site: int) -> Any:
        """Do the same for a gradient that is made within an expression, which may raise."""
        try:
            value = made()
        except Exception:  # noqa: BLE001 # as behind a statement
            return self.failed(gradient, site)
        return self.note(gradient, value, site)

    def failed(self, gradient: str, site: int) -> Any:
        """Go on with a probe, whatever the run: the statement that was to make this gradient raised."""
        self.lost()
        value = self.note(gradient, None, site)
        return self._handed(self.run.stand_in(gradient)) if value is None else value

    def attempt(self, made: Callable[[], Any]) -> Any:
        """Return a part of what a function returns, or None if making it raises."""
        try:
            return made()
        except Exception:  # noqa: BLE001 # as behind a statement
            self.lost()
            return None

    def lost(self) -> None:
        """See that a statement raised."""
        self.run.has_failed = True

    def item(self, holder: Any, key: Any, site: int) -> None:
        """See what was put into a dict under a name that only the run shows."""
        if type(key) is str and key in self.run.probes and isinstance(holder, dict):
            holder[key] = self.note(key, holder[key], site)

    def _handed(self, tensor: Tensor) -> Any:
        return arrays.as_array(tensor) if self._is_numpy else tensor

    def _plain(self, value: Any) -> Tensor | None:
        if not self._is_numpy:
            return plain(value)
        found = arrays.find_array(value)
        return None if isinstance(found, str) or found.nbytes > MAX_BYTES else arrays.as_tensor(found)

    def _is_like(self, value: Any, probe: Tensor) -> bool:
        seen = self._plain(value) if self._is_numpy else value
        return isinstance(seen, Tensor) and seen.shape == probe.shape and seen.dtype == probe.dtype


class Prober:
    """A submission's function with hooks, ready to be called; `flags` are what there is to suspect in its calls."""

    def __init__(self, callee: Callee, copy: Callable[[Hooks], Any], guard: Guard, *, is_logged: bool = False) -> None:
        self._guard = guard
        self._is_logged = is_logged
        self.flags: list[list[str]] = []
        self._hooks = Hooks(is_numpy=callee.form.is_numpy)
        # A default or a decorator runs here again: it is watched like a call.
        with guard.watch(callee.files) as watch:
            found = copy(self._hooks)
        self.is_ready = callable(found) and not watch.refusal
        self._copy = replace(callee, function=found) if callable(found) else callee

    def probe(
        self,
        asked: Call,
        probes: Mapping[str, Tensor],
        replaced: Collection[str],
        sums: Sequence[Mapping[str, Tensor]] = (),
    ) -> Iterator[Run]:
        """Yield a run without probes, then what came of one with them behind the gradients in `replaced`.

        Nothing, if it can't be had. Where the student's shape differs from the true one by axes of size 1, the next
        lines may count on it: a further run has the probes in their shape. Of `sums` each makes one run more, in which
        these stand behind their gradients, too.
        """
        if not self.is_ready:
            return
        trial = self._try_out(asked, probes)
        if trial.is_void:
            return
        yield trial
        plan = _plan(trial, replaced)
        run = self._call(asked, probes, plan)
        lost = {name for name in plan if run.is_complete and not is_kept(name, run)}
        if lost:
            # It was made once more with the same result, or by something that changed nothing in the trial.
            plan = {**plan, **_plan(trial, lost, at_last=True)}
            run = self._call(asked, probes, plan)
        if run.is_void:
            return
        yield run
        reshaped = {
            name: probes[name].reshape(made.shape)
            for name, made in run.made.items()
            if made is not None and made.shape != probes[name].shape and squeezed(made) == squeezed(probes[name])
        }
        if reshaped and not (run := self._call(asked, {**probes, **reshaped}, plan)).is_void:
            yield run
        for each in sums:
            run = self._call(asked, {**probes, **each}, {**plan, **_plan(trial, each)})
            if run.is_void:
                return
            yield run

    def _try_out(self, asked: Call, probes: Mapping[str, Tensor]) -> Run:
        """Return a run that shows where each gradient is made, up to the end if that can be had."""
        trial = self._call(asked, probes, {}, is_trial=True)
        return trial if trial.is_complete else self._call(asked, probes, {}, is_trial=True, mends=True)

    def _call(
        self,
        asked: Call,
        probes: Mapping[str, Tensor],
        plan: Mapping[str, int],
        *,
        is_trial: bool = False,
        mends: bool = False,
    ) -> Run:
        run = self._hooks.run = Run(probes, plan, is_trial, mends)
        reply = call(self._copy, asked, self._guard, logged=self._is_logged)
        if reply.is_cut_short:
            self.flags += reply.flags
            run = self._hooks.run = Run(probes, plan, is_trial, mends)
            reply = call(self._copy, asked, self._guard)
        self.flags += reply.flags
        if reply.outcome == "autograd_used":
            # No verdict says so: those are of the plain calls, in which it was not.
            self.flags.append([WITH_PROBES, f"line {reply.line or '?'}: {reply.message}"])
        room = self._copy.room
        run.made = {name: value for name, value in run.made.items() if value is None or _fits(value, room.get(name))}
        run.is_complete = reply.outcome == "returned"
        run.is_void = reply.outcome == "autograd_used" or any(kind in VOID for kind, _ in reply.flags)
        with contextlib.suppress(Exception):  # what could not be packed is not there
            run.returned = unpack_tensors(reply.tensors, bytearray(reply.payload), self._copy.gradients)
        return run


def _fits(value: Tensor, room: Sequence[int] | None) -> bool:
    return room is None or (value.numel() <= room[0] and value.dim() <= room[1])


def describe(run: Run) -> tuple[dict[str, Any], bytes]:
    """Return what a run showed as a message and its tensors.

    Of a gradient with a probe behind it, that is what the student's statement made, if the probe was returned in its
    place; of any other, what was returned.
    """
    values: dict[str, Tensor] = {}
    for name, made in run.made.items():
        if made is not None and (is_kept(name, run) or not run.is_complete):
            values[name] = made
    values |= {name: value for name, value in run.returned.items() if name not in run.made}
    entries, data = pack_tensors(values)
    return {"placed": sorted(run.made), "tensors": entries, "length": len(data), **_ended(run)}, data


def _ended(run: Run) -> dict[str, bool]:
    return {"complete": run.is_complete, "failed": run.has_failed}


def is_kept(name: str, run: Run) -> bool:
    """Return whether what a run returned under a name is the probe."""
    back = run.returned.get(name)
    return back is not None and _is_same(back.reshape(-1), run.probes[name].reshape(-1))


def plain(value: Any) -> Tensor | None:
    """Return a copy of a tensor that can travel, or None for anything else."""
    if not isinstance(value, Tensor):
        return None
    try:
        with torch._C.DisableTorchFunctionSubclass():
            is_dense = value.layout is torch.strided and not value.is_quantized and value.device.type == "cpu"
            if not is_dense or value.dtype not in KINDS.values() or value.numel() * value.element_size() > MAX_BYTES:
                return None
            return value.detach().resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format)
    except (RuntimeError, TypeError, NotImplementedError):
        return None


def squeezed(tensor: Tensor) -> list[int]:
    """Return a tensor's shape without its axes of size 1."""
    return [size for size in tensor.shape if size != 1]


def _plan(run: Run, names: Collection[str], *, at_last: bool = False) -> dict[str, int]:
    """Return behind which event each gradient was what the function returned; without those that never were.

    Where several statements left it like that, it is the first of them, or the last.
    """
    found: dict[str, int] = {}
    for name in names:
        events, back = run.events.get(name, []), run.returned.get(name)
        same = [place for place, event in enumerate(events) if _is_same(event.value, back)]
        if not run.is_complete:
            same = [len(events) - 1] if events else []  # nothing says which it is
        block = [place for place in same if events[place].value is events[same[-1]].value]
        # What only has it already, a dict that is returned say, stands behind those that have read it.
        made = [place for place in block if not events[place].is_copy] or block[:1]
        if not made:
            continue
        first = [place for place in made if events[place].site == events[made[0]].site]
        place = made[-1] if at_last else first[-1]
        if not _is_interleaved(name, events[place].site, run):
            found[name] = place
    return found


def _is_interleaved(name: str, site: int, run: Run) -> bool:
    """Return whether a loop makes this gradient piece by piece together with others.

    They read pieces before the last one is there, behind which the probe would stand.
    """
    own = [event.number for event in run.events[name] if event.site == site]
    others = [
        event.number for other, events in run.events.items() if other != name for event in events if not event.is_copy
    ]
    return len(own) > 1 and any(own[0] < number < own[-1] for number in others)


def _is_same(first: Tensor | None, second: Tensor | None) -> bool:
    """Return whether two tensors are the same bit for bit, or neither is one."""
    if first is None or second is None:
        return first is second
    if first.dtype != second.dtype or first.shape != second.shape:
        return False
    first, second = first.contiguous().reshape(-1), second.contiguous().reshape(-1)
    return torch.equal(first.view(torch.uint8), second.view(torch.uint8))


def copy_function(modules: Modules, gradients: Sequence[str], file: str, function: str, hooks: Hooks) -> Any:
    """Return a function of a submission with hooks in it and in all that it calls; None if it can't be had."""
    return _copies(modules, gradients, hooks).get(file, {}).get(function)


def _copies(modules: Modules, gradients: Sequence[str], hooks: Hooks) -> dict[str, dict[str, Any]]:
    """Return what is in each loaded file, its functions and classes with hooks.

    The rest of a file does not run again. What another file has imported by name or as a module, has hooks there, too.
    """
    copies: dict[str, dict[str, Any]] = {}
    renewed: dict[int, Any] = {}
    for file, module in modules.loaded.items():
        called: dict[str, Any] = {}
        copy = ModuleType(module.__name__)
        copies[file] = copy.__dict__
        copy.__dict__.update(vars(module))
        copy.__dict__[HOOKS] = hooks
        renewed[id(module)] = copy
        for part in modules.parts(file):
            for statement in _rewritten(modules.sources[part], gradients):
                # As at first: one that fails leaves what there is.
                with contextlib.suppress(Exception):
                    exec(compile(ast.Module([statement], []), part, "exec", dont_inherit=True), copy.__dict__)  # noqa: S102
                    if isinstance(statement, ast.FunctionDef) and _is_made_by(vars(module), statement, part):
                        called[statement.name] = copy.__dict__[statement.name]
        # Of several definitions the one that ran last in the submission, a stub in a later cell is none.
        copy.__dict__.update(called)
        for name, value in vars(module).items():
            if copy.__dict__[name] is not value:
                renewed.setdefault(id(value), copy.__dict__[name])
    for copied in copies.values():
        for name, value in list(copied.items()):
            if id(value) in renewed and not name.startswith("__"):
                copied[name] = renewed[id(value)]
    return copies


def _is_made_by(names: Mapping[str, Any], statement: ast.FunctionDef, part: str) -> bool:
    """Return whether what a loaded file has under a function's name was made by this definition."""
    code = inspect.unwrap(names[statement.name]).__code__
    first = min([statement.lineno, *(each.lineno for each in statement.decorator_list)])
    return bool(code.co_filename == part and code.co_firstlineno == first)


def _rewritten(source: bytes, gradients: Sequence[str]) -> list[ast.stmt]:
    try:
        return rewrite(ast.parse(source), gradients)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
