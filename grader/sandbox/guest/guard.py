"""Autograd is refused while a graded call runs. Runs in the confined child, and in the rehearsal.

Four layers, each for what passes the one before it:

* Inference mode is on. Beside `no_grad` it costs the same, counts changes of the inputs just as well, and
  switching tracking on inside of it records nothing: a tensor born there can't be part of a graph.
* Every public way in is replaced by one that refuses while a call is watched. It is replaced before the submission
  is loaded, so that `from torch.autograd import grad` gets the replacement, too; outside of a call, at module level
  say, it does what it always did. Honest code pays nothing, because nothing that it calls is replaced.
* So are the operators underneath that compute derivatives, by whatever name they are reached.
* Torch numbers the nodes of autograd's graphs. A number that went up during a call is a graph that was built on a
  way that nobody replaced, and becomes a flag.

All of it lives in the process of the student's code and can be undone there by who takes the trouble; the
documentation on security says what that leaves.
"""

from __future__ import annotations

import functools
import linecache
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from types import FrameType, FunctionType, SimpleNamespace, TracebackType
from typing import Any, Self

import torch

from grader.sandbox.guest.operators import replace_kernels

# Owner within torch, and the names in it that are refused; a name that this version of torch lacks is passed over.
REFUSED = {
    "Tensor": ("backward",),
    "autograd": ("grad", "backward"),
    "autograd.functional": ("vjp", "jvp", "vhp", "hvp", "jacobian", "hessian"),
    "autograd.forward_ad": ("enter_dual_level", "make_dual"),
    "autograd.Function": ("apply",),
    "func": ("grad", "grad_and_value", "vjp", "jvp", "jacrev", "jacfwd", "hessian", "linearize"),
    "nn.grad": tuple(f"conv{n}d_{of}" for n in (1, 2, 3) for of in ("input", "weight")),
    "jit": ("trace", "trace_module"),
    "": ("compile",),
    "_dynamo": ("optimize",),
    "_C": ("_enter_dual_level", "_make_dual"),
}
# Functions that the public ones come down to, by the name that a student knows. Scripting is refused here only:
# `torch.jit.script` looks names up in the frame that calls it, which must stay the student's.
UNDERNEATH = {
    ("_functorch.eager_transforms", "_grad_increment_nesting"): "torch.func",
    ("_functorch.eager_transforms", "_jvp_increment_nesting"): "torch.func",
    ("_C._functorch", "_grad_increment_nesting"): "torch.func",
    ("_C._functorch", "_jvp_increment_nesting"): "torch.func",
    ("autograd", "_engine_run_backward"): "autograd's engine",
    ("autograd.graph", "_engine_run_backward"): "autograd's engine",
    ("_C", "_jit_script_compile"): "torch.jit.script",
    ("jit._recursive", "create_script_module"): "torch.jit.script",
}
# Modules whose functions with backward in their names are other people's backward passes.
BORROWED = ("", "_decomp.decompositions", "_refs.nn.functional")
# Refused with this argument only, the first.
TRACKING = {("_C", "_set_grad_enabled"): True, ("_C", "_InferenceMode"): False}


class AutogradRefusedError(RuntimeError):
    """What a student's function meets where it calls autograd."""


@dataclass
class Watch:
    """One call under the guard: the first refusal, with the student's line, and what else was seen.

    It remembers, so catching the exception changes nothing.
    """

    files: Collection[str]
    refusal: str = ""
    file: str | None = None
    line: int | None = None
    source: str = ""
    flags: list[list[str]] = field(default_factory=list)

    def refuse(self, name: str) -> None:
        """Remember that autograd was called by this name, and raise."""
        said = f"autograd is not allowed here, and {name} was used: write the backward pass by hand"
        if not self.refusal:
            self.refusal = said
            frame: FrameType | None = sys._getframe()
            while frame is not None and frame.f_code.co_filename not in self.files:
                frame = frame.f_back
            if frame is not None:
                self.file, self.line = frame.f_code.co_filename, frame.f_lineno
                self.source = linecache.getline(self.file, self.line).strip()
        raise AutogradRefusedError(said)

    def note(self, kind: str, detail: str) -> None:
        """Remember a suspicion, once."""
        if [kind, detail] not in self.flags:
            self.flags.append([kind, detail])


