"""A question: one function to ask a submission for, and the calls to make of it; all of a course's travel at once."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor

from grader.course import Arrays, Exercise
from grader.course.cases import Argument, Case, Random
from grader.course.trace import Value
from grader.sandbox.answer import Answer
from grader.sandbox.guest.protocol import pack
from grader.sandbox.guest.tensors import pack_tensors


@dataclass(frozen=True)
class Statements:
    """How an exercise is found that is no function: what its statements may not rest on, and other names for values.

    With `in_float32` they run again on float32 data where a dtype is in their way.
    """

    between: tuple[str, ...]
    aliases: Mapping[str, str]
    in_float32: bool = False


@dataclass(frozen=True)
class Question:
    """One function to look for, first in the file `home`, and the inputs of its calls by name.

    `order[k]` is the place, in the rubric's order, of the call that is made k-th: the cases' own order would tell a
    submission which one it has before it. A question without an order is of a timed exercise, and asked apart.
    `room` are the numbers and axes that each gradient may have: a larger one is not looked at, only its shape is told.
    `cache` is the order of a cache that is a tuple, `maker` the student's function that makes it and what that is
    given, and `returns` the order of what is returned, if it is more than the gradients.
    """

    function: str
    home: str
    given: tuple[str, ...]
    gradients: tuple[str, ...]
    calls: tuple[Mapping[str, Value], ...]
    order: tuple[int, ...] = ()
    statements: Statements | None = None
    room: tuple[tuple[int, int], ...] = ()
    arrays: Arrays = Arrays.TORCH
    cache: tuple[str, ...] | None = None
    maker: tuple[str, tuple[str, ...]] | None = None
    returns: tuple[str, ...] = ()

    def restore(self, answers: Sequence[Answer]) -> list[Answer | None]:
        """Put answers in the order of the calls into that of the rubric, None for those that there are not."""
        restored: list[Answer | None] = [None] * len(self.order)
        for place, answer in zip(self.order, answers, strict=False):
            restored[place] = answer
        return restored

    def names(self) -> dict[str, object]:
        """Return what a request says about the function."""
        names = {"function": self.function, "home": self.home, "given": self.given, "gradients": self.gradients}
        form = {"arrays": self.arrays, "cache": self.cache or (), "maker": self.maker, "returns": self.returns}
        return {**names, **form, "room": self.room, "is_statements": self.statements is not None}


# A gradient that is not summed yet has one or two axes more, each some times as long as what it is summed to.
MOST_TIMES, MOST_MORE, MORE_AXES = 64, 4096, 3


def room_for(exercise: Exercise, cases: Sequence[Case]) -> tuple[tuple[int, int], ...]:
    """Return the numbers and axes that each gradient of an exercise may have."""
    right = [[case.expected[gradient.value] for case in cases] for gradient in exercise.gradients]
    return tuple(
        (
            MOST_TIMES * max(each.numel() for each in tensors) + MOST_MORE,
            MORE_AXES + max(each.dim() for each in tensors),
        )
        for tensors in right
    )


@dataclass(frozen=True)
class Questionnaire:
    """All that a submission may be asked: the same for everybody, so its inputs travel once."""

    questions: tuple[Question, ...]

    @property
    def functions(self) -> list[str]:
        """The functions that are asked for."""
        return list(dict.fromkeys(question.function for question in self.questions))

    @property
    def wanted(self) -> list[str]:
        """The functions that are looked for: those that are asked for, and those that make a cache for them."""
        makers = [question.maker[0] for question in self.questions if question.maker is not None]
        return list(dict.fromkeys([*self.functions, *makers]))

    @cached_property
    def statements(self) -> list[dict[str, object]]:
        """What a request says of the exercises that are no functions."""
        return [
            {
                **question.names(),
                "index": self.index(question),
                "between": each.between,
                "aliases": dict(each.aliases),
                "float32": each.in_float32,
            }
            for question in self.questions
            if (each := question.statements) is not None
        ]

    def index(self, question: Question) -> int:
        """Return the place of a question."""
        return next(place for place, each in enumerate(self.questions) if each is question)

    @cached_property
    def inputs(self) -> tuple[dict[str, Any], bytes]:
        """The inputs of all calls as a message and its payload."""
        described: list[list[dict[str, Any]]] = []
        payload = bytearray()
        for question in self.questions:
            described.append([])
            for values in question.calls:
                about, data = pack_call(values)
                described[-1].append(about)
                payload += data
        return {"do": "inputs", "calls": described}, bytes(payload)

    @cached_property
    def name(self) -> str:
        """A name that no other inputs have."""
        return hashlib.sha256(pack(*self.inputs)).hexdigest()


@dataclass(frozen=True)
class NewCall:
    """A call with numbers that no submission has seen: its case, which stays here, and its inputs as they travel.

    `known` remembers of answers which gradients are wrong: a class shares its right ones bit for bit.
    """

    case: Case
    described: Mapping[str, Any]
    data: bytes
    known: dict[Hashable, tuple[str, ...]] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Again:
    """What a function is asked when its answers have left: a call with new numbers, and the `number`th one again."""

    new: NewCall | None
    number: int
    is_repeated: bool

    @property
    def data(self) -> bytes:
        """The numbers of the new call."""
        return self.new.data if self.new is not None else b""

    def describe(self, index: int) -> dict[str, Any]:
        """Return it as a child is told it; `index` is the function's place in the questionnaire."""
        new = self.new.described if self.new is not None else {"numbers": {}, "tensors": [], "length": 0}
        return {"index": index, "number": self.number, "repeat": self.is_repeated, **new}


def pack_call(values: Mapping[str, Value]) -> tuple[dict[str, Any], bytes]:
    """Return the inputs of one call as a message and its payload."""
    tensors = {name: value for name, value in values.items() if isinstance(value, Tensor)}
    numbers = {name: value for name, value in values.items() if not isinstance(value, Tensor)}
    entries, data = pack_tensors(tensors)
    return {"numbers": numbers, "tensors": entries, "length": len(data)}, data


def flatten(arguments: Mapping[str, Argument]) -> dict[str, Value]:
    """Return arguments as they travel: `cache/probs` for a value inside `cache`."""
    flat: dict[str, Any] = {}
    for name, argument in arguments.items():
        if isinstance(argument, Mapping) and name == "cache":
            flat.update({f"{name}/{inner}": value for inner, value in argument.items()})
        else:
            flat[name] = argument
    return flat


def draw_order(count: int, *parts: object) -> tuple[int, ...]:
    """Return an order of `count` calls, drawn in the grader's process from the parts, the seed among them."""
    return tuple(Random(*parts, "order of calls").permutation(count).tolist())
