"""adjustments.csv: what a person decided, read beside the results and never written."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.adjustment import Adjustment
from grader.errors import UsageError
from grader.text import clean, one_line

FILE = "adjustments.csv"
COLUMNS = ("submission", "function", "points", "reason", "by")


def read_adjustments(path: Path, functions: Mapping[str, float]) -> dict[str, tuple[Adjustment, ...]]:
    """Return the adjustments by submission; `functions` are those of the course, with their points.

    Raises UsageError with one line for everything that is wrong in the file.
    """
    if not path.is_file():
        return {}
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: could not be read as UTF-8 text: {error}") from error
    delimiter = ";" if text.split("\n", 1)[0].count(";") > text.split("\n", 1)[0].count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    missing = [column for column in COLUMNS[:3] if column not in (reader.fieldnames or ())]
    if missing:
        raise UsageError(f"{path}:1: no column {', '.join(missing)}; the columns are {', '.join(COLUMNS)}")
    found: dict[str, list[Adjustment]] = defaultdict(list)
    problems = []
    for row in reader:
        if not any(row.values()):
            continue
        submission, function = (row["submission"] or "").strip(), (row["function"] or "").strip()
        problem = _problem(function, row["points"] or "", functions)
        if not submission or any(each.function == function for each in found[submission]):
            problem = "no submission is named" if not submission else f"{submission} and {function} stand here twice"
        if problem is not None:
            problems.append(f"{path}:{reader.line_num}: {problem}")
        else:
            reason, by = clean(row.get("reason") or "", 2_000), one_line(row.get("by") or "", 200)
            found[submission].append(Adjustment(function, _number(row["points"] or ""), reason, by))
    if problems:
        raise UsageError("\n".join(problems))
    return {submission: tuple(each) for submission, each in found.items() if each}


def recall(adjustments: tuple[Adjustment, ...], before: Mapping[str, Any] | None) -> tuple[Adjustment, ...]:
    """Return adjustments with what the grader had found when each was first seen, from the result before."""
    if before is None:
        return adjustments
    scores = {each["function"]: each["score"] for part in before["assignments"] for each in part["exercises"]}
    known = {each["function"]: each for each in before["adjustments"]}
    recalled = []
    for each in adjustments:
        old = known.get(each.function)
        is_same = old is not None and (old["points"], old["reason"], old["by"]) == (each.points, each.reason, each.by)
        graded = old["graded_when_made" if is_same else "graded"] if old is not None else scores.get(each.function)
        recalled.append(replace(each, graded_when_made=graded))
    return tuple(recalled)


def _problem(function: str, points: str, functions: Mapping[str, float]) -> str | None:
    if function not in functions:
        return f"the course has no function {one_line(function, 100)!r}"
    number = _number(points)
    if not 0 <= number <= functions[function]:
        shown = one_line(points, 50)
        return f"points {shown!r}: a number from 0 to {functions[function]:g}, the points of {function}"
    return None


def _number(text: str) -> float:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return math.nan
