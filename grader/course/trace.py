"""A forward pass as named steps, and backward through it by autograd.

A reference forward is a function of a trace `t`: assigning `t.probs = ...` records a step, reading
`t.probs` gives a leaf. So the forward is a chain of small autograd graphs, one for each name, and one
pass over them in reverse yields autograd's gradient of every named value, either from the true
upstream gradients or from the ones that a student returned.
"""

from __future__ import annotations

import difflib
import sys
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from grader.course.graph import Graph, NamedValue
from grader.errors import CourseError

# Constants may also be texts, and settings: a dict of numbers and texts by name, such as a stride and a padding.
Settings = Mapping[str, float | int | str]
Value = Tensor | float | int | str | Settings
# The gradient that comes from above: of the one output, or of several by name.
Upstream = Tensor | Mapping[str, Tensor]


class _BrokenRuleError(Exception):
    """A reference broke a rule of the trace; `line` is where, if it is not the line that raised."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Step:
    """One named value: `output` has the graph from the leaves of the names in `reads` to the value."""

    name: str
    output: Tensor
    reads: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Forward:
    """A finished forward pass: every value by name, in order, and the steps that made them.

    `outputs` are the values that have an upstream gradient: the last one, unless the rubric names others.
    """

    values: Mapping[str, Value]
    steps: tuple[Step, ...]
    leaves: Mapping[str, Tensor]
    outputs: tuple[str, ...]

    @property
    def output(self) -> str:
        """The name of the output; of several, the last one."""
        return self.outputs[-1]

    @property
    def inputs(self) -> Mapping[str, Value]:
        """The values that no step computes, by name: what was handed in, and constants such as a mask or a count."""
        computed = {step.name for step in self.steps}
        return {name: value for name, value in self.values.items() if name not in computed}

    def consumers(self, name: str) -> tuple[str, ...]:
        """The values computed directly from `name`, in forward order."""
        return tuple(step.name for step in self.steps if name in step.reads)

    def gradient(
        self, name: str, upstream: Upstream, given: Mapping[str, Tensor], without: Collection[str] = ()
    ) -> Tensor | None:
        """Return what `gradients` does for one name, at the cost of the steps between it and what is given."""
        steps: set[str] = set()
        pending = list(self.consumers(name))
        while pending:
            step = pending.pop()
            if step not in steps:
                steps.add(step)
                pending += self.consumers(step) if step not in given else ()
        return self.gradients(upstream, given, without, steps).get(name)

    def slopes(self, step: str, name: str, index: tuple[int, ...]) -> Tensor:
        """Return how far each entry of a step's value moves if the entry at `index` of a value that it reads moves."""
        output = next(each.output for each in self.steps if each.name == step)
        with torch.enable_grad():
            # A backward is linear in its upstream, and its slope towards that is the forward's own.
            upstream = torch.zeros_like(output).requires_grad_()
            (back,) = torch.autograd.grad((output * upstream).sum(), self.leaves[name], create_graph=True)
        return torch.autograd.grad(back[index], upstream, retain_graph=True)[0]

    def gradients(
        self,
        upstream: Upstream,
        given: Mapping[str, Tensor] | None = None,
        without: Collection[str] = (),
        within: Collection[str] | None = None,
    ) -> dict[str, Tensor]:
        """Return autograd's gradient of every value that an output depends on, by the value's name.

        `upstream` is the gradient of the output, or has one for each of several. A name in `given` passes that gradient
        on in place of its own; a name in `without` passes nothing on, nor does one that is not in `within`. What is
        returned for a name is always what reached it from its consumers, and from above if it is an output.
        """
        given = given or {}
        reached = {self.output: upstream} if isinstance(upstream, Tensor) else dict(upstream)
        for step in reversed(self.steps):
            arrived = given.get(step.name, reached.get(step.name))
            if arrived is None or step.name in without or (within is not None and step.name not in within):
                continue
            with torch.enable_grad():
                # A scalar to differentiate: grad(output, ..., upstream) would import sympy, 0.4 s.
                scalar = (step.output * arrived).sum()
                # What came from later steps goes in before what this step adds, as in one graph of the whole
                # forward: floating-point sums depend on their order.
                for name in step.reads:
                    if name in reached:
                        scalar = scalar + (self.leaves[name] * reached[name]).sum()
            found = torch.autograd.grad(scalar, [self.leaves[name] for name in step.reads], retain_graph=True)
            reached.update(zip(step.reads, found, strict=True))
        return reached


