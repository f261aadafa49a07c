"""The processes of a running batch, by what they are: how much memory each has to itself, and the time they use."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

INTERVAL = 0.5
TICKS = os.sysconf("SC_CLK_TCK")


class Watcher(threading.Thread):
    """Watches a batch until it is gone.

    memory  the most private memory that one process of a kind had, in MB
    seconds processor time of all processes of a kind together; that of children is counted as they end
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.memory: dict[str, float] = {}
        self._used: dict[tuple[str, int], float] = {}
        self.start()

    @property
    def seconds(self) -> dict[str, float]:
        """Processor time by kind of process."""
        kinds = dict.fromkeys(kind for kind, _ in self._used)
        return {kind: sum(used for (each, _), used in self._used.items() if each == kind) for kind in kinds}

    def run(self) -> None:
        """Look at every process twice a second."""
        over = threading.Event()
        while Path(f"/proc/{self.pid}/stat").exists() and not over.wait(INTERVAL):
            for kind, pid in _kinds(self.pid):
                with contextlib.suppress(OSError, IndexError):
                    self._look(kind, pid)

    def _look(self, kind: str, pid: int) -> None:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        private = sum(int(number) for number in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.MULTILINE))
        self.memory[kind] = max(self.memory.get(kind, 0.0), private / 1024)
        user, system, childrens_user, childrens_system = map(int, _stat(pid)[11:15])
        if kind != "child":
            self._used[kind, pid] = (user + system) / TICKS
        if kind == "warm":
            self._used["child", pid] = (childrens_user + childrens_system) / TICKS


def _kinds(pid: int) -> Iterator[tuple[str, int]]:
    """Yield the processes of a batch with what they are."""
    yield "batch", pid
    for root in _children(pid):
        yield "root", root
        for below in _children(root):
            if b"grader.sandbox." in _command(below):
                yield from _of_warm(below)
            else:
                yield "worker", below


def _of_warm(pid: int) -> Iterator[tuple[str, int]]:
    """Yield the warm process, which may be inside namespaces, and the children that it forked."""
    below = _children(pid)
    while below and b"bwrap" in _command(pid)[:40]:
        pid, below = below[0], _children(below[0])
    yield "warm", pid
    yield from (("child", child) for child in below)


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _stat(pid: int) -> list[str]:
    # The second field is the process's name, in brackets, and may hold anything.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
