"""Children that are started fresh, for systems where a process with torch can't fork: one spare always waits.

Importing torch takes seconds; a spare does so while the submission before it is graded.
"""

from __future__ import annotations

import contextlib
import copy
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from grader.errors import SandboxError
from grader.sandbox.child import Child, Heard
from grader.sandbox.isolation import child_command, readable_folders
from grader.sandbox.wire import ThreadedWire, Wire

if TYPE_CHECKING:  # imported before a spare is started, it would hold that up
    from grader.course import Limits
    from grader.sandbox.question import Questionnaire

START_SECONDS = 120.0
END_SECONDS = 2.0
# Windows does not start a program without it.
KEPT_VARIABLES = ("SYSTEMROOT",)
START_OUTPUT_BYTES = 1 << 20
NO_NAMESPACES = "namespaces: a child that is started fresh has none"


class Fresh:
    """Starts a confined child whenever it is asked for one, from a process of its own."""

    def __init__(self) -> None:
        self._command = child_command("child_main", *(readable_folders() if sys.platform == "linux" else ()))
        self._is_closed = False
        self._is_ready = False
        self.isolation: tuple[str, ...] = ()
        self.weaknesses: tuple[str, ...] = ()
        self._spare: _Process | None = _Process.start(self._command)
        self._others: list[_Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fork(self, limits: Limits, questionnaire: Questionnaire) -> Child:
        """Return a new child, confined to `limits`, that was given the inputs of the questions.

        Raises SandboxError if there is none to be had.
        """
        self.wait_ready()
        assert self._spare is not None
        process, self._spare = self._spare, _Process.start(self._command)
        self._others = [*(other for other in self._others if other.exit_code(0) is None), process]
        budget = {"memory_bytes": limits.memory_mb << 20, "cpu_seconds": int(limits.submission_seconds) + 1}
        _answer(process.child(START_OUTPUT_BYTES).ask({"do": "confine", **budget}, b"", START_SECONDS))
        _answer(process.child(START_OUTPUT_BYTES).ask(*questionnaire.inputs, START_SECONDS))
        return process.child(limits.output_kb << 10)

    def provide(self, questionnaire: Questionnaire) -> None:
        """Do nothing: each child is given its inputs when it is started."""

    def share(self) -> Fresh:
        """Return a second way to children, for another process or thread of the grader to use alone."""
        self.wait_ready()
        shared = copy.copy(self)
        shared._spare, shared._others, shared._is_ready = None, [], False
        return shared

    @property
    def is_alive(self) -> bool:
        """Whether a child can still be had."""
        return not self._is_closed

    def wait_ready(self) -> None:
        """Wait until a child can be had; from then on it is known what holds and what does not."""
        if self._spare is None:
            self._spare = _Process.start(self._command)
        if not self._spare.is_greeted:
            found = _answer(self._spare.child(START_OUTPUT_BYTES).ask({"do": "hello"}, b"", START_SECONDS))
            self._spare.is_greeted = True
            if self.isolation and self.isolation != tuple(found["layers"]):
                raise SandboxError("a child of the sandbox has other layers than the first one")
            self.isolation = tuple(found["layers"])
            self.weaknesses = (*found["reasons"], NO_NAMESPACES)

    def close(self) -> None:
        """End every child, and the spare."""
        self._is_closed = True
        for process in (*self._others, *([self._spare] if self._spare else [])):
            process.close()
        self._spare, self._others = None, []


@dataclass
class _Process:
    process: subprocess.Popen[bytes]
    wire: Wire
    is_greeted: bool = False
    is_closed: bool = False

    @classmethod
    def start(cls, command: list[str], wire: Callable[[int, int, int], Wire] = ThreadedWire) -> _Process:
        process = subprocess.Popen(  # noqa: S603 # our own interpreter and program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
            cwd=Path(sys.executable).anchor,
            # Ctrl-C is for the grader, which then ends its children in order.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        return cls(process, wire(*map(_taken, (process.stdin, process.stdout, process.stderr))))

    def child(self, output_bytes: int) -> Child:
        return Child(self.wire, output_bytes, self.close, lambda: self.exit_code(END_SECONDS))

    def exit_code(self, seconds: float) -> int | None:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        if hasattr(os, "killpg"):
            # Whatever it started, where it could; the group is its own.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()


def _taken(pipe: IO[bytes] | None) -> int:
    """Return a descriptor of a pipe that Popen made, apart from its file object."""
    assert pipe is not None
    with pipe:
        return os.dup(pipe.fileno())


def _answer(heard: Heard) -> Mapping[str, Any]:
    if heard.frame is None:
        last = heard.printed.strip().splitlines()[-1:]
        raise SandboxError(f"a child of the sandbox could not be started: {''.join(last) or heard.end.name.lower()}")
    return heard.frame.message
