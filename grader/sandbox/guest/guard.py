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

Once a submission is there the watch is on all the time but while its files are loaded: a function that is called
between two calls, by a profiler say or in place of something of ours, meets it, too. What was built while loading is
counted, and a node that is kept from then is looked for.

All of it lives in the process of the student's code and can be undone there by who takes the trouble; the
documentation on security says what that leaves.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import linecache
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from types import FrameType, FunctionType, SimpleNamespace, TracebackType
from typing import Any, Self

import torch

from grader.sandbox.guest.elementary import count_elementary
from grader.sandbox.guest.operators import COMPLEX, replace_kernels

# Owner within torch, and the names in it that are refused; those that this version of torch lacks are `lacking`.
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
# What makes a derivative, or a backward operator, that no later look can tell from a student's own.
NOTED = {"_C": ("_jit_differentiate", "_jit_get_operation", "_create_function_from_graph")}


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
    elementary: int = 0  # numbers that came out of numpy's and Python's exp, log, tanh and the like

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
        self.lacking: list[str] = []  # names of ours that this torch does not have
        self._between: Watch | None = None  # what is in force when no call is under way
        # Entered around the call itself; unpacking and packing are watched, too, and need ordinary tensors.
        self.inference = torch.inference_mode()
        # Held here: the module's own name for it can be given to something else.
        self._count_nodes: Callable[[], int] = getattr(torch._C._autograd, "_get_sequence_nr", lambda: 0)
        self._nodes = 0
        self._set_tracking = torch._C._set_grad_enabled
        self._profile, self._trace = sys.getprofile, sys.gettrace
        self._set_profile, self._set_trace = sys.setprofile, sys.settrace
        self.call_operator = torch._ops.OpOverload.__call__
        self._tracing_state = torch._C._get_tracing_state
        self._count_modes: Callable[[], int] = getattr(torch._C, "_len_torch_dispatch_stack", lambda: 0)
        self._replace_all()
        self._methods = dict(vars(torch.Tensor))
        self._kernels = replace_kernels(self._ask)
        count_elementary(self._count)

    def begin(self, files: Collection[str]) -> None:
        """Watch from here on, whatever runs: a submission with these files is there."""
        self._watch = self._between = Watch(files)
        self._nodes = self._count_nodes()

    def end(self) -> None:
        """Watch no more: it was a rehearsal."""
        self._watch = self._between = None

    def watch(self, files: Collection[str]) -> Self:
        """Return the guard to be entered for one call of a function from these files."""
        self._next = Watch(files)
        return self

    def __enter__(self) -> Watch:
        self._watch = watch = self._next
        if self._between is None:
            self._nodes = self._count_nodes()
        else:
            # What came about since the last call is told with this one.
            self._take_count(self._between)
            watch.flags += self._between.flags
            if self._between.refusal:
                place = f"{self._between.file} line {self._between.line}: " if self._between.file else ""
                watch.note("autograd_between", f"{place}autograd was called outside of any call")
            self._between = Watch(watch.files)
        return watch

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        watch, self._watch = self._watch, self._between
        if watch is not None:
            self._take_count(watch)
            self._end_tracing(watch)

    @contextlib.contextmanager
    def loading(self, file: str) -> Iterator[None]:
        """Let a file do at module level what it likes, a check of itself say, and note what it built."""
        between, self._watch = self._between, None
        nodes = self._count_nodes()
        try:
            yield
        finally:
            self._watch = between
            self._nodes = self._count_nodes()
            if between is not None:
                if self._nodes != nodes:
                    count = self._nodes - nodes
                    between.note("built_while_loading", f"{file} built {count} nodes of autograd's graphs when loaded")
                    self._find_kept_nodes(between)
                self._find_replaced(between)
                self._end_tracing(between)

    @contextlib.contextmanager
    def untracked(self) -> Iterator[None]:
        """Build no graph, and let tensors count their versions: for code that inference mode gets in the way of."""
        self._set_tracking(False)
        try:
            yield
        finally:
            self._set_tracking(True)

    def _take_count(self, watch: Watch) -> None:
        nodes, self._nodes = self._nodes, self._count_nodes()
        if self._nodes != nodes:
            watch.note("autograd_graph", "a graph for autograd was built during the call, where none can be honestly")

    def _end_tracing(self, watch: Watch) -> None:
        if self._profile() is not None or self._trace() is not None:
            self._set_profile(None)
            self._set_trace(None)
            watch.note("traced", "a profiler or tracer of the submission's was left on (sys.setprofile, sys.settrace)")

    def _find_replaced(self, watch: Watch) -> None:
        now = vars(torch.Tensor)
        changed = [name for name in {**self._methods, **now} if now.get(name) is not self._methods.get(name)]
        if changed:
            watch.note("replaced", f"puts something else in the place of torch.Tensor.{', '.join(sorted(changed)[:5])}")

    def _find_kept_nodes(self, watch: Watch) -> None:
        # All that was there before the submission is frozen, and not among these.
        kinds = {type(each) for each in gc.get_objects()}
        kept = sorted(kind.__name__ for kind in kinds if _is_node(kind))
        if kept:
            watch.note("node_kept", f"keeps nodes of autograd's graphs for later: {', '.join(kept[:5])}")

    @property
    def refuses_kernels(self) -> bool:
        """Whether torch's own derivatives are refused by whatever way they are reached: not every torch allows it."""
        return self._kernels is not None

    def _count(self, numbers: int, is_complex: bool) -> None:
        watch = self._watch
        if watch is not None:
            watch.elementary += numbers
            if is_complex:
                watch.note(
                    "complex_numbers", "a function of numpy was called with complex numbers, as by no gradient here"
                )

    def _find_recorded(self, shown: str) -> None:
        """Note a derivative that is taken while loading and recorded, so that it can be computed in a call."""
        between = self._between
        if self._watch is None and between is not None and (self._tracing_state() is not None or self._count_modes()):
            between.note(
                "torch_inside", f"{shown} was recorded outside of a call, so that a derivative can be computed in one"
            )

    def _ask(self, operator: str) -> None:
        watch = self._watch
        self._find_recorded(f"the operator {operator}")
        if watch is not None and operator in COMPLEX:
            watch.note("complex_numbers", f"{operator}: a part is taken of complex numbers, which no gradient here has")
        elif watch is not None:
            watch.refuse(f"the operator {operator}")

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
        for owner, names in NOTED.items():
            for name in names:
                self._replace_noted(owner, name)
        self._replace_compilation_unit()
        self._replace_engine()
        self._replace_nodes()
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
            self.lacking.append(".".join(filter(None, ("torch", owner, name))))
            return
        inner = getattr(original, "__func__", original)
        replacement = self._refusing(inner, shown, refused)
        is_classmethod = inner is not original and isinstance(holder, type)
        setattr(holder, name, classmethod(replacement) if is_classmethod else replacement)

    def _refusing(self, original: Callable[..., Any], shown: str, refused: bool | None = None) -> Callable[..., Any]:
        def replacement(*args: Any, **kwargs: Any) -> Any:
            if self._watch is not None and (refused is None or bool([*args, *kwargs.values(), True][0]) is refused):
                self._watch.refuse(shown)
            if refused is None:
                self._find_recorded(shown)
            return original(*args, **kwargs)

        if not isinstance(original, FunctionType):
            return _dress(replacement, original)
        # torch scripts some of its own functions later on: what they mention is looked up in their globals, ...
        replacement = FunctionType(replacement.__code__, original.__globals__, None, None, replacement.__closure__)
        if original.__module__.startswith("torch._decomp"):
            # ... and their text in what they wrap.
            return functools.wraps(original)(replacement)
        return _dress(replacement, original)

    def _replace_noted(self, owner: str, name: str) -> None:
        holder = _find(owner)
        original = getattr(holder, name, None)
        if not callable(original):
            self.lacking.append(f"torch.{owner}.{name}")
            return

        def replacement(*args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1)
            watch = self._watch or self._between
            if watch is not None and caller.f_code.co_filename in watch.files:
                place = f"{caller.f_code.co_filename} line {caller.f_lineno}"
                watch.note("torch_inside", f"{place}: calls {name}, which leads to the inside of torch")
            return original(*args, **kwargs)

        setattr(holder, name, _dress(replacement, original))

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

    def _replace_nodes(self) -> None:
        """Refuse the way from a tensor that was made while loading to the node that made it."""
        original: Any = torch.Tensor.grad_fn

        def grad_fn(tensor: torch.Tensor) -> Any:
            node = original.__get__(tensor)
            if node is not None and self._watch is not None:
                self._watch.refuse("a tensor's grad_fn")
            return node

        torch.Tensor.grad_fn = property(grad_fn)  # type: ignore[assignment] # torch has a C getter there

    def _replace_operator(self, operator: Any) -> None:
        original = operator.__call__

        def replacement(called: Any, /, *args: Any, **kwargs: Any) -> Any:
            if self._watch is not None and "backward" in called.__name__:
                self._watch.refuse(f"the operator {called.__name__}")
            return original(called, *args, **kwargs)

        operator.__call__ = _dress(replacement, original)


def _is_node(kind: type) -> bool:
    # Past any metaclass, which may be the submission's.
    return any("next_functions" in type.__dict__["__dict__"].__get__(base) for base in type.mro(kind))


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
