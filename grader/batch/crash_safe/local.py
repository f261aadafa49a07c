"""An executor of local processes, forked from a trusted root that has made ready what all of them need. POSIX only."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from grader.errors import GraderError, SandboxError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_BOOT = """
import json, sys
control, path = sys.argv[1:]
sys.path[:] = json.loads(path)
from grader.batch.crash_safe.root import main
main(int(control))
"""
END_SECONDS = 1.0


class WorkerDiedError(GraderError):
    """A worker ended, or was ended for being silent too long, while it had a task."""


class LocalExecutor(Executor):
    """Runs tasks in `jobs` local processes.

    `prepare` is called once, in the root, and what it returns is `prepared`; `settle` is called in each
    worker after it was forked. Both are functions of modules, as tasks are. A worker that says nothing for
    `task_seconds` is ended; its task, as that of one that died, raises WorkerDiedError.
    """

    def __init__(
        self,
        jobs: int,
        prepare: tuple[Callable[..., Any], tuple[Any, ...]],
        settle: tuple[Callable[..., Any], tuple[Any, ...]],
        task_seconds: float = 900.0,
    ) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 # closed with the root
        # Relative entries of the path would be looked up where the submissions are.
        path = json.dumps([entry for entry in sys.path if Path(entry).is_absolute()])
        self._root = subprocess.Popen(  # noqa: S603 # our own interpreter and program
            [sys.executable, "-I", "-X", "utf8", "-c", _BOOT, str(theirs.fileno()), path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            cwd="/",
            pass_fds=(theirs.fileno(),),
            # Ctrl-C is for the parent, which then ends the root and its workers.
            start_new_session=True,
        )
        theirs.close()
        self._control = ours
        self._task_seconds = task_seconds
        self._threads = ThreadPoolExecutor(jobs, "slot")
        self._slots: list[_Worker] = []  # those that wait for a task
        self._lock = threading.Lock()
        self._has_ended = False
        with contextlib.suppress(OSError):
            self._control.send(pickle.dumps((prepare, settle)))

    @property
    def prepared(self) -> Any:
        """What `prepare` returned; waits for it, and raises what it raised."""
        with self._lock:
            if not hasattr(self, "_prepared"):
                try:
                    answer = self._control.recv(1 << 20)
                except OSError:
                    answer = b""
                if not answer:
                    raise SandboxError(self._last_words())
                self._prepared: tuple[bool, Any] = pickle.loads(answer)  # noqa: S301 # from our own root
        succeeded, value = self._prepared
        if not succeeded:
            raise value
        return value

    def submit(
        self, fn: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """Have a task done; the future raises WorkerDiedError if its worker ends."""
        return self._threads.submit(self._run, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers and the root; without `wait`, whatever they are doing."""
        if wait:
            self._threads.shutdown(wait=True, cancel_futures=cancel_futures)
        self._has_ended = True
        self._control.close()  # the root then kills its workers and ends
        self._threads.shutdown(wait=False, cancel_futures=True)
        try:
            self._root.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._root.kill()
            self._root.wait()
        self._errors.close()

    def _run(self, fn: Callable[..., Result], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Result:
        with self._lock:
            worker = self._slots.pop() if self._slots else None
        worker = worker or self._fork()
        try:
            succeeded, value = worker.do((fn, args, kwargs), self._task_seconds)
        except WorkerDiedError:
            worker.close()
            raise
        with self._lock:
            self._slots.append(worker)
        if not succeeded:
            raise value
        return value  # type: ignore[no-any-return] # what fn returned, from another process

    def _fork(self) -> _Worker:
        self.prepared  # noqa: B018 # the root forks when it is ready
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self._control, [b"worker"], [theirs.fileno()])
        except OSError as error:
            raise SandboxError(self._last_words()) from error
        finally:
            theirs.close()
        return _Worker(Connection(ours.detach()))

    def _last_words(self) -> str:
        if self._has_ended:
            return "the batch was stopped"
        self._errors.seek(0)
        last = self._errors.read()[-4000:].decode(errors="replace").strip().splitlines()
        return "the grader's own process ended" + (f": {last[-1]}" if last else "; nothing was said why")


class _Worker:
    """One worker process, seen from the parent."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        try:
            self._pid: int = line.recv()
        except (EOFError, OSError) as error:
            raise SandboxError("a worker of the grader could not be started") from error

    def do(self, task: Any, seconds: float) -> tuple[bool, Any]:
        try:
            self._line.send(task)
            if not self._line.poll(seconds):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)
                raise WorkerDiedError(f"the grader's worker said nothing for {seconds:g} s")
            return self._line.recv()  # type: ignore[no-any-return] # a pair, see root.serve
        except (EOFError, OSError) as error:
            raise WorkerDiedError("the grader's worker process died") from error

    def close(self) -> None:
        self._line.close()