class Guard:
    """Replaces the ways to autograd, once in a process; `watch` is in force for one call."""

    def __init__(self) -> None:
        self._watch: Watch | None = None
        # Entered around the call itself; unpacking and packing are watched, too, and need ordinary tensors.
        self.inference = torch.inference_mode()
        # Held here: the module's own name for it can be given to something else.
        self._count_nodes: Callable[[], int] = getattr(torch._C._autograd, "_get_sequence_nr", lambda: 0)
        self._nodes = 0
        self._replace_all()
        self._kernels = replace_kernels(self._ask)

    def watch(self, files: Collection[str]) -> Self:
        """Return the guard to be entered for one call of a function from these files."""
        self._next = Watch(files)
        return self

    def __enter__(self) -> Watch:
        self._watch = self._next
        self._nodes = self._count_nodes()
        return self._watch

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        watch, self._watch = self._watch, None
        if watch is not None and self._count_nodes() != self._nodes:
            watch.note("autograd_graph", "a graph for autograd was built during the call, where none can be honestly")

    def _ask(self, operator: str) -> None:
        if self._watch is not None:
            self._watch.refuse(f"the operator {operator}")

    def _replace_all(self) -> None:
        for owner, names in REFUSED.items():
            for name in names:
                self._replace(owner, name, ".".join(filter(None, ("torch", owner, name))).replace("_C._", ""))
        for (owner, name), shown in UNDERNEATH.items():
            self._replace(owner, name, shown)
        for owner in BORROWED:
            for name in [name for name in vars(_find(owner) or object) if "backward" in name]:
                self._replace(owner, name, ".".join(filter(None, ("torch", owner, name))))
        for (owner, name), refused in TRACKING.items():
            self._replace(owner, name, "gradient tracking", refused)
        self._replace_compilation_unit()
        self._replace_engine()
        table = torch._decomp.decomposition_table
        for operator in list(table):
            name = getattr(operator, "__name__", "")
            if "backward" in name:
                table[operator] = self._refusing(table[operator], f"torch._decomp of {name}")
        for kind in (torch._ops.OpOverload, torch._ops.OpOverloadPacket):
            self._replace_operator(kind)

    def _replace(self, owner: str, name: str, shown: str, refused: bool | None = None) -> None:
        """Put a function in the place of one in torch that refuses: always, or when called with this argument."""
        holder = _find(owner)
        original = getattr(holder, name, None)
        if not callable(original):
            return
        inner = getattr(original, "__func__", original)
        replacement = self._refusing(inner, shown, refused)
        is_classmethod = inner is not original and isinstance(holder, type)
        setattr(holder, name, classmethod(replacement) if is_classmethod else replacement)

    def _refusing(self, original: Callable[..., Any], shown: str, refused: bool | None = None) -> Callable[..., Any]:
        def replacement(*args: Any, **kwargs: Any) -> Any:
            if self._watch is not None and (refused is None or bool([*args, *kwargs.values(), True][0]) is refused):
                self._watch.refuse(shown)
            return original(*args, **kwargs)

        if not isinstance(original, FunctionType):
            return _dress(replacement, original)
        # torch scripts some of its own functions later on: what they mention is looked up in their globals, ...
        replacement = FunctionType(replacement.__code__, original.__globals__, None, None, replacement.__closure__)
        if original.__module__.startswith("torch._decomp"):
            # ... and their text in what they wrap.
            return functools.wraps(original)(replacement)
        return _dress(replacement, original)

    def _replace_compilation_unit(self) -> None:
        original = torch.jit.CompilationUnit

        def replacement(*args: Any, _frames_up: int = 0, **kwargs: Any) -> Any:
            if self._watch is not None:
                self._watch.refuse("torch.jit.CompilationUnit")
            # It looks names up in the frame that calls it: one further up than this.
            return original(*args, _frames_up=_frames_up + 1, **kwargs)

        torch.jit.CompilationUnit = replacement

    def _replace_engine(self) -> None:
        engine = torch.autograd.Variable._execution_engine

        def run_backward(*args: Any, **kwargs: Any) -> Any:
            if self._watch is not None:
                self._watch.refuse("autograd's engine")
            return engine.run_backward(*args, **kwargs)

        torch.autograd.Variable._execution_engine = SimpleNamespace(  # type: ignore[assignment]
            run_backward=run_backward,
            queue_callback=engine.queue_callback,
            is_checkpoint_valid=engine.is_checkpoint_valid,
        )

    def _replace_operator(self, operator: Any) -> None:
        original = operator.__call__

        def replacement(called: Any, /, *args: Any, **kwargs: Any) -> Any:
            if self._watch is not None and "backward" in called.__name__:
                self._watch.refuse(f"the operator {called.__name__}")
            return original(called, *args, **kwargs)

        operator.__call__ = _dress(replacement, original)


def _dress(replacement: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """Give a replacement the name and the description of the original."""
    functools.update_wrapper(replacement, original, updated=())
    # It would be the way around the guard that anyone tries first.
    del replacement.__wrapped__  # type: ignore[attr-defined]
    return replacement


def _find(path: str) -> Any:
    """Return what a dotted path within torch leads to, without importing anything, or None."""
    found: Any = torch
    for name in filter(None, path.split(".")):
        # Not getattr: torch imports some of its modules when they are first asked for.
        found = vars(found).get(name) if hasattr(found, "__dict__") else None
    return found
