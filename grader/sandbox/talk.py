"""A talk with one child: the questions that it has answered, and the time that it took and may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.sandbox.child import Child, Heard
from grader.sandbox.question import Question

# Between looks at what a child has answered.
PAUSE = 0.002


class Allowance:
    """The seconds that are left to a submission.

    Where the end of one function has us ask others again, they get their time back, but in all no more than once: what
    ends its process again and again may take twice the time of a submission, and not so many times as it has functions.
    """

    def __init__(self, seconds: float) -> None:
        self.left = self._to_give = seconds

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left."""
        return self.left <= 0

    def spend(self, seconds: float) -> None:
        """Take away time that a child took."""
        self.left -= seconds

    def give_back(self, seconds: float) -> None:
        """Give back time for what is asked again, as long as there is any to give."""
        given = min(seconds, self._to_give)
        self._to_give, self.left = self._to_give - given, self.left + given


@dataclass
class Talk:
    """One child, and the questions that it has answered; `child` is None once it has ended."""

    child: Child | None
    answered: list[Question] = field(default_factory=list)
    seconds: float = 0.0

    def request(self, message: Mapping[str, Any], payload: bytes = b"") -> None:
        """Ask the child for something, whose parts are to be heard."""
        assert self.child is not None
        self.child.request(message, payload)

    def hear(self, seconds: float) -> Heard:
        """Wait, `seconds` at the most, for the next part of what was asked for last."""
        assert self.child is not None
        return self.child.hear(seconds, PAUSE)

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self.child is not None:
            child, self.child = self.child, None
            child.close()
