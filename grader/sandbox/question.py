"""One function to ask a submission for, and the calls to make of it, ready to travel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import safetensors.torch
from torch import Tensor

from grader.course.cases import Argument, Random
from grader.sandbox.answer import Answer


@dataclass(frozen=True)
class Call:
    """The arguments of one call, ready to travel."""

    numbers: Mapping[str, float | int]
    tensors: bytes


@dataclass(frozen=True)
class Question:
    """One function to look for, first in the file `home`, and the calls to make of it.

    If it `repeats_first`, the first one is made again behind the last: that may be left out, has its operators logged,
    and its end is no one's loss.
    """

    function: str
    home: str
    given: tuple[str, ...]
    gradients: tuple[str, ...]
    calls: tuple[Call, ...]
    repeats_first: bool = False

    def message(self, do: str, calls: Sequence[Call] = (), **more: object) -> dict[str, object]:
        """Return a request about this function and some calls of it; their tensors are its payload."""
        asked = {"do": do, "function": self.function, "given": self.given, "gradients": self.gradients}
        brought = {"numbers": [dict(call.numbers) for call in calls], "lengths": [len(call.tensors) for call in calls]}
        return {**asked, **(brought if calls else {}), **more}


def pack_call(arguments: Mapping[str, Argument]) -> Call:
    """Return arguments as they travel: tensors as safetensors, `cache/probs` for a value inside `cache`."""
    flat: dict[str, Any] = {}
    for name, argument in arguments.items():
        if isinstance(argument, Mapping):
            flat.update({f"{name}/{inner}": value for inner, value in argument.items()})
        else:
            flat[name] = argument
    tensors = {name: value.contiguous() for name, value in flat.items() if isinstance(value, Tensor)}
    numbers = {name: value for name, value in flat.items() if not isinstance(value, Tensor)}
    return Call(numbers, safetensors.torch.save(tensors))


@dataclass(frozen=True)
class Schedule:
    """An order of calls, the first of which is made again at the end: what was carried between them shows there.

    `order[k]` is the place, in the rubric's order, of the call that is made k-th.
    """

    order: tuple[int, ...]

    def arrange(self, calls: Sequence[Call]) -> tuple[Call, ...]:
        """Return calls as they are made."""
        return tuple(calls[place] for place in self.order)

    def restore(self, answers: Sequence[Answer]) -> list[Answer | None]:
        """Put the answers back into the rubric's order, None for those that there are not."""
        restored: list[Answer | None] = [None] * len(self.order)
        for place, answer in zip(self.order, answers, strict=False):
            restored[place] = answer
        return restored

    def pair(self, answers: Sequence[Answer]) -> tuple[Answer, Answer] | None:
        """Return both answers to the call that was made twice, if it was."""
        return (answers[0], answers[-1]) if len(answers) > len(self.order) else None


def make_schedule(count: int, *parts: object) -> Schedule:
    """Return an order of `count` calls, drawn in the grader's process from the parts, the seed among them."""
    return Schedule(tuple(Random(*parts, "order of calls").permutation(count).tolist()))