def make_graph(forwards: Sequence[Forward], line: Callable[[int], str] = lambda _: "") -> Graph:
    """Return the graph of a forward pass that was run on several cases; `line` gives the text of a step by its number.

    Where its names depend on a length, that is the graph of the longest; what another case lacks has its shape.
    """
    longest = max(forwards, key=lambda forward: len(forward.leaves))
    steps = {step.name: step for step in longest.steps}
    return Graph(
        tuple(
            NamedValue(
                name,
                tuple(tuple(forward.leaves.get(name, longest.leaves[name]).shape) for forward in forwards),
                steps[name].reads if name in steps else (),
                line(steps[name].line) if name in steps else "",
            )
            for name in longest.leaves
        )
    )


class Trace:
    """What a reference forward writes its values on, as attributes."""

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_recorder", _Recorder(inputs))

    def __setattr__(self, name: str, value: Any) -> None:
        line = sys._getframe(1).f_lineno
        self.__dict__["_recorder"].assign(name, value, line)

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["_recorder"].read(name)


def run_forward(function: Callable[[Any], object], inputs: Mapping[str, Any], outputs: Sequence[str] = ()) -> Forward:
    """Run a reference forward on its inputs and return its named steps; without `outputs` the last value is the output.

    Raises CourseError, with file and line, if the forward raises or breaks a rule of the trace: a name
    is assigned once, a value has one name, nothing that was read is changed in place, every float value
    is float64, depends on what was read from the trace, and reaches an output.
    """
    path = function.__code__.co_filename if hasattr(function, "__code__") else "<reference>"
    try:
        trace = Trace(inputs)
        with torch.enable_grad():
            function(trace)
        return trace.__dict__["_recorder"].finish(outputs)  # type: ignore[no-any-return] # a trace's attributes are untyped
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        line = getattr(error, "line", None) or (lines[-1] if lines else None)
        where = f"{path}:{line}" if line else path
        raise CourseError([f"{where}: {_explain(error)}"]) from error


def _explain(error: Exception) -> str:
    if isinstance(error, _BrokenRuleError):
        return str(error)
    if isinstance(error, RuntimeError) and "in-place operation" in str(error):
        return "a value read from the trace is changed in place; write the new value under a name of its own"
    return f"the forward raised {type(error).__name__}: {error}"


