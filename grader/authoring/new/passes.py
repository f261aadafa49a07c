"""The forward passes of a reference.py, each run on sizes that all differ."""

from __future__ import annotations

import ast
import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, permutations
from pathlib import Path
from types import FunctionType, ModuleType

import torch
from torch import Tensor

from grader.authoring.trials import ZERO
from grader.course.cases import Random, load_module
from grader.course.trace import Forward, run_forward
from grader.errors import CourseError

Sizes = Mapping[str, int | float]

# Small enough to read, large enough that n / (n - 1) is no rounding.
FIRST, OTHER, SINGLE = (5, 3, 4, 6, 2, 7, 8, 9, 10), (2, 6, 3, 7, 4, 5, 8, 9, 10), (4, 5, 3, 6, 2, 7, 8, 9, 10)
MOST_TRIES = 300
# The rate at which torch drops, and what it is here; so is whatever is annotated as a float.
RATE, SHARE = "p", 0.3
# So many cases tell the letter of an axis from another one.
ENOUGH_TO_NAME = 5


@dataclass(frozen=True)
class Run:
    """A forward pass on some sizes, with the gradients of its values for a random upstream gradient."""

    sizes: Sizes
    forward: Forward
    gradients: Mapping[str, Tensor]
    zero: frozenset[str]


@dataclass(frozen=True)
class Pass:
    """A forward pass of a reference, with the cases to ask and further runs that only tell what its axes are.

    `definition` is its syntax tree, `module` the file that was run.
    """

    name: str
    definition: ast.FunctionDef
    module: ModuleType
    cases: Mapping[str, Run]
    runs: Sequence[Run]

    @property
    def forward(self) -> Forward:
        """The run on the first case, in which all sizes differ."""
        return next(iter(self.cases.values())).forward

    @cached_property
    def lines(self) -> dict[str, ast.expr]:
        """What stands behind `t.name =` for each value that has a line of its own."""
        found: dict[str, ast.expr] = {}
        for node in self.definition.body:
            match node:
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=trace), attr=name)]) if trace == self.trace:
                    found[name] = node.value
        return found

    @cached_property
    def locals(self) -> dict[str, ast.expr]:
        """What a forward calls by names of its own, such as `N, D = t.x.shape`."""
        found: dict[str, ast.expr] = {}
        for node in self.definition.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found[name] = value
                case ast.Assign(targets=[ast.Tuple(elts=parts)], value=ast.Attribute(attr="shape") as shape):
                    for place, part in enumerate(parts):
                        if isinstance(part, ast.Name):
                            found[part.id] = ast.Subscript(shape, ast.Constant(place))
        return found

    @property
    def trace(self) -> str:
        """What the forward calls its trace: t."""
        return self.definition.args.args[0].arg

    @cached_property
    def common(self) -> list[str]:
        """The values that have a gradient in every case, in forward order; steps that depend on a length do not."""
        is_fixed = all(run.forward.leaves.keys() == self.forward.leaves.keys() for run in self.runs)
        named = {*self.forward.inputs, *self.lines}
        return [name for name in self.forward.leaves if is_fixed or name in named]

    def backward_order(self) -> list[str]:
        """Return the values but the output in the order in which a backward pass gets to know their gradients."""
        pending = {name: set(self.forward.consumers(name)) for name in self.forward.leaves}
        order: list[str] = []
        for step in reversed(self.forward.steps):
            for name in step.reads:
                pending[name].discard(step.name)
                if not pending[name] and name not in order:
                    order.append(name)
        return [
            name
            for name in order
            if name in self.common and name not in self.forward.outputs and not self.is_mask(name)
        ]

    def is_mask(self, name: str) -> bool:
        """Return whether a value is an input of zeros and ones, which nobody asks for a gradient of."""
        inputs = [run.forward.leaves[name] for run in self.cases.values() if name in run.forward.inputs]
        return bool(inputs) and all(bool(((each == 0) | (each == 1)).all()) for each in inputs)


def find_passes(path: Path, outputs: Mapping[str, Sequence[str]]) -> list[Pass]:
    """Return every forward pass of a reference.py, run on a few sizes.

    `outputs` are the values with an upstream gradient of a forward that has several, by its name. Raises CourseError,
    with file and line, if there is no forward, or one has no input maker, or takes no sizes, or does not run on any.
    """
    module = load_module(path)
    functions = [node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.FunctionDef)]
    found = [node for node in functions if _is_forward(node)]
    called = {each.id for node in found for each in ast.walk(node) if isinstance(each, ast.Name)}
    # One that others call and that has no inputs of its own is a part of theirs.
    found = [node for node in found if node.name not in called or hasattr(module, f"{node.name}_inputs")]
    if not found:
        text = "there is no forward pass; write a function of a trace, `def NAME(t):`, with lines such as `t.out = ...`"
        raise CourseError([f"{path}:1: {text}"])
    problems: list[str] = []
    passes: list[Pass] = []
    for node in found:
        try:
            maker = getattr(module, f"{node.name}_inputs", None)
            if not inspect.isfunction(maker):
                text = f"the forward {node.name} has no input maker; write `def {node.name}_inputs(rng, N, D):`"
                raise CourseError([f"{path}:{node.lineno}: {text}, which returns its inputs by name"])
            passes.append(_try_sizes(path, node, maker, module, outputs.get(node.name, ())))
        except CourseError as error:
            problems += error.problems
    if problems:
        raise CourseError(problems)
    return passes


