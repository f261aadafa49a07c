"""A person's override of what the grader found; apart from `results`, so that reading one loads no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Adjustment:
    """A function's points as a person set them, with the reason.

    `graded` is what the grader finds now, `graded_when_made` what it had found when the override was first
    seen: where they differ, the person may want to look again.
    """

    function: str
    points: float
    reason: str
    by: str
    graded_when_made: float | None = None
    graded: float | None = None

    @property
    def is_outdated(self) -> bool:
        """Whether the verdict beneath the override has changed since it was made."""
        return self.graded != self.graded_when_made

    def applied_to(self, score: float | None) -> Adjustment:
        """Return it with what the grader finds now, and had found if that was not known."""
        first = score if self.graded_when_made is None else self.graded_when_made
        return replace(self, graded=score, graded_when_made=first)
