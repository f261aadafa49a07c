"""The class report: one self-contained page without scripts, and without names unless they are asked for."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from grader.batch.gradebook import Row, read_rows
from grader.batch.store import Store
from grader.batch.suspicions import most_suspicious, suspicions
from grader.flags import weight

OUTCOMES = (
    "not_written",
    "missing",
    "raised",
    "timed_out",
    "out_of_memory",
    "too_much_output",
    "crashed",
    "bad_return",
    "autograd_used",
    "unreadable",
    "not_judged",
)


def render_class_report(store: Store, *, shows_names: bool) -> str:
    """Return the class report of a results folder as HTML; only with names does it link to the reports."""
    template, style, policy = _parts()
    batch = store.read_batch()
    statistics = count(read_rows(store))
    return template.render(
        course=batch["course"],
        seed=batch["seed"],
        statistics=statistics,
        outcomes=[name for name in OUTCOMES if any(each.outcomes[name] for each in statistics.functions.values())],
        # An iterator: the page is written as it is read.
        rows=read_rows(store) if shows_names else None,
        suspicious=most_suspicious(read_rows(store)) if shows_names else [],
        style=Markup(style),  # noqa: S704 # our own style sheet
        policy=policy,
    )


def percent(share: float | None) -> str:
    """Return a share as people write it."""
    return "-" if share is None else f"{100 * share:.0f} %"


def shade(share: float | None) -> str:
    """Return the class of a heat map's cell: h0 to h10, from none right to all."""
    return "" if share is None else f"h{int(share * 10)}"


def points(value: float | None) -> str:
    """Return a score as people write it."""
    return "-" if value is None else f"{round(value, 2):g}"


def seconds(value: float | None) -> str:
    """Return a time to three digits."""
    return "-" if value is None else f"{value:.3g} s"


@cache
def _parts() -> tuple[Template, str, str]:
    """Return the template, its style sheet and the policy that allows this one style sheet and nothing else."""
    environment = Environment(
        loader=PackageLoader("grader.batch"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    helpers: dict[str, Any] = {"percent": percent, "shade": shade, "points": points, "seconds": seconds}
    helpers["suspicions"] = suspicions
    environment.filters.update(helpers, address=lambda file: quote(f"reports/{file}.html"))
    style = environment.get_template("class.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return environment.get_template("class.html"), style, policy


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
    tally.flags.update({flag["kind"] for flag in exercise["flags"] if weight(flag["kind"])})
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
