"""In which order a function's calls are made: the cases' own tells a submission which one it has before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.course.cases import Random
from grader.sandbox.answer import Answer
from grader.sandbox.question import Call


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
