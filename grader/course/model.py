"""A network that can be trained: its forward, where training begins, batches of data, and what it writes itself.

Three functions beside a forward `mlp` make one: `mlp_training(rng)`, `mlp_batch(rng)` and `mlp_next(run, beginnings)`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from grader.course import Course, Exercise, Rubric, Style
from grader.course.cases import Case, Random, Reference
from grader.course.trace import Forward, Value, run_forward
from grader.errors import CourseError

ENDINGS = "training", "batch", "next"
KEYS = "steps", "rates", "characters", "longest", "parameters"

Parameters = Mapping[str, Tensor]
Values = Mapping[str, Value]


@dataclass(frozen=True)
class Model:
    """What trains the function of an exercise: `parameters` are those whose gradients it returns, as they begin.

    `constants` are the parameters whose gradients it does not return. Of the steps, each learning rate has the same
    share. `characters` are what the network writes, in texts of at most `longest`; the first one ends a text.
    """

    rubric: Rubric
    exercise: Exercise
    seed: int
    steps: int
    rates: tuple[float, ...]
    characters: str
    longest: int
    parameters: Parameters
    constants: Parameters
    _forward: Callable[..., object]
    _batch: Callable[[Random], Values]
    _next: Callable[[Callable[[Values], Values], Sequence[list[int]]], Tensor]

    def random(self, purpose: str) -> Random:
        """Return random numbers that depend on the seed, on the function and on what they are for."""
        return Random(self.seed, self.rubric.name, self.exercise.function, "training", purpose)

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of a step, counted from 1."""
        return self.rates[(step - 1) * len(self.rates) // steps]

    def batch(self, random: Random) -> Values:
        """Return the data of one step. Raises CourseError if the course does not give any."""
        data: Values = self._guarded(lambda: self._batch(random))
        return data

    def trace(self, data: Values, parameters: Parameters) -> Forward:
        """Return the forward pass on a batch, step by step."""
        return run_forward(self._forward, {**data, **self.constants, **parameters})

    def case(self, forward: Forward) -> Case:
        """Return a forward pass as a case: what a student is given, and autograd's gradient of each value."""
        upstream = {name: torch.ones_like(forward.leaves[name]) for name in forward.outputs}
        expected = forward.gradients(upstream)
        return Case("training", forward, upstream, {"cache": forward.values}, expected, {})

    def values(self, data: Values, parameters: Parameters) -> dict[str, Any]:
        """Return every value of a forward pass, the loss last, as autograd's are that need a gradient."""
        values = SimpleNamespace(**data, **self.constants, **parameters)
        self._guarded(lambda: self._forward(values))
        return vars(values)

    def logits(self, parameters: Parameters, beginnings: Sequence[list[int]]) -> Tensor:
        """Return for each text that has begun, as numbers of characters, a row of logits of what comes next."""
        found: Tensor = self._guarded(lambda: self._next(lambda data: self.values(data, parameters), beginnings))
        return found

    def _guarded(self, ask: Callable[[], Any]) -> Any:
        """Return what a function of the course does. Raises CourseError if that raises."""
        try:
            return ask()
        except Exception as error:
            path = str(self.exercise.reference)
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
            text = f"{path}:{lines[-1] if lines else 1}: training raised {type(error).__name__}: {error}"
            raise CourseError([text]) from error


def is_trainable(reference: Reference, exercise: Exercise) -> bool:
    """Return whether an exercise is a function of a whole network, and the course says how that is trained."""
    is_whole = exercise.given == ("cache",) and not exercise.outputs and exercise.style is Style.FUNCTION
    return is_whole and all(reference.beside_forward(exercise, ending) is not None for ending in ENDINGS)


def find_model(course: Course, function: str, seed: int) -> Model | None:
    """Return what trains a function, or None if nothing does. Raises CourseError if it does not hold together."""
    rubric, exercise = course.exercise(function)
    reference = Reference(rubric)
    if not is_trainable(reference, exercise):
        return None
    begin, batch, following = (reference.beside_forward(exercise, ending) for ending in ENDINGS)
    assert begin is not None
    assert batch is not None
    assert following is not None
    try:
        begun = begin(Random(seed, rubric.name, exercise.forward, "parameters"))
        missing = [key for key in KEYS if key not in begun]
    except Exception as error:
        text = f"{exercise.forward}_training raised {type(error).__name__}: {error}"
        raise CourseError([f"{exercise.reference}: {text}"]) from error
    if missing:
        text = f"{exercise.forward}_training returns no {', '.join(missing)}"
        raise CourseError([f"{exercise.reference}: {text}; it is a dict of {', '.join(KEYS)}"])
    trained = {gradient.value for gradient in exercise.gradients}
    parameters = begun["parameters"]
    return Model(
        rubric,
        exercise,
        seed,
        begun["steps"],
        tuple(begun["rates"]),
        begun["characters"],
        begun["longest"],
        {name: value for name, value in parameters.items() if name in trained},
        {name: value for name, value in parameters.items() if name not in trained},
        reference.forward(exercise),
        batch,
        following,
    )


def trainable(course: Course) -> list[str]:
    """Return the functions of a course that can be trained, in its order."""
    return [function for function in course.functions if find_model(course, function, 0) is not None]
