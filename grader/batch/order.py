"""What travels to a worker and back, as plain data that any executor can carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grader.adjustment import Adjustment


@dataclass(frozen=True)
class Order:
    """What is the same for every submission of a batch.

    `course` is the course's folder where the worker runs, None for the installed one; `course_hash` is what
    it must hold there.
    """

    course: str | None
    course_hash: str
    grader_hash: str
    seed: int
    only: tuple[str, ...] = ()
    allows_weak_isolation: bool = False


@dataclass(frozen=True)
class Task:
    """One submission to grade, with what is to be kept beside its grades."""

    name: str
    files: Mapping[str, bytes]
    refused: Mapping[str, str]
    is_single: bool
    submitted_at: str | None = None
    adjustments: tuple[Adjustment, ...] = ()


@dataclass(frozen=True)
class Graded:
    """What came of a task: the result as JSON and the report as HTML, or the problem that there is instead.

    `is_final` is not set if a part could not be judged: it is graded again the next time.
    """

    result: str | None
    report: str | None
    problem: str | None = None
    is_final: bool = True
    isolation: tuple[str, ...] = ()
