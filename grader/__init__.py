"""Grades hand-written backward passes against autograd, and says what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.errors import GraderError
    from grader.results import Report
    from grader.workbench.python import grade

__all__ = ["GraderError", "Report", "grade"]


def __getattr__(name: str) -> Any:
    # Late, so that `import grader` and `grade --help` load neither torch nor numpy.
    if name == "GraderError":
        from grader.errors import GraderError

        return GraderError
    if name == "Report":
        from grader.results import Report

        return Report
    if name == "grade":
        from grader.workbench.python import grade

        return grade
    raise AttributeError(f"module 'grader' has no attribute {name!r}")
