"""One function to ask a submission for, and the calls to make of it, ready to travel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import safetensors.torch
from torch import Tensor

from grader.course.cases import Argument


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
