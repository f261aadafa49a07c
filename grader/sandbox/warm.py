"""The two ways to a confined child: forked from a warm process, or started fresh where a fork is not safe."""

from __future__ import annotations

import os
import socket
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.course import Limits
    from grader.sandbox.child import Child
    from grader.sandbox.question import Questionnaire

VARIABLE = "GRADE_SANDBOX"
WAYS = ("fork", "fresh")


class Warm(Protocol):
    """Where children come from; use it as a context manager.

    Once it is ready, `isolation` has the layers that were proved, `weaknesses` a line for each of the others.
    """

    isolation: tuple[str, ...]
    weaknesses: tuple[str, ...]

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def fork(self, limits: Limits, questionnaire: Questionnaire) -> Child:
        """Return a new child, confined to `limits`, that has the inputs of the questions.

        Raises SandboxError if there is none to be had.
        """

    def provide(self, questionnaire: Questionnaire) -> None:
        """Hand over the inputs of the questions ahead of the first child that needs them."""

    def share(self) -> Warm:
        """Return a second way to children, for another process or thread of the grader to use alone."""

    @property
    def is_alive(self) -> bool:
        """Whether a child can still be had."""

    def wait_ready(self) -> None:
        """Wait until a child can be had; from then on it is known what holds and what does not."""

    def close(self) -> None:
        """End every child."""


def start_warm(way: str | None = None) -> Warm:
    """Start what children come from: `fork` or `fresh`, by default what GRADE_SANDBOX says or else what is safe here.

    It begins to import torch, and does not wait. Raises UsageError for another way.
    """
    way = way or os.environ.get(VARIABLE) or ("fork" if can_fork() else "fresh")
    if way == "fork":
        from grader.sandbox.forking import Forking

        return Forking()
    if way == "fresh":
        from grader.sandbox.fresh import Fresh

        return Fresh()
    raise UsageError(f"{VARIABLE}={way} names no way to start a sandbox; write {' or '.join(WAYS)}")


def can_fork() -> bool:
    """Return whether a process that has imported torch can fork safely here, and be told to."""
    # On macOS a forked child may hang in the system's own libraries.
    has_all = hasattr(os, "fork") and hasattr(os, "pidfd_open") and hasattr(socket, "AF_UNIX")
    return sys.platform == "linux" and has_all and hasattr(socket, "SOCK_SEQPACKET")
