"""What was done to a grade: each time that it was graded, when, and what had changed since the time before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from grader.adjustment import Adjustment
from grader.batch.gradebook import to_csv
from grader.batch.hashes import hash_content
from grader.batch.store import Record, Store
from grader.batch.task import Order, Task
from grader.rules import OLDEST, RULES
from grader.text import one_line

FIRST = "graded for the first time"
MAX_SHOWN = 3
COLUMNS = ("when", "submission", "before", "after", "max_score", "why", "by")


def make_key(order: Order, course: Mapping[str, str], task: Task, adjustments: Sequence[Adjustment]) -> dict[str, Any]:
    """Return all that a result depends on, in parts that can be named; `course` has a hash for each part of it."""
    return {
        "content": hash_content(task.submission.files, task.submission.refused),
        "submitted_at": task.submitted_at or "",
        "course": dict(course),
        "selection": list(order.only),
        "seed": order.seed,
        "rules": RULES,
        "grader": order.grader_hash,
        "adjustments": {each.function: [each.points, each.reason, each.by] for each in adjustments},
    }


def record_of(
    submission: str,
    key: Mapping[str, Any],
    result: Mapping[str, Any] | None,
    problem: str | None,
    before: Record | None,
) -> Record:
    """Return what is kept of a submission that was just graded: all that was known before, and this."""
    score = result["score"] if result is not None else None
    max_score = result["max_score"] if result is not None else None
    why, by = explain(before, key) if before is not None else ([FIRST], set[str]())
    event = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "before": before.score if before is not None else None,
        "after": score,
        "max_score": max_score,
        "why": "; ".join(why),
        "by": ", ".join(sorted(by)),
        "seed": key["seed"],
        "problem": problem,
        "adjustments": result["adjustments"] if result is not None else [],
    }
    past = list(before.history) if before is not None else []
    # What could not be graded, and cannot be still, is no news.
    is_news = before is None or (before.score, before.problem) != (None, problem) or score is not None
    return Record(
        key=key,
        score=score,
        problem=problem,
        submission=submission,
        handed_in=_handed_in(result) if result is not None else [],
        history=[*past, event] if is_news else past,
    )


def explain(before: Record, key: Mapping[str, Any]) -> tuple[list[str], set[str]]:
    """Say what changed since the time before, and by whom where a person says it."""
    old = before.key
    said: list[str] = []
    if old.get("content") != key["content"]:
        said.append(f"the submission changed ({_differing(old.get('content'), key['content'])})")
    if old.get("submitted_at") != key["submitted_at"]:
        said.append(
            f"handed in at {key['submitted_at'] or 'no known time'} and not {old.get('submitted_at') or 'then'}"
        )
    if old.get("course") != key["course"]:
        said.append(f"the course changed ({_differing(old.get('course'), key['course'])})")
    if old.get("selection") != key["selection"]:
        said.append(f"another selection ({_selected(key['selection'])}, before {_selected(old.get('selection'))})")
    if old.get("seed") != key["seed"]:
        said.append(f"another seed ({key['seed']}, before {old.get('seed')})")
    if (rules := old.get("rules", OLDEST)) != key["rules"]:
        said.append(f"marks are given by rules {key['rules']}, before {rules}")
    if old.get("grader") != key["grader"]:
        said.append("the grader changed")
    adjusted, by = _adjusted(old.get("adjustments") or {}, key["adjustments"])
    said += adjusted
    if not said:
        said = ["graded again, with nothing changed"] if before.is_final else ["not judged before"]
    return said, by


def changes_csv(store: Store) -> str | None:
    """Return changes.csv: every regrade there ever was, the oldest first; None without any."""
    table = [
        [event["when"], record.submission, *(event[column] for column in COLUMNS[2:])]
        for record in store.records()
        for event in record.history[1:]
    ]
    return to_csv([COLUMNS, *sorted(table, key=lambda line: (line[0], line[1]))]) if table else None


def log_csv(record: Record) -> str:
    """Return all that was done to one grade, for whoever asks: a line each time, and one for each adjustment then."""
    head = (*COLUMNS, "seed", "problem", "function", "found", "points", "reason", "adjusted_by")
    table: list[Sequence[object]] = [head]
    for event in record.history:
        own = [event["when"], record.submission, *(event[column] for column in (*COLUMNS[2:], "seed", "problem"))]
        table.append([*own, None, None, None, None, None])
        for each in event["adjustments"]:
            said = [each["function"], each["graded"], each["points"], each["reason"], each["by"]]
            table.append([event["when"], record.submission, *[None] * 7, *said])
    return to_csv(table)


def _handed_in(result: Mapping[str, Any]) -> list[str]:
    """Return the assignments of which something was handed in."""
    return [
        part["name"]
        for part in result["assignments"]
        if any(each["outcome"] not in ("missing", "not_written") for each in part["exercises"])
    ]


def _differing(old: Any, new: Mapping[str, str]) -> str:
    known = old if isinstance(old, dict) else {}
    names = sorted(name for name in {*known, *new} if known.get(name) != new.get(name))
    said = [f"{one_line(name, 60)}{'' if name in known and name in new else _came(name in new)}" for name in names]
    return ", ".join(said[:MAX_SHOWN]) + (f" and {len(said) - MAX_SHOWN} more" if len(said) > MAX_SHOWN else "")


def _came(is_there: bool) -> str:
    return " is new" if is_there else " is gone"


def _selected(only: Any) -> str:
    return " ".join(f"--only {one_line(str(name), 60)}" for name in only) if only else "the whole course"


def _adjusted(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[list[str], set[str]]:
    said: list[str] = []
    by: set[str] = set()
    for function in sorted({*old, *new}):
        if old.get(function) == new.get(function):
            continue
        points, _, who = new.get(function) or old[function]
        was = f", before {old[function][0]:g}" if function in old else ""
        said.append(f"{function} {f'set to {points:g}' if function in new else 'no longer set'} by hand{was}")
        by |= {who} - {""}
    return said, by
