"""What a class made of its exercises: counted over the results one by one, so that no class is too large."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.batch.gradebook import Row

BINS = 10
RIGHT = ("correct", "follows")
MAX_SUSPECTS = 20


@dataclass
class GradientTally:
    """One gradient: how many were judged, how many of them right, and the diagnoses of the others."""

    name: str
    points: float
    judged: int = 0
    right: int = 0

    @property
    def share(self) -> float | None:
        """The share that was right."""
        return self.right / self.judged if self.judged else None


@dataclass
class FunctionTally:
    """One function: its gradients, how its runs ended, and the seconds that they took."""

    name: str
    assignment: str
    gradients: dict[str, GradientTally] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    runs: int = 0
    slowest: float = 0.0


@dataclass
class Diagnosed:
    """One diagnosis of one gradient, and how many students it hit."""

    function: str
    gradient: str
    message: str
    students: int = 0


@dataclass
class ClassStatistics:
    """Everything that the class report shows, without a name."""

    found: int = 0
    graded: int = 0
    late: int = 0
    adjusted: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    bins: list[int] = field(default_factory=lambda: [0] * BINS)
    shares: list[float] = field(default_factory=list)
    functions: dict[str, FunctionTally] = field(default_factory=dict)
    diagnoses: dict[tuple[str, str, str], Diagnosed] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    max_score: float = 0.0

    @property
    def hardest(self) -> tuple[FunctionTally, GradientTally] | None:
        """The gradient that the fewest had right, among those that earn points."""
        found = [
            (function, gradient)
            for function in self.functions.values()
            for gradient in function.gradients.values()
            if gradient.share is not None and gradient.share < 1 and gradient.points > 0
        ]
        return min(found, key=lambda pair: pair[1].share or 0.0) if found else None

    @property
    def most_hit(self) -> list[Diagnosed]:
        """The diagnoses, those that hit most students first."""
        return sorted(self.diagnoses.values(), key=lambda each: (-each.students, each.function, each.gradient))

    def median(self, values: Sequence[float]) -> float | None:
        """Return the middle of some numbers."""
        ordered = sorted(values)
        return ordered[len(ordered) // 2] if ordered else None


def count(rows: Iterable[Row]) -> ClassStatistics:
    """Count a class."""
    statistics = ClassStatistics()
    for row in rows:
        statistics.found += 1
        statistics.late += bool(row.is_late)
        if row.problem is not None:
            statistics.problems[row.problem.partition(":")[0]] += 1
        if row.result is not None:
            _count_result(row.result, statistics)
    return statistics


def _count_result(result: Mapping[str, Any], statistics: ClassStatistics) -> None:
    statistics.graded += 1
    statistics.adjusted += bool(result["adjustments"])
    statistics.seconds.append(result["seconds"])
    statistics.max_score = max(statistics.max_score, result["max_score"])
    if result["score"] is not None and result["max_score"]:
        share = result["score"] / result["max_score"]
        statistics.shares.append(share)
        statistics.bins[min(int(share * BINS), BINS - 1)] += 1
    for assignment in result["assignments"]:
        for exercise in assignment["exercises"]:
            name = exercise["function"]
            tally = statistics.functions.setdefault(name, FunctionTally(name, assignment["title"]))
            _count_exercise(exercise, tally, statistics)


def _count_exercise(exercise: Mapping[str, Any], tally: FunctionTally, statistics: ClassStatistics) -> None:
    tally.outcomes[exercise["outcome"]] += 1
    tally.flags.update({flag["kind"] for flag in exercise["flags"]})
    tally.runs += 1
    tally.seconds += exercise["seconds"]
    tally.slowest = max(tally.slowest, exercise["seconds"])
    for gradient in exercise["gradients"]:
        name = gradient["name"]
        counted = tally.gradients.setdefault(name, GradientTally(name, gradient["max_score"]))
        if gradient["verdict"] != "not_judged":
            counted.judged += 1
            counted.right += gradient["verdict"] in RIGHT
        diagnosis = gradient["diagnosis"]
        if diagnosis is not None:
            key = (tally.name, name, diagnosis["id"])
            found = statistics.diagnoses.setdefault(key, Diagnosed(tally.name, name, diagnosis["message"]))
            found.students += 1
