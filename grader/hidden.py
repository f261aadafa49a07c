"""All that is told of hidden cases, to students in one sentence; apart from `results`, so that it loads no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HiddenCases:
    """The hidden cases of a function: in how many something is wrong, and the points that this alone has cost.

    `lost` is None where the score is; `cases` is how many there are, None where that is not told.
    """

    failed: int
    lost: float | None
    cases: int | None = None

    @property
    def sentence(self) -> str:
        """What a student is told."""
        if not self.failed:
            return "No hidden case failed."
        cost = f", which costs {round(self.lost, 2):g} points" if self.lost else ""
        return f"{self.failed} hidden case{'' if self.failed == 1 else 's'} failed{cost}."
