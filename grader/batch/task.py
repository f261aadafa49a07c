"""One submission to grade as any executor can carry it, and what comes back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from grader.adjustment import Adjustment
from grader.course.graph import Graph
from grader.errors import SandboxError
from grader.submission import Submission

# What a sandbox must hold for a whole class.
NEEDED = ("landlock", "rlimits", "seccomp")


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
    """One submission to grade, with what is to be kept beside its grades; `problem` says why there is nothing to."""

    submission: Submission
    submitted_at: str | None = None
    adjustments: tuple[Adjustment, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class Graded:
    """What came of a task: the result as JSON and the report as HTML, or the problem that there is instead.

    There are both where a person has given points for what the grader could not read. `is_final` is not set if
    a part could not be judged: it is graded again the next time. `lines` are the lines of code that made
    wrong gradients, by function and gradient, and `graphs` the forward passes of its functions, for the class report.
    """

    result: str | None
    report: str | None
    problem: str | None = None
    is_final: bool = True
    isolation: tuple[str, ...] = ()
    lines: Mapping[str, str] = field(default_factory=dict)
    graphs: Mapping[str, Graph] = field(default_factory=dict)


def require_isolation(proved: Collection[str], reasons: Sequence[str], *, allows_weak: bool) -> None:
    """Raise SandboxError unless every needed layer was proved, or the instructor has said that it need not be.

    `reasons` has a line for each layer that was not proved, which begins with its name.
    """
    missing = [layer for layer in NEEDED if layer not in proved]
    if missing and not allows_weak:
        found = ", ".join(proved) or "time limits only"
        why = [f"  {reason}" for reason in reasons if reason.partition(":")[0] in missing]
        raise SandboxError(
            "\n".join(
                [
                    "the sandbox is weak here: a submission could read the others and the course "
                    f"(proved: {found}; missing: {', '.join(missing)})",
                    *why,
                    "Install what is missing, or grade on Linux 5.13 or later: in a container, or on Windows in WSL "
                    "(docs/security.md). If you trust every submission, add --allow-weak-isolation",
                ]
            )
        )
