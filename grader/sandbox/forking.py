"""The warm process as the grader sees it: started once, forks a child per submission. POSIX only."""

from __future__ import annotations

import copy
import json
import os
import select
import socket
import subprocess
import tempfile
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from grader.errors import SandboxError
from grader.sandbox.child import Child
from grader.sandbox.guest.protocol import pack
from grader.sandbox.isolation import child_command, own_files, readable_folders, why_no_namespaces, wrap
from grader.sandbox.wire import PolledWire
from grader.text import clean, decode

if TYPE_CHECKING:  # imported before the process is started, it would hold that up
    from grader.course import Limits
    from grader.sandbox.question import Questionnaire

START_SECONDS = 120.0
END_SECONDS = 2.0


class Forking:
    """A process that has imported torch and forks confined children; use it as a context manager."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        readable = readable_folders()
        command = child_command("warm_main", theirs.fileno(), *readable)
        no_namespaces = why_no_namespaces(readable)
        if no_namespaces is None:
            command = wrap(command, [*readable, *own_files()])
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 # closed with the process
        self._process = subprocess.Popen(  # noqa: S603 # our own interpreter and program
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env={},
            cwd="/",
            pass_fds=(theirs.fileno(),),
            # Ctrl-C is for the grader, which then closes the warm process in order.
            start_new_session=True,
        )
        theirs.close()
        self._control = ours
        self._ended: dict[int, int] = {}
        self._is_ready = False
        self._is_shared = False
        self._no_namespaces = no_namespaces
        self.isolation: tuple[str, ...] = ()
        self.weaknesses: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fork(self, limits: Limits, questionnaire: Questionnaire) -> Child:
        """Return a new child, confined to `limits`, that has the inputs of the questions in its memory.

        Raises SandboxError if there is none to be had.
        """
        self.wait_ready()
        child = self._fork(limits, questionnaire.name)
        if child is None:
            self.provide(questionnaire)
            child = self._fork(limits, questionnaire.name)
        if child is None:
            raise SandboxError("the sandbox's warm process did not keep the inputs of the course")
        return child

    def provide(self, questionnaire: Questionnaire) -> None:
        """Hand over the inputs of the questions, for every child from now on."""
        with os.fdopen(os.memfd_create("inputs"), "w+b") as file:
            file.write(pack(*questionnaire.inputs))
            file.seek(0)
            try:
                socket.send_fds(self._control, [f"inputs {questionnaire.name}".encode()], [file.fileno()])
            except OSError as error:
                raise SandboxError(self._broken()) from error

    def _fork(self, limits: Limits, inputs: str) -> Child | None:
        """Return a new child, or None if the warm process does not know the inputs of that name."""
        # Of each pair the child gets one end and the grader keeps the other.
        child_requests, requests = os.pipe()
        answers, child_answers = os.pipe()
        output, child_output = os.pipe()
        theirs = [child_requests, child_answers, child_output]
        memory, cpu = limits.memory_mb << 20, int(limits.submission_seconds) + 1
        try:
            socket.send_fds(self._control, [f"fork {memory} {cpu} {inputs}".encode()], theirs)
            pid = self._started(time.monotonic() + START_SECONDS)
        except OSError as error:
            raise SandboxError(self._broken()) from error
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        wire = PolledWire(requests, answers, output)
        if pid is None:
            wire.close()
            return None
        return Child(
            wire,
            limits.output_kb << 10,
            kill=lambda: self._kill(pid),
            exit_code=lambda: self._exit_code(pid),
        )

    def share(self) -> Forking:
        """Return a second way to this warm process, for another process or thread of the grader to use alone.

        Closing it ends the children that were forked through it, and no others.
        """
        self.wait_ready()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            socket.send_fds(self._control, [b"client"], [theirs.fileno()])
        except OSError as error:
            raise SandboxError(self._broken()) from error
        finally:
            theirs.close()
        shared = copy.copy(self)
        shared._control, shared._ended, shared._is_shared = ours, {}, True
        return shared

    @property
    def is_alive(self) -> bool:
        """Whether the warm process can still be asked for a child."""
        poller = select.poll()
        poller.register(self._control, 0)  # nothing but its end
        return not poller.poll(0)

    def _exit_code(self, pid: int) -> int | None:
        """Return how a child ended, as subprocess gives it, or None if it goes on."""
        deadline = time.monotonic() + END_SECONDS
        while pid not in self._ended and time.monotonic() < deadline:
            self._hear(deadline)
        return self._ended.get(pid)

    def close(self) -> None:
        """End the warm process and every child of it; of a shared way to it, the children of that one."""
        self._control.close()
        if self._is_shared:
            return
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _kill(self, pid: int) -> None:
        if pid not in self._ended:
            try:
                self._control.send(f"kill {pid}".encode())
            except OSError as error:
                raise SandboxError(self._broken()) from error

    def wait_ready(self) -> None:
        """Wait until a child can be forked; from then on it is known what holds and what does not.

        `isolation` has the layers that were proved, `weaknesses` a line for each of the others.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready:
            self._check(deadline)
            match self._hear(deadline):
                case ["ready", *words]:
                    self._is_ready = True
                    found = json.loads(" ".join(words))
                    self.isolation, self.weaknesses = tuple(found["layers"]), tuple(found["reasons"])
                    if self._no_namespaces is None:
                        self.isolation += ("namespaces",)
                    else:
                        self.weaknesses += (f"namespaces: {self._no_namespaces}",)

    def _started(self, deadline: float) -> int | None:
        while True:
            self._check(deadline)
            match self._hear(deadline):
                case ["unknown"]:
                    return None
                case ["started", pid]:
                    self._ended.pop(int(pid), None)  # an earlier child may have had the number
                    return int(pid)

    def _check(self, deadline: float) -> None:
        if time.monotonic() >= deadline:
            raise SandboxError(f"the sandbox's warm process said nothing for {START_SECONDS:g} s")

    def _hear(self, deadline: float) -> list[str]:
        """Return the next thing the warm process says, noting which children ended."""
        readable, _, _ = select.select([self._control], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            return []
        words = self._control.recv(4096).decode().split()
        match words:
            case []:
                raise SandboxError(self._broken())
            case ["ended", pid, status]:
                self._ended[int(pid)] = os.waitstatus_to_exitcode(int(status))
        return words

    def _broken(self) -> str:
        self._errors.seek(0)
        last = clean(decode(self._errors.read()[-4000:]), 4000, keep="tail").strip().splitlines()
        return "the sandbox's warm process ended" + (f": {last[-1]}" if last else "; nothing was said why")
