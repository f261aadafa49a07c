"""What the box adds to a warm fork: bare and boxed children of one warm process, turn by turn.

Run it as `python tests/benchmarks/box.py`; it prints medians in milliseconds.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import time
from pathlib import Path

# Before torch is imported: a process that forks may have one thread only.
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import torch  # after the environment above

from grader.sandbox.guest.box import Box, Budget, build_box  # after the environment above
from grader.sandbox.isolation import readable_folders  # after the environment above

PAIRS = 200
BUDGET = Budget(memory_bytes=1 << 30, cpu_seconds=10)


def main() -> None:
    """Fork pairs of children and print what each kind costs."""
    folders, seconds_to_find = timed(readable_folders)
    box, seconds_to_build = timed(lambda: build_box(folders))
    work()
    gc.collect()
    gc.freeze()
    bare, boxed = [], []
    for turn in range(PAIRS):
        # Who goes first changes, so that neither always finds the other's warm caches.
        for kind in ((None, box), (box, None))[turn % 2]:
            (bare if kind is None else boxed).append(1000 * fork(kind))
    difference = statistics.median(b - a for a, b in zip(bare, boxed, strict=True))
    print(f"layers                       {', '.join(box.layers) or 'none'}")  # noqa: T201 # a script's output
    for reason in box.reasons:
        print(f"                             {reason}")  # noqa: T201 # a script's output
    rows = {
        "find the readable folders": 1000 * seconds_to_find,
        "build and prove the box": 1000 * seconds_to_build,
        "bare warm fork": statistics.median(bare),
        "boxed warm fork": statistics.median(boxed),
        "the box adds (of pairs)": difference,
    }
    for name, milliseconds in rows.items():
        print(f"{name:<28} {milliseconds:7.2f} ms")  # noqa: T201 # a script's output


def timed(action):
    """Return what an action gives and the seconds that it took."""
    start = time.perf_counter()
    return action(), time.perf_counter() - start


def fork(box: Box | None) -> float:
    """Return the seconds that a child takes which confines itself, if there is a box, and does a little work."""
    start = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if box:
                box.confine(BUDGET, (0, 1, 2))
            work()
            status = 0
        finally:
            os._exit(status)
    if os.waitpid(pid, 0)[1] != 0:
        raise SystemExit("a child failed")
    return time.perf_counter() - start


def work() -> None:
    """Do what a small submission does."""
    x = torch.ones(8, 8)
    (x @ x).tanh().sum(0)


if __name__ == "__main__":
    main()
