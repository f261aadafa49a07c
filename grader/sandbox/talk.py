"""A talk with one child: the questions that it has answered, and the processor time that it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.sandbox.child import Child, Heard
from grader.sandbox.question import Question

# A call that took less wall time cannot have used enough processor time to be remarked on.
WORTH_A_LOOK = 0.2
# Between looks at what a child has answered.
PAUSE = 0.002


@dataclass
class Talk:
    """One child, and the questions that it has answered; `child` is None once it has ended.

    `clock` is its processor time when that was last looked at, and `unclocked` the wall time since then.
    """

    child: Child | None
    answered: list[Question] = field(default_factory=list)
    seconds: float = 0.0
    clock: float = 0.0
    unclocked: float = 0.0

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

    def processor_time(self, heard: Heard) -> float | None:
        """Return the processor time of a call, at the least, if it took long enough to look."""
        if heard.frame is None or self.child is None or heard.seconds < WORTH_A_LOOK:
            return None
        now = self.child.cpu_seconds()
        if now is None:
            return None
        # What went before, quick calls and loading, may have been work or waiting: it counts as work.
        used = now - self.clock - (self.unclocked - heard.seconds)
        self.clock, self.unclocked = now, 0.0
        return max(0.0, min(used, heard.seconds))
