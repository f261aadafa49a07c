"""Tasks through an executor: a bounded number in flight, each tried again once if its worker dies.

The executor of this folder is our own, for one reason: the standard process pool breaks as a whole when one of its
processes dies (of twelve tasks it lost ten) and leaves them behind when its parent is killed. Here a dead worker costs
its own task only, and every process ends with its parent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from typing import TypeVar

from grader.batch.crash_safe.local import WorkerDiedError

Key = TypeVar("Key")
Task = TypeVar("Task")
Result = TypeVar("Result")
TRIES = 2


def run_all(
    executor: Executor, function: Callable[[Task], Result], tasks: Iterable[tuple[Key, Task]], window: int
) -> Iterator[tuple[Key, Result | Exception]]:
    """Yield each task's key with its result, or with what was raised, in the order in which they end.

    `tasks` is read as they are needed, so no more than `window` of them are in memory. A task may be
    done more than once, so doing it must leave nothing behind.
    """
    flying: dict[Future[Result], tuple[Key, Task, int]] = {}
    waiting = iter(tasks)
    while True:
        while len(flying) < window and (each := next(waiting, None)) is not None:
            flying[executor.submit(function, each[1])] = (*each, 1)
        if not flying:
            return
        done, _ = wait(flying, return_when=FIRST_COMPLETED)
        for future in done:
            key, task, tries = flying.pop(future)
            error = CancelledError("the task was cancelled") if future.cancelled() else future.exception()
            if isinstance(error, WorkerDiedError) and tries < TRIES:
                flying[executor.submit(function, task)] = (key, task, tries + 1)
            elif error is None:
                yield key, future.result()
            elif isinstance(error, Exception):
                yield key, error
            else:
                raise error
