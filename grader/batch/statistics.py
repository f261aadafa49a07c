"""A class counted, without a name: scores, gradients, slips, how runs ended; and what is kept of it for comparison."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean, median
from typing import Any

from grader.batch.export.plain_text import for_student
from grader.batch.gradebook import Row
from grader.flags import weight

BINS = 10
RIGHT = ("correct", "follows")
# Wrong in itself, and not just not there.
SLIPS = ("wrong_values", "wrong_shape", "wrong_dtype", "not_finite")
MOST_SLIPS = 10
# A comment or a text may say whose line it is.
_PERSONAL = re.compile(r"""#.*|(?P<quote>"{3}|'{3}|["'])(?P<text>.*?)(?P=quote)""")
LINE_LENGTH = 160

# What a problem is about, and what is said of so many hand-ins, without a name of a file.
PROBLEMS = (
    ("not graded yet", "not graded yet. Run the batch again."),
    ("not judged", "not judged, for a fault of the grader and not of the hand-in. Run the batch again."),
    ("no function of the course", "without any function that was asked for."),
    ("no Python file", "without a Python file or a notebook."),
    ("could not be", "not to be read: a file or an archive is broken, protected or too large."),
    ("", "not graded for a reason of its own."),
)


@dataclass
class GradientTally:
    """One gradient, how many have it right, and how many have the slip itself there."""

    function: str
    name: str
    points: float
    right: int = 0
    slips: int = 0


@dataclass
class FunctionTally:
    """One function: its gradients, how its runs ended, its hidden cases, and the seconds that runs took."""

    name: str
    assignment: str
    gradients: dict[str, GradientTally] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    failed_hidden: int = 0
    has_hidden: bool = False
    seconds: float = 0.0
    runs: int = 0
    slowest: float = 0.0

    @property
    def slips(self) -> int:
        """How many slips there are in its gradients, of the whole class."""
        return sum(each.slips for each in self.gradients.values())


@dataclass
class Slip:
    """A diagnosis of one gradient, how many hand-ins it is about, and the lines of code that made it."""

    function: str
    gradient: str
    message: str
    students: int = 0
    lines: Counter[str] = field(default_factory=Counter)

    @property
    def line(self) -> str:
        """The line that most of them wrote; empty if none is known."""
        return min(self.lines, key=lambda line: (-self.lines[line], len(line), line), default="")


@dataclass(frozen=True)
class Snapshot:
    """What a class is compared by: shares are between 0 and 1, `bins` and `full` count hand-ins."""

    graded: int
    full: int
    mean: float | None
    median: float | None
    bins: Sequence[int]
    functions: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


@dataclass
class ClassStatistics:
    """Everything that the class report shows; every share is one of all `graded` hand-ins."""

    found: int = 0
    graded: int = 0
    late: int = 0
    adjusted: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    scores: list[float] = field(default_factory=list)
    functions: dict[str, FunctionTally] = field(default_factory=dict)
    slips: dict[tuple[str, str, str], Slip] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    max_score: float = 0.0

    def share(self, gradient: GradientTally) -> float:
        """Return the share of the class that has a gradient right."""
        return gradient.right / self.graded if self.graded else 0.0

    @property
    def is_whole(self) -> bool:
        """Whether nothing is still to be graded, by another part of the batch."""
        return PROBLEMS[0][1] not in self.problems

    @property
    def bins(self) -> list[int]:
        """How many have so many tenths of the points; the last one has full marks in it."""
        counted = Counter(min(int(score / self.max_score * BINS + 1e-9), BINS - 1) for score in self.scores)
        return [counted[number] for number in range(BINS)]

    @property
    def full(self) -> int:
        """How many have all points."""
        return sum(score >= self.max_score for score in self.scores)

    @property
    def median(self) -> float | None:
        """The score in the middle."""
        return median(self.scores) if self.scores else None

    @property
    def hardest(self) -> list[GradientTally]:
        """The gradients that earn points and that not all have right, those that the fewest have first."""
        every = [gradient for function in self.functions.values() for gradient in function.gradients.values()]
        return sorted((each for each in every if each.points and each.right < self.graded), key=lambda each: each.right)

    @property
    def commonest(self) -> list[Slip]:
        """The slips that most made."""
        ordered = sorted(self.slips.values(), key=lambda each: (-each.students, each.function, each.gradient))
        return ordered[:MOST_SLIPS]

    @property
    def snapshot(self) -> Snapshot:
        """What a later class is compared with."""
        shares = [score / self.max_score for score in self.scores] if self.max_score else []
        functions = {
            function.name: fmean(map(self.share, function.gradients.values()))
            for function in self.functions.values()
            if function.gradients
        }
        middle = median(shares) if shares else None
        return Snapshot(self.graded, self.full, fmean(shares) if shares else None, middle, self.bins, functions)


