"""The warm process: imports torch once, then forks a confined child whenever the grader asks.

It is started by exec with an empty environment and never runs a line of a submission itself. POSIX only.
Over a control socket it takes:
  inputs NAME               with a descriptor to read them from
  fork BYTES SECONDS NAME   with descriptors for requests, answers and output: a child that has those inputs in memory
  kill PID
  client                    with the end of a further control socket, for another process of the grader
and says `ready`, `started PID` or `unknown` (inputs of that name), and `ended PID STATUS` when a child is gone.
A client's children end when its socket closes; when the first one does, all end, and the warm process with them.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket

from grader.sandbox.guest.box import Box, Budget, build_box
from grader.sandbox.guest.guard import Guard
from grader.sandbox.guest.inputs import Inputs, unpack_inputs
from grader.sandbox.guest.protocol import read_frame
from grader.sandbox.guest.requests import respond
from grader.sandbox.guest.warm_up import rehearse, use_course_settings

# Of how many courses, seeds and selections the inputs are kept.
KEPT_INPUTS = 4


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
        self.inputs: dict[str, Inputs] = {}
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
            case ["inputs", name]:
                self._take_inputs(name, descriptors[0])
            case ["fork", _, _, name] if name not in self.inputs:
                for descriptor in descriptors:
                    os.close(descriptor)
                _tell(control, "unknown")
            case ["fork", memory_bytes, cpu_seconds, name]:
                budget = Budget(int(memory_bytes), int(cpu_seconds))
                self._fork(control, descriptors, budget, self.inputs[name])
            case ["client"]:
                self.selector.register(socket.socket(fileno=descriptors[0]), selectors.EVENT_READ)
            case ["kill", pid] if int(pid) in self.children:
                os.kill(int(pid), signal.SIGKILL)
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

    def _take_inputs(self, name: str, descriptor: int) -> None:
        frame = read_frame(descriptor)
        os.close(descriptor)
        if frame is not None and name not in self.inputs:
            assert isinstance(frame.payload, bytearray)
            self.inputs[name] = unpack_inputs(frame.message, frame.payload)
            for old in list(self.inputs)[:-KEPT_INPUTS]:
                del self.inputs[old]
            # What a child never collects it need not copy.
            gc.freeze()

    def _fork(self, control: socket.socket, descriptors: list[int], budget: Budget, inputs: Inputs) -> None:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                self.selector.close()
                self.inputs.clear()  # those of hidden cases are for the children that are asked them
                _become_child(descriptors, self.box, self.guard, budget, inputs)
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


def _tell(control: socket.socket, words: str) -> None:
    # Who asked may have gone; the selector says so, too.
    with contextlib.suppress(OSError):
        control.send(words.encode())


def _become_child(descriptors: list[int], box: Box, guard: Guard, budget: Budget, inputs: Inputs) -> None:
    requests, answers, output = descriptors
    os.dup2(output, 1)
    os.dup2(output, 2)
    box.confine(budget, keep=(0, 1, 2, requests, answers))
    respond(requests, answers, guard, inputs)
