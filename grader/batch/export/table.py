"""A table for a person's own analysis: one line for each function of each submission."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grader.batch.gradebook import Row, to_csv

HEAD = (
    "submission",
    "students",
    "assignment",
    "function",
    "outcome",
    "score",
    "max_score",
    "right",
    "gradients",
    "problem",
)


def as_table(rows: Iterable[Row]) -> str:
    """Return a batch as CSV."""
    table: list[Sequence[object]] = [HEAD]
    for row in rows:
        students = "; ".join(person.id or person.email or person.name for person in row.people)
        if row.result is None:
            table.append([row.submission, students, *[None] * 7, row.problem])
            continue
        for part in row.result["assignments"]:
            for each in part["exercises"]:
                right = sum(gradient["verdict"] in ("correct", "follows") for gradient in each["gradients"])
                scores = [each["outcome"], each["score"], each["max_score"], right, len(each["gradients"]), row.problem]
                table.append([row.submission, students, part["name"], each["function"], *scores])
    return to_csv(table)
