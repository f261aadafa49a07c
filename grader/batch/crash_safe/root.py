"""The trusted root of a LocalExecutor: makes ready once what every worker needs, then forks workers. POSIX only.

It is started by exec. A fork shares the pages of an imported torch and of the expected gradients, so a
further worker costs what it changes.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from grader.errors import GraderError

Step = tuple[Callable[..., Any], tuple[Any, ...]]


def main(control_descriptor: int) -> None:
    """Serve fork requests until the control socket closes; then no worker is left."""
    control = socket.socket(fileno=control_descriptor)
    _die_with_parent(True)
    prepare, settle = pickle.loads(control.recv(1 << 20))  # noqa: S301 # from our own parent
    try:
        answer = True, _call(prepare)
    except Exception as error:  # noqa: BLE001 # it is raised again in the parent
        answer = False, error
    # From here on the closed control socket tells of the parent's end, and the workers are ended in order.
    _die_with_parent(False)
    control.send(pickle.dumps(answer))
    gc.collect()
    gc.freeze()
    workers: set[int] = set()
    while True:
        try:
            request, descriptors, _, _ = socket.recv_fds(control, 16, 1)
        except ConnectionError:
            request = b""
        if not request:
            break
        # Those that died meanwhile. Not by ignoring SIGCHLD: what a worker starts would inherit that, and bubblewrap
        # waits for the signal.
        workers = {worker for worker in workers if os.waitpid(worker, os.WNOHANG)[0] == 0}
        pid = os.fork()
        if pid == 0:
            try:
                control.close()
                serve(Connection(descriptors[0]), settle)
            finally:
                os._exit(0)
        workers.add(pid)
        os.close(descriptors[0])
    # The root was started as the head of a process group, and its workers are the rest of it.
    os.killpg(os.getpgrp(), signal.SIGKILL)


def serve(line: Connection, settle: Step) -> None:
    """Do what arrives on a line, one task after the other, until it closes."""
    _call(settle)
    line.send(os.getpid())
    while True:
        try:
            function, args, kwargs = line.recv()
        except (EOFError, OSError):
            return
        try:
            answer = True, function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 # it is raised again in the parent
            answer = False, error
        try:
            line.send(answer)
        except (pickle.PicklingError, TypeError, AttributeError):
            line.send((False, GraderError(f"{type(answer[1]).__name__}: {answer[1]}")))


def _die_with_parent(dies: bool) -> None:
    """Have the kernel end this process, while it is too busy to listen, when its parent ends (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL if dies else 0, 0, 0, 0)


def _call(step: Step) -> Any:
    function, arguments = step
    return function(*arguments)
