"""Every error that the grader raises on purpose.

GraderError             could not grade; its text is for the user, exit code 2
├── UsageError          an argument that makes no sense: no such path, no such name
├── SubmissionError     there is nothing to grade in what was given
├── CourseError         a course, a rubric or a reference is wrong; holds every problem found
└── SandboxError        the sandbox itself failed: never the student's fault

Anything else that escapes is a fault of the grader and shows its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence


class GraderError(Exception):
    """The grader could not do what was asked, for a reason the user can act on."""

    exit_code = 2

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows in place of a traceback, which would be ours."""
        return [f"grade: {self}"]


class UsageError(GraderError):
    """An argument names something that does not exist."""


class SubmissionError(GraderError):
    """The path holds nothing that can be graded."""


class CourseError(GraderError):
    """A course does not hold together; `problems` has one line for each thing to mend."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[type[CourseError], tuple[Sequence[str]]]:
        # It may be raised in one process and shown in another.
        return CourseError, (self.problems,)


class SandboxError(GraderError):
    """The sandbox could not be started or broke; no student is to blame."""
