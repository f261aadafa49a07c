"""What a forked child takes away from itself before it reads the first byte of a submission. POSIX only."""

from __future__ import annotations

import os
import resource
from collections.abc import Collection
from pathlib import Path


def confine(memory_bytes: int, cpu_seconds: int, *, keep: Collection[int]) -> None:
    """Give up what the child does not need; `keep` are the descriptors that stay open besides 0, 1 and 2.

    `memory_bytes` is what it may map beyond what the warm process has, `cpu_seconds` what it may run.
    """
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _limit(resource.RLIMIT_AS, mapped + memory_bytes)
    # Hard equals soft: the signal of the soft limit could be ignored.
    _limit(resource.RLIMIT_CPU, cpu_seconds)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    low = 3
    for descriptor in sorted(keep):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))


def _limit(kind: int, value: int) -> None:
    resource.setrlimit(kind, (value, value))