def _is_forward(function: ast.FunctionDef) -> bool:
    """Return whether a function of one argument assigns values to it, by name or by `setattr`."""
    if len(function.args.args) != 1 or function.name.startswith("_"):
        return False
    trace = function.args.args[0].arg
    for node in ast.walk(function):
        match node:
            case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store()) if name == trace:
                return True
            case ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id=name), *_]) if name == trace:
                return True
    return False


def _try_sizes(
    path: Path, function: ast.FunctionDef, maker: FunctionType, module: ModuleType, outputs: Sequence[str]
) -> Pass:
    arguments = _arguments(maker)
    fixed = {name: SHARE for name, argument in arguments.items() if name == RATE or argument.annotation is float}
    names = [name for name in arguments if name not in fixed]
    if not names:
        text = f"{maker.__name__} takes no sizes, so all cases would be alike; write `def {maker.__name__}(rng, N, D):`"
        raise CourseError([f"{path}:{maker.__code__.co_firstlineno}: {text}"])
    run = _runner(path, function.name, module, outputs)
    first = _first(run, names, FIRST, fixed)
    cases = {"all sizes differ" if len(names) > 1 else "a few": first}
    if len(names) > 1:
        more = (names[1], names[0])
        other = next(_working(run, names, OTHER, fixed, lambda sizes: sizes[more[0]] > sizes[more[1]]), None)
        cases |= {f"more {more[0]} than {more[1]}": other} if other else {}
    else:
        other = next(_working(run, names, OTHER, fixed), None)
        cases |= {"fewer": other} if other else {}
    single = next(_working(run, names[1:], SINGLE, {**fixed, names[0]: 1}), None)
    # Where one row alone makes gradients vanish, as in a mean over rows, it tells nothing.
    if single and single.zero == first.zero:
        cases["one row" if names[0] == "N" else f"{names[0]} is 1"] = single
    runs = [*cases.values(), *islice(_working(run, names, FIRST[::-1], fixed), ENOUGH_TO_NAME - len(cases))]
    return Pass(function.name, function, module, cases, runs)


def _arguments(maker: FunctionType) -> dict[str, inspect.Parameter]:
    """Return what an input maker must be given, or else that for which it has a whole number."""
    arguments = dict(list(inspect.signature(maker, eval_str=True).parameters.items())[1:])
    needed = {name: each for name, each in arguments.items() if each.default is inspect.Parameter.empty}
    return needed or {name: each for name, each in arguments.items() if type(each.default) is int}


Runner = Callable[[Sizes], Run]


def _first(run: Runner, names: Sequence[str], pool: Sequence[int], fixed: Sizes) -> Run:
    found = next(_working(run, names, pool, fixed), None)
    if found is not None:
        return found
    sizes = {**dict(zip(names, pool, strict=False)), **fixed}
    tried = ", ".join(f"{name}={size}" for name, size in sizes.items())
    try:
        run(sizes)
    except CourseError as error:
        # A broken rule has nothing to do with the sizes.
        where = f" (with {tried}, and so with all other sizes that were tried)"
        problems = [each + (where if " raised " in each else "") for each in error.problems]
        raise CourseError(problems) from error
    raise AssertionError("sizes that failed before run now")


def _working(
    run: Runner, names: Sequence[str], pool: Sequence[int], fixed: Sizes, fits: Callable[[Sizes], bool] = lambda _: True
) -> Iterator[Run]:
    """Yield runs on sizes from a pool, all different, that the forward runs on."""
    for chosen in islice(permutations(pool[: len(names) + 3], len(names)), MOST_TRIES):
        sizes = {**fixed, **dict(zip(names, chosen, strict=True))}
        if fits(sizes):
            try:
                yield run(sizes)
            except CourseError:
                continue


def _runner(path: Path, name: str, module: ModuleType, outputs: Sequence[str]) -> Runner:
    maker, function = getattr(module, f"{name}_inputs"), getattr(module, name)
    line = maker.__code__.co_firstlineno

    def run(sizes: Sizes) -> Run:
        random = Random(name)
        try:
            inputs = maker(random, **sizes)
        except Exception as error:
            lines = [each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == str(path)]
            text = f"{maker.__name__} raised {type(error).__name__}: {error}"
            raise CourseError([f"{path}:{lines[-1] if lines else line}: {text}"]) from error
        if not isinstance(inputs, dict):
            text = f"{maker.__name__} must return a dict of inputs by name, not {type(inputs).__name__}"
            raise CourseError([f"{path}:{line}: {text}"])
        forward = run_forward(function, inputs, outputs)
        upstream = {
            each: random.normal(*forward.leaves[each].shape)
            if forward.leaves[each].dim()
            else torch.tensor(1.0).double()
            for each in forward.outputs
        }
        gradients = forward.gradients(upstream)
        for value, gradient in gradients.items():
            if not gradient.isfinite().all():
                where = f"{path}:{function.__code__.co_firstlineno}"
                raise CourseError([f"{where}: d{value} of {name} is not finite; draw inputs with which it is"])
        least = ZERO * max(float(each.norm()) for each in upstream.values())
        zero = frozenset(value for value, gradient in gradients.items() if float(gradient.norm()) <= least)
        return Run(sizes, forward, gradients, zero)

    return run
