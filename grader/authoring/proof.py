"""What was found out about one assignment, as data; the assignment under proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.authoring.margins import Margin
from grader.course import Course, Rubric
from grader.feedback import ExerciseFeedback
from grader.grading import Grader
from grader.sandbox.warm import Warm
from grader.submission import Submission


@dataclass
class Proof:
    """What was found out about one assignment: findings to mend, notices to think about, margins to read.

    `mistakes` counts its bank; it is None for what is no assignment, such as the notebook.
    """

    name: str
    findings: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    margins: list[Margin] = field(default_factory=list)
    mistakes: int | None = None


@dataclass(frozen=True)
class Subject:
    """One assignment under proof, and what it takes to grade answers to it."""

    course: Course
    rubric: Rubric
    warm: Warm
    proof: Proof

    @property
    def solution(self) -> Path:
        """The file of the instructor's answers."""
        return self.course.folder / "solutions" / f"{self.rubric.name}.py"

    @property
    def honest(self) -> Path:
        """The file of right answers that are written otherwise, which a course may have."""
        return self.course.folder / "tests" / "honest" / f"{self.rubric.name}.py"

    def grade(self, seed: int, submission: Submission, only: str = "") -> Sequence[ExerciseFeedback]:
        """Grade a submission on the whole assignment, or on one function."""
        grader = Grader(self.course, seed, only=[only or self.rubric.name])
        return grader.grade(submission, self.warm).selected[0].exercises
