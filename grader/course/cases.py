"""Course and seed to cases: inputs, upstream gradient and expected gradients.

What is made here stays in the grader's process; only a case's `arguments` travel to a student's.
"""

from __future__ import annotations

import builtins
import hashlib
import inspect
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grader.course import CaseSpec, Exercise, Gradient, Rubric
from grader.course.source import ASSIGNMENTS, Source
from grader.course.trace import Forward, Value, run_forward
from grader.errors import CourseError

Argument = Value | Mapping[str, Value]


class Random:
    """Random tensors for an input maker, seeded by 256 bits that no submission can guess."""

    def __init__(self, *parts: object) -> None:
        digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
        self._generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))

    def normal(self, *shape: int) -> Tensor:
        """Return float64 draws from the standard normal distribution."""
        return torch.from_numpy(np.asarray(self._generator.standard_normal(shape)))

    def uniform(self, *shape: int) -> Tensor:
        """Return float64 draws from [0, 1)."""
        return torch.from_numpy(np.asarray(self._generator.random(shape)))

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """Return int64 draws from low, ..., high - 1."""
        return torch.from_numpy(np.asarray(self._generator.integers(low, high, shape)))

    def permutation(self, n: int) -> Tensor:
        """Return 0, ..., n - 1 in random order."""
        return torch.from_numpy(self._generator.permutation(n))


@dataclass(frozen=True)
class Case:
    """One question: `arguments` go to the student, the rest judges the answer.

    `upstream` holds the upstream gradient of each output, and `expected` autograd's gradient of every value that an
    output depends on, by the value's name.
    `detached` holds the same without the paths through what the rubric names as detached; empty if it names none.
    """

    name: str
    forward: Forward
    upstream: Mapping[str, Tensor]
    arguments: Mapping[str, Argument]
    expected: Mapping[str, Tensor]
    detached: Mapping[str, Tensor]

    def truths(self, value: str) -> list[Tensor]:
        """Return what the gradient of a value may be: with the paths through detached values, and without them."""
        return [self.expected[value], *([self.detached[value]] if value in self.detached else [])]

    @property
    def dout(self) -> Tensor:
        """The upstream gradient of the output; of several, that of the last one."""
        return self.upstream[self.forward.output]

    def objective(self, values: Mapping[str, Any]) -> Tensor:
        """Return the number whose gradients are asked for, from the values of a forward: outputs times upstreams."""
        return torch.stack([(values[name] * gradient).sum() for name, gradient in self.upstream.items()]).sum()