class _Recorder:
    """The state behind a trace: leaves to hand out, steps recorded, tensors that must not change."""

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self.values: dict[str, Value] = {}
        self.leaves: dict[str, Tensor] = {}
        self.steps: list[Step] = []
        self.watched: list[tuple[str, Tensor, int]] = []
        for name, value in inputs.items():
            self._keep(name, value)

    def read(self, name: str) -> Any:
        self._check_unchanged()
        if name in self.leaves:
            return self.leaves[name]
        if name not in self.values:
            near = difflib.get_close_matches(name, self.values, n=1)
            raise _BrokenRuleError(
                f"t.{name} is read before it is assigned" + (f"; did you mean t.{near[0]}?" if near else "")
            )
        value = self.values[name]
        if isinstance(value, Tensor):
            value = value.clone()
            self._watch(name, value)
        return value

    def assign(self, name: str, value: Any, line: int) -> None:
        self._check_unchanged()
        if name in self.values:
            raise _BrokenRuleError(f"t.{name} is assigned twice; give the second value a name of its own")
        if isinstance(value, Tensor) and value.is_floating_point():
            self.steps.append(Step(name, value, self._reads(name, value), line))
            self._watch(name, value)
            value = value.detach()
        self._keep(name, value)

    def finish(self, outputs: Sequence[str]) -> Forward:
        self._check_unchanged()
        if not self.steps:
            raise _BrokenRuleError("the forward assigns no float value to the trace; write t.out = ...")
        if not outputs and self.steps[-1].name != next(reversed(self.values)):
            raise _BrokenRuleError(
                f"the last value, t.{next(reversed(self.values))}, is the output and must be a float tensor"
            )
        computed = [step.name for step in self.steps]
        for name in outputs:
            if name not in computed:
                raise _BrokenRuleError(
                    f"the rubric names the output {name}, and the forward computes no float value of that name; "
                    f"it computes {', '.join(computed)}"
                )
        outputs = tuple(outputs) or (self.steps[-1].name,)
        reaching = set(outputs)
        for step in reversed(self.steps):
            if step.name in reaching:
                reaching.update(step.reads)
        lines = {step.name: step.line for step in self.steps}
        for name in self.leaves:
            if name not in reaching:
                named = " or ".join(f"t.{output}" for output in outputs)
                raise _BrokenRuleError(
                    f"t.{name} does not reach the output {named}, so it has no gradient", lines.get(name)
                )
        return Forward(MappingProxyType(self.values), tuple(self.steps), MappingProxyType(self.leaves), outputs)

    def _keep(self, name: str, value: Any) -> None:
        if isinstance(value, Tensor):
            if value.is_complex() or (value.is_floating_point() and value.dtype != torch.float64):
                raise _BrokenRuleError(f"t.{name} is {value.dtype}; the course computes in torch.float64")
            value = value.detach().clone()
        self.values[name] = value
        if isinstance(value, Tensor) and value.is_floating_point():
            self.leaves[name] = value.clone().requires_grad_()
            self._watch(name, self.leaves[name])

    def _watch(self, name: str, tensor: Tensor) -> None:
        self.watched.append((name, tensor, tensor._version))

    def _check_unchanged(self) -> None:
        for name, tensor, version in self.watched:
            if tensor._version != version:
                raise _BrokenRuleError(f"t.{name} was changed in place; write the new value under a name of its own")

    def _reads(self, name: str, value: Tensor) -> tuple[str, ...]:
        """Return the names whose leaves the graph of `value` ends in, and refuse any other end."""
        names = {id(leaf): leaf_name for leaf_name, leaf in self.leaves.items()}
        if id(value) in names:
            raise _BrokenRuleError(f"t.{name} is t.{names[id(value)]} under a second name; a value has one name")
        if value.grad_fn is None:
            raise _BrokenRuleError(
                f"t.{name} depends on no float value of the trace (detached, or a new tensor); "
                "compute it from values read as t.name, or hand it in as an input"
            )
        made_by = {(step.output.grad_fn, step.output.output_nr): step.name for step in self.steps}
        edge = (value.grad_fn, value.output_nr)
        if edge in made_by:
            raise _BrokenRuleError(f"t.{name} is t.{made_by[edge]} under a second name; a value has one name")
        found: set[str] = set()
        seen = {edge}
        pending: list[Any] = [edge]
        while pending:
            node, _ = pending.pop()
            if hasattr(node, "variable"):
                if id(node.variable) not in names:
                    raise _BrokenRuleError(f"t.{name} depends on a tensor with requires_grad that is not on the trace")
                found.add(names[id(node.variable)])
            for following in node.next_functions:
                if following[0] is None or following in seen:
                    continue
                if following in made_by:
                    other = made_by[following]
                    raise _BrokenRuleError(
                        f"t.{name} is computed from the value of t.{other} without reading it; "
                        f"write t.{other} in its place"
                    )
                seen.add(following)
                pending.append(following)
        return tuple(leaf_name for leaf_name in self.leaves if leaf_name in found)
