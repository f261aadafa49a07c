"""What an instructor should look at in results: flags, the weightiest first, each once for a submission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grader.batch.gradebook import Row
from grader.flags import weight

MAX_SUSPICIONS = 200


@dataclass(frozen=True)
class Suspicion:
    """One flag of one submission: the functions that it is about, its detail with the line that raised it."""

    submission: str
    file: str
    functions: tuple[str, ...]
    kind: str
    detail: str
    weight: int


def suspicions(result: Mapping[str, Any], submission: str = "", file: str = "") -> list[Suspicion]:
    """Return what is suspicious in one result; notes, which weigh nothing, are left out."""
    found: dict[tuple[str, str], list[str]] = {}
    for assignment in result["assignments"]:
        for exercise in assignment["exercises"]:
            for flag in exercise["flags"]:
                if weight(flag["kind"]):
                    found.setdefault((flag["kind"], flag["detail"]), []).append(exercise["function"])
    return sorted(
        (
            Suspicion(submission, file, tuple(functions), kind, detail, weight(kind))
            for (kind, detail), functions in found.items()
        ),
        key=lambda each: -each.weight,
    )


def most_suspicious(rows: Iterable[Row]) -> list[Suspicion]:
    """Return the flags of a class, the weightiest first, those of one submission together, so many and no more."""
    by_row = [suspicions(row.result, row.submission, row.file) for row in rows if row.result is not None]
    # A submission with several heavy ones is before one with a single one.
    by_row.sort(key=lambda found: tuple(-each.weight for each in found[:5]) + (0,) * (5 - len(found[:5])))
    return [each for found in by_row for each in found][:MAX_SUSPICIONS]