class Reference:
    """The reference.py of one assignment: input makers and forward passes; a forward may be another assignment's."""

    def __init__(self, rubric: Rubric) -> None:
        self.rubric = rubric
        self.path = rubric.folder / "reference.py"
        paths = dict.fromkeys([self.path, *(exercise.reference for exercise in rubric.exercises)])
        self._modules = {path: load_module(path) for path in paths}

    def make_cases(self, exercise: Exercise, seed: int) -> tuple[Case, ...]:
        """Make every case of an exercise from one seed.

        Raises CourseError if the reference raises or breaks a rule of the trace, or if the rubric names
        a value that the forward does not have.
        """
        return tuple(self.make_case(exercise, spec, seed) for spec in exercise.cases)

    def make_case(self, exercise: Exercise, spec: CaseSpec, seed: int, number: int = 0) -> Case:
        """Make one case; its data depend on the seed and on the names of assignment, function and case.

        Another `number` gives other data of the same sizes.
        """
        forward, upstream = self._run(exercise, spec, seed, number)
        expected = forward.gradients(upstream)
        for gradient in exercise.gradients:
            if not expected[gradient.value].isfinite().all():
                raise CourseError([f"{spec.place}: the expected {gradient.name} is not finite in this case"])
        detached = forward.gradients(upstream, without=exercise.detached) if exercise.detached else {}
        arguments = _arguments(exercise, forward, upstream, expected)
        return Case(spec.name, forward, upstream, arguments, expected, detached)

    def make_arguments(self, exercise: Exercise, spec: CaseSpec, seed: int, number: int) -> Mapping[str, Argument]:
        """Return what a student is given in a case, without what it takes to judge the answer."""
        forward, upstream = self._run(exercise, spec, seed, number)
        is_given_one = any(name[1:] in forward.leaves for name in set(exercise.given) - set(exercise.upstream_names))
        return _arguments(exercise, forward, upstream, forward.gradients(upstream) if is_given_one else {})

    def _run(self, exercise: Exercise, spec: CaseSpec, seed: int, number: int) -> tuple[Forward, Mapping[str, Tensor]]:
        """Return a forward pass on random inputs, and an upstream gradient of each output."""
        random = Random(seed, self.rubric.name, exercise.function, spec.name, *([number] if number else []))
        inputs = self._inputs(exercise, spec, random)
        forward = run_forward(self.forward(exercise), inputs, exercise.outputs)
        _check_names(exercise, forward)
        outputs = {name: forward.leaves[name].detach() for name in forward.outputs}
        upstream = {
            name: random.normal(*output.shape) if given in exercise.given else torch.ones_like(output)
            for given, (name, output) in zip(exercise.upstream_names, outputs.items(), strict=True)
        }
        return forward, upstream

    def forward(self, exercise: Exercise) -> Callable[..., object]:
        """Return the forward pass of an exercise, a function of a trace. Raises CourseError if it is not there."""
        return self._function(exercise.reference, exercise.forward, exercise)

    def beside_forward(self, exercise: Exercise, ending: str) -> Callable[..., Any] | None:
        """Return a function that stands beside the forward and is called as it is, with an ending; None without one."""
        found = getattr(self._modules[exercise.reference], f"{exercise.forward}_{ending}", None)
        return found if callable(found) else None

    def source(self, exercise: Exercise) -> Source:
        """Return the text of an exercise's forward pass."""
        return Source(exercise.reference, exercise.forward)

    def _function(self, path: Path, name: str, exercise: Exercise) -> Callable[..., object]:
        function = getattr(self._modules[path], name, None)
        if not callable(function):
            raise CourseError([f"{exercise.place}: {path} has no function {name}"])
        return function  # type: ignore[no-any-return] # a module's attributes are untyped

    def _inputs(self, exercise: Exercise, spec: CaseSpec, random: Random) -> dict[str, Value]:
        maker = self._function(self.path, f"{exercise.forward}_inputs", exercise)
        try:
            inspect.signature(maker).bind(random, **spec.sizes)
        except TypeError as error:
            takes = ", ".join(list(inspect.signature(maker).parameters)[1:])
            text = f"{maker.__name__} takes {takes}, not {', '.join(spec.sizes)} ({error})"
            raise CourseError([f"{spec.place}: {text}"]) from error
        try:
            inputs = maker(random, **spec.sizes)
        except Exception as error:
            raise CourseError([_raised(self.path, error)]) from error
        if not isinstance(inputs, dict):
            raise CourseError([f"{spec.place}: {maker.__name__} must return a dict of inputs by name"])
        return inputs


def load_module(path: Path) -> ModuleType:
    """Run a file of the course as a module of its own. Raises CourseError with file and line.

    It may take from another assignment by where that stands, as in `from assignments.mlp.reference import mlp`.
    """
    module = ModuleType(f"course_{path.parent.name}_{path.stem}")
    module.__file__ = str(path)
    # An import of this module's own: no course is put on sys.path, where two of them would meet.
    module.__dict__["__builtins__"] = {**vars(builtins), "__import__": partial(_import, path.parent.parent)}
    try:
        exec(_compiled(path.read_bytes(), str(path)), module.__dict__)  # noqa: S102 # the instructor's own code
    except FileNotFoundError as error:
        raise CourseError([f"{path}: the file is not there"]) from error
    except SyntaxError as error:
        raise CourseError([f"{path}:{error.lineno}: not Python: {error.msg}"]) from error
    except CourseError:
        raise  # of a file that this one imports
    except Exception as error:
        raise CourseError([_raised(path, error)]) from error
    return module