def count(rows: Iterable[Row]) -> ClassStatistics:
    """Count a class, by what its students are told: hidden cases are only counted."""
    statistics = ClassStatistics()
    for row in rows:
        statistics.found += 1
        statistics.late += bool(row.is_late)
        if row.problem is not None:
            problem = row.problem
            statistics.problems[next(said for sign, said in PROBLEMS if sign in problem)] += 1
        if row.result is not None:
            _count_result(row.result, row.lines, statistics)
    return statistics


def _count_result(result: Mapping[str, Any], lines: Mapping[str, str], statistics: ClassStatistics) -> None:
    statistics.graded += 1
    statistics.adjusted += bool(result["adjustments"])
    statistics.seconds.append(result["seconds"])
    statistics.max_score = max(statistics.max_score, result["max_score"])
    if result["score"] is not None and result["max_score"]:
        statistics.scores.append(result["score"])
    graded = [part for part in result["assignments"] if part["exercises"]]
    # An optional assignment that does not count was not asked of everybody.
    has_others = any(not part.get("optional") for part in graded)
    for part in graded:
        if part.get("optional") and has_others:
            continue
        for exercise in part["exercises"]:
            name = exercise["function"]
            tally = statistics.functions.setdefault(name, FunctionTally(name, part["title"]))
            _count_exercise(exercise, lines, tally, statistics)


def _count_exercise(
    exercise: Mapping[str, Any], lines: Mapping[str, str], tally: FunctionTally, statistics: ClassStatistics
) -> None:
    tally.flags.update({flag["kind"] for flag in exercise["flags"] if weight(flag["kind"])})
    hidden = exercise.get("hidden")
    tally.has_hidden = tally.has_hidden or hidden is not None
    tally.failed_hidden += bool(hidden and hidden["failed"])
    exercise = for_student(exercise)
    tally.outcomes[exercise["outcome"]] += 1
    tally.runs += 1
    tally.seconds += exercise["seconds"]
    tally.slowest = max(tally.slowest, exercise["seconds"])
    for gradient in exercise["gradients"]:
        name = gradient["name"]
        counted = tally.gradients.setdefault(name, GradientTally(tally.name, name, gradient["max_score"]))
        counted.right += gradient["verdict"] in RIGHT
        counted.slips += gradient["verdict"] in SLIPS
        diagnosis = gradient["diagnosis"]
        if diagnosis is not None:
            key = (tally.name, name, diagnosis["id"])
            slip = statistics.slips.setdefault(key, Slip(tally.name, name, diagnosis["message"]))
            slip.students += 1
            line = without_person(lines.get(f"{tally.name} {name}", ""))
            slip.lines.update([line] if line else [])


def without_person(code: str) -> str:
    """Return a statement as one line in which no comment and no text is left: they may say whose it is."""
    lines = (_PERSONAL.sub(lambda match: "…" if match["quote"] else "", line).strip() for line in code.splitlines())
    line = " ".join(" ".join(filter(None, lines)).split())
    return line if len(line) <= LINE_LENGTH else f"{line[:LINE_LENGTH]} …"
