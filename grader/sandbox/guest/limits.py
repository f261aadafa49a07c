"""Resource limits of a submission, and the privileges by which it could lift them.

Only the sandbox's POSIX side imports this.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import struct
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.sandbox.guest.libc import call

# Descriptors that a submission may hold at once: imports need a few, a leak should show early.
DESCRIPTORS = 64

# Of no use to a submission. NPROC does not bind uid 0, so it is not what stops a fork bomb: seccomp is.
_NAMES = ("CORE", "FSIZE", "NPROC", "MEMLOCK", "MSGQUEUE", "NICE", "RTPRIO", "SIGPENDING")
NOTHING_OF = tuple(getattr(resource, f"RLIMIT_{name}") for name in _NAMES if hasattr(resource, f"RLIMIT_{name}"))

CAPABILITY_VERSION = 0x20080522
# Root in a container may need this to read a Python that lies in somebody's home; what may be read, Landlock says.
CAP_DAC_READ_SEARCH = 1 << 2


@dataclass(frozen=True)
class Budget:
    """What one child may use: memory beyond what the warm process has mapped, and seconds of processor time."""

    memory_bytes: int
    cpu_seconds: int


def apply_limits(budget: Budget) -> None:
    """Limit the calling process to `budget`, for good.

    A limit that the system already set lower stays. Nothing can be written to a file: output needs a pipe.
    """
    mapped = _mapped_bytes()
    if mapped is not None:
        _lower(resource.RLIMIT_AS, mapped + budget.memory_bytes)
    # A process that imported torch itself has used some already; a forked one starts at zero.
    # The hard limit kills; the soft one sends a signal that a submission could ignore.
    _lower(resource.RLIMIT_CPU, round(time.process_time()) + budget.cpu_seconds)
    _lower(resource.RLIMIT_NOFILE, DESCRIPTORS)
    for kind in NOTHING_OF:
        _lower(kind, 0)
    if sys.platform == "linux":
        _drop_capabilities()


def _mapped_bytes() -> int | None:
    try:
        statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None  # no /proc: the memory limit would count what is mapped already, so there is none
    try:
        return int(os.read(statm, 100).split()[0]) * mmap.PAGESIZE
    finally:
        os.close(statm)


def _lower(kind: int, limit: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(kind, (limit, limit))


def _drop_capabilities() -> None:
    """Give up what root may do, lifting limits among it."""
    header = struct.pack("=Ii", CAPABILITY_VERSION, 0)
    held = ctypes.create_string_buffer(24)
    call("capget", header, held)
    effective, permitted, *_ = struct.unpack("=6I", held)
    kept = struct.pack("=6I", effective & CAP_DAC_READ_SEARCH, permitted & CAP_DAC_READ_SEARCH, 0, 0, 0, 0)
    call("capset", header, kept)


PROOF_BUDGET = Budget(memory_bytes=64 * 2**20, cpu_seconds=5)


def _lift(kind: int) -> None:
    resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


FORBIDDEN: Mapping[str, Callable[[], object]] = {
    "using more memory than the budget": lambda: mmap.mmap(-1, PROOF_BUDGET.memory_bytes + 2**20),
    "lifting the limit on processor time": lambda: _lift(resource.RLIMIT_CPU),
    "lifting the limit on core files": lambda: _lift(resource.RLIMIT_CORE),
}