@lru_cache(maxsize=256)
def _compiled(content: bytes, path: str) -> CodeType:
    """Return the code of a file: one that is loaded for every seed is read as Python once."""
    code: CodeType = compile(content, path, "exec")
    return code


def _import(assignments: Path, name: str, *details: Any) -> ModuleType:
    """Import a module for a file of a course; details are those of `__import__`."""
    package, _, file = name.partition(".")
    if package != ASSIGNMENTS or not file:
        return __import__(name, *details)
    return load_module(assignments.joinpath(*file.split(".")).with_suffix(".py"))


def _raised(path: Path, error: Exception) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1] if lines else 1}: raised {type(error).__name__}: {error}"


def _check_names(exercise: Exercise, forward: Forward) -> None:
    """Raise CourseError unless every name of the exercise is one that the forward can serve."""
    problems = [_gradient_problem(gradient, forward) for gradient in exercise.gradients]
    for name in exercise.given:
        known = (*exercise.upstream_names, "cache")
        if name not in forward.values and name[1:] not in forward.leaves and name not in known:
            problems.append(
                f"{exercise.place}: given names {name!r}, which the forward {exercise.forward} does not have"
            )
    for name in exercise.detached:
        if name not in forward.leaves:
            problems.append(f"{exercise.place}: detached names {name!r}, which {exercise.forward} does not compute")
    for name in exercise.cache or ():
        if name not in forward.values:
            known_values = ", ".join(forward.values)
            text = f"cache names {name!r}, which the forward {exercise.forward} does not have; it has {known_values}"
            problems.append(f"{exercise.place}: {text}")
    in_cache = (exercise.cache or forward.values) if "cache" in exercise.given else ()
    for name, value in forward.values.items():
        if (name in in_cache or name in exercise.given) and not _can_be_given(value):
            can = "only tensors, numbers, texts and dicts of these two can be given"
            problems.append(f"{exercise.place}: {exercise.forward} has {name} as {type(value).__name__}; {can}")
    for given, output in zip(exercise.upstream_names, forward.outputs, strict=True):
        if given not in exercise.given and forward.leaves[output].dim() > 0:
            text = f"the output {output} of {exercise.forward} is no scalar, so `given` must name {given}"
            problems.append(f"{exercise.place}: {text}")
    found = [problem for problem in problems if problem]
    if found:
        raise CourseError(found)


def _can_be_given(value: object) -> bool:
    if type(value) is dict:
        return all(type(key) is str and isinstance(each, float | int | str) for key, each in value.items())
    return isinstance(value, Tensor | float | int | str)


def _gradient_problem(gradient: Gradient, forward: Forward) -> str | None:
    if gradient.value in forward.leaves:
        return None
    if gradient.value in forward.values:
        return f"{gradient.place}: {gradient.value} is a constant of the forward and has no gradient"
    known = ", ".join(f"d{name}" for name in forward.leaves)
    return f"{gradient.place}: {gradient.name}: the forward has no value {gradient.value!r}; it has {known}"


def _arguments(
    exercise: Exercise, forward: Forward, upstream: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> dict[str, Argument]:
    """Return what is given by name: upstream gradients, the cache, a value, or the true gradient of one."""
    known: dict[str, Argument] = {f"d{name}": gradient for name, gradient in expected.items()}
    known |= {**forward.values, **dict(zip(exercise.upstream_names, upstream.values(), strict=True))}
    known["cache"] = {name: forward.values[name] for name in exercise.cache} if exercise.cache else forward.values
    return {name: known[name] for name in exercise.given}
