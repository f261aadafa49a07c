"""The warm process: imports torch once, then forks a confined child whenever the grader asks.

It is started by exec with an empty environment and never runs a line of a submission itself. POSIX only.
Over one control socket it takes `fork BYTES SECONDS` with three descriptors (requests, answers, output),
`kill PID`, and `cpu PID`, which asks for a child's processor time; it says `ready`, `started PID`,
`cpu PID NANOSECONDS` (-1 if that is not known), and `ended PID STATUS` when a child is gone. When the socket
closes it kills what is left and ends. `client` brings one descriptor, the end of a further control socket:
another process of the grader then has children of its own, which end with that socket.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time

from grader.sandbox.guest.box import Box, Budget, build_box
from grader.sandbox.guest.guard import Guard
from grader.sandbox.guest.requests import respond
from grader.sandbox.guest.warm_up import rehearse, use_course_settings


def main(control_descriptor: str, *readable: str) -> None:
    """Serve fork requests until the control socket closes; of files, children may read `readable` only."""
    control = socket.socket(fileno=int(control_descriptor))
    use_course_settings()
    guard = Guard()
    rehearse(guard)
    box = build_box(readable)
    gc.collect()
    gc.freeze()
    control.send(f"ready {json.dumps({'layers': box.layers, 'reasons': box.reasons})}".encode())
    _Server(control, box, guard).serve()
    # Taking torch down in order takes a tenth of a second, and whoever closed the socket waits.
    os._exit(0)


class _Server:
    def __init__(self, control: socket.socket, box: Box, guard: Guard) -> None:
        self.control = control
        self.box = box
        self.guard = guard
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ)
        self.children: dict[int, tuple[int, socket.socket]] = {}  # pid -> pidfd, and who asked for it

    def serve(self) -> None:
        while True:
            for key, _ in self.selector.select():
                if not isinstance(key.fileobj, socket.socket):
                    self._reap(key.data)
                elif not self._obey(key.fileobj):
                    self._leave(key.fileobj)
                    if key.fileobj is self.control:
                        return

    def _obey(self, control: socket.socket) -> bool:
        try:
            request, descriptors, _, _ = socket.recv_fds(control, 256, 3)
        except ConnectionError:
            return False
        match request.decode().split():
            case ["fork", memory_bytes, cpu_seconds]:
                self._fork(control, descriptors, Budget(int(memory_bytes), int(cpu_seconds)))
            case ["client"]:
                self.selector.register(socket.socket(fileno=descriptors[0]), selectors.EVENT_READ)
            case ["kill", pid] if int(pid) in self.children:
                os.kill(int(pid), signal.SIGKILL)
            case ["cpu", pid]:
                _tell(control, f"cpu {pid} {_cpu_nanoseconds(int(pid)) if int(pid) in self.children else -1}")
            case []:
                return False
        return True

    def _leave(self, control: socket.socket) -> None:
        """Kill the children of a control socket that closed; with the first one go all."""
        for pid, (_, owner) in self.children.items():
            if control in (owner, self.control):
                os.kill(pid, signal.SIGKILL)
        self.selector.unregister(control)
        control.close()

    def _fork(self, control: socket.socket, descriptors: list[int], budget: Budget) -> None:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                self.selector.close()
                _become_child(descriptors, self.box, self.guard, budget)
                status = 0
            finally:
                os._exit(status)
        for descriptor in descriptors:
            os.close(descriptor)
        pidfd = os.pidfd_open(pid)
        self.children[pid] = pidfd, control
        self.selector.register(pidfd, selectors.EVENT_READ, pid)
        _tell(control, f"started {pid}")

    def _reap(self, pid: int) -> None:
        _, status = os.waitpid(pid, 0)
        pidfd, control = self.children.pop(pid)
        self.selector.unregister(pidfd)
        os.close(pidfd)
        _tell(control, f"ended {pid} {status}")


def _cpu_nanoseconds(pid: int) -> int:
    """Return the processor time that a child has used, or -1 where the system tells it in another way."""
    if sys.platform != "linux":
        return -1
    # The number that clock_getcpuclockid(3) returns; as a clock it needs no /proc and counts in nanoseconds.
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return -1  # it has just ended


def _tell(control: socket.socket, words: str) -> None:
    # Who asked may have gone; the selector says so, too.
    with contextlib.suppress(OSError):
        control.send(words.encode())


def _become_child(descriptors: list[int], box: Box, guard: Guard, budget: Budget) -> None:
    requests, answers, output = descriptors
    os.dup2(output, 1)
    os.dup2(output, 2)
    box.confine(budget, keep=(0, 1, 2, requests, answers))
    respond(requests, answers, guard)
