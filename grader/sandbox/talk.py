"""A talk with one child: the questions that it has answered, and the time that it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.sandbox.child import Child, Heard
from grader.sandbox.question import Question

# Between looks at what a child has answered.
PAUSE = 0.002


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
