"""The command as a fork: what a start costs, to import torch twice, is paid once for many commands.

A server has imported what `grade` imports, and a warm process stands ready. For each command it forks: arguments,
folder, environment and streams are the command's own, and it runs `grader.cli.main` to its exit code. It takes a share
of the warm process, as the workers of a batch do; a batch starts its own. What is about a start, signals, or closed
streams starts the real command instead.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 120
# What commands import when they run.
IMPORTED = (
    "grader.cli",
    "grader.grading",
    "grader.report.terminal",
    "grader.report.html",
    "grader.workbench.records",
    "grader.authoring.check",
    "grader.authoring.new",
    "grader.batch",
    "grader.batch.worker",
)


def grade(*arguments: object, cwd: Path | None = None, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, with changes to the environment; returns it finished."""
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT), **changes}
    words = list(map(str, arguments))
    with (
        Path(os.devnull).open("rb") as nothing,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        streams = [nothing.fileno(), out.fileno(), err.fileno()]
        code = _run(words, cwd or Path.cwd(), environment, streams)
        for stream in (out, err):
            stream.seek(0)
        return subprocess.CompletedProcess(["grade", *words], code, out.read().decode(), err.read().decode())


def _run(words: list[str], cwd: Path, environment: Mapping[str, str], streams: list[int]) -> int:
    control = _server()
    about = {"words": words, "cwd": str(cwd), "environment": dict(environment)}
    socket.send_fds(control, [json.dumps(about).encode()], streams)
    pid = int(control.recv(64))
    try:
        return os.waitstatus_to_exitcode(int(control.recv(64)))
    except TimeoutError as error:
        os.kill(pid, signal.SIGKILL)
        control.recv(64)
        raise subprocess.TimeoutExpired(words, SECONDS) from error


@cache
def _server() -> socket.socket:
    """Start a server for this process and those to come, and return the way to it; it ends with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, __file__, str(theirs.fileno())]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        started = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    ours.settimeout(SECONDS)

    def end() -> None:
        ours.close()
        started.wait()

    atexit.register(end)
    return ours


def serve(control: socket.socket) -> None:
    """Fork a command for each request, one after the other, until nobody can ask any more."""
    from grader.sandbox.warm import start_warm

    with start_warm() as warm:
        for name in IMPORTED:
            importlib.import_module(name)
        while True:
            request, streams, _, _ = socket.recv_fds(control, 1 << 20, 3)
            if not request:
                return
            shared = warm.share()
            pid = os.fork()
            if pid == 0:
                control.close()
                _become(json.loads(request), streams, shared)
            shared.close()
            for descriptor in streams:
                os.close(descriptor)
            control.send(str(pid).encode())
            control.send(str(os.waitpid(pid, 0)[1]).encode())


def _become(about: Mapping[str, object], streams: list[int], shared: object) -> NoReturn:
    """Be a command in this process."""
    import grader.cli
    import grader.sandbox.warm as warm

    start = warm.start_warm
    # As in a batch, where a worker has a share of its parent's; who asks for another way gets that one.
    warm.start_warm = lambda way=None: start(way) if way or warm.VARIABLE in os.environ else shared
    code = 1
    try:
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(about["environment"])
        os.chdir(about["cwd"])
        sys.path[0] = about["cwd"]
        sys.argv = ["grade", *about["words"]]
        sys.stdin = os.fdopen(0, closefd=False)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", errors="backslashreplace", closefd=False)
        grader.cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 # as Python ends with one: its traceback, and 1
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
