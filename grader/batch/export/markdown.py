"""Markdown: a summary of one result, as GitHub shows it beside a run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from grader.batch.export.plain_text import for_student, is_full, said_of

# Of a function; GitHub drops a summary of more than a megabyte.
MAX_OUTPUT = 4_000
MARKS = {True: "✓", False: "✗"}


def as_markdown(result: Mapping[str, Any]) -> str:
    """Return a result for its student: the points of every function, and what is to be said of those that lack some."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    exercises = [for_student(each) for part in result["assignments"] for each in part["exercises"]]
    yield f"## {_points(result['score'])} of {_points(result['max_score'])} points"
    yield ""
    yield "| | function | points |"
    yield "|---|---|---:|"
    for each in exercises:
        score = f"{_points(each['score'])} of {_points(each['max_score'])}"
        yield f"| {MARKS[is_full(each)]} | `{each['function']}` | {score} |"
    for each in exercises:
        if not is_full(each) and each["outcome"] not in ("missing", "not_written"):
            yield from ("", f"### `{each['function']}`", "", *_fenced(said_of(each)))
    for each in result["adjustments"]:
        yield from ("", f"`{each['function']}` was adjusted by hand:", "", *_fenced(each["reason"]))


def _fenced(text: str) -> Iterator[str]:
    """Yield a block in which nothing is markup, whatever a student's exception says."""
    text = text[:MAX_OUTPUT]
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}text", text, fence)


def _points(value: float | None) -> str:
    return "?" if value is None else f"{round(value, 2):g}"
