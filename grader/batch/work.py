"""What an executor is asked to do, by functions that load torch where they run and not where they are named."""

from __future__ import annotations

from grader.batch.order import Graded, Order, Task


def grade_task(order: Order, task: Task) -> Graded:
    """Grade one submission."""
    from grader.batch import desk

    return desk.grade_task(order, task)


def set_up(order: Order) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Make ready what every task needs; return the layers that were proved, and a line for each of the others."""
    from grader.batch import desk

    return desk.set_up(order)


def settle() -> None:
    """Make a forked worker ready."""
    from grader.batch import desk

    desk.settle()
