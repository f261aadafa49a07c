"""A Report as the JSON of the results files; its keys are a contract."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.report.file import write_file
from grader.results import (
    AssignmentFeedback,
    ExerciseFeedback,
    GradientFeedback,
    InvariantFeedback,
    Report,
    TimingFeedback,
)

FORMAT = 1


def write_json(report: Report, path: Path) -> None:
    """Write a report as JSON. Raises UsageError if that can't be done."""
    try:
        write_file(path, json.dumps(report_as_json(report), indent=2, allow_nan=False) + "\n")
    except OSError as error:
        text = f"{path} could not be written: {error.strerror}; name another place with --json FILE"
        raise UsageError(text) from error


def report_as_json(report: Report) -> dict[str, Any]:
    """Return a report as plain data for json.dumps: None where a value does not apply."""
    return {
        "format": FORMAT,
        "course": report.course,
        "submission": report.submission,
        "seed": report.seed,
        "grader": report.grader,
        "torch": report.torch,
        "rules": report.rules,
        "isolation": list(report.isolation),
        "score": report.score,
        "max_score": report.max_score,
        "seconds": round(report.seconds, 6),
        "submitted_at": report.submitted_at,
        "adjustments": [asdict(adjustment) for adjustment in report.adjustments],
        "assignments": [_assignment(assignment) for assignment in report.assignments],
    }


def _assignment(assignment: AssignmentFeedback) -> dict[str, Any]:
    return {
        "name": assignment.name,
        "title": assignment.title,
        "optional": assignment.optional,
        "score": assignment.score,
        "max_score": assignment.max_score,
        "exercises": [_exercise(exercise) for exercise in assignment.exercises],
    }


def _exercise(exercise: ExerciseFeedback) -> dict[str, Any]:
    """Return one function; where it has hidden cases, `shown` is all that does not rest on them."""
    content: dict[str, Any] = {
        "function": exercise.function,
        "score": exercise.score,
        "max_score": exercise.max_score,
        "outcome": exercise.outcome.value,
        "message": exercise.message or None,
        "line": exercise.line,
        "printed": exercise.printed or None,
        "seconds": round(exercise.seconds, 6),
        "flags": [{"kind": flag.kind, "detail": flag.detail} for flag in exercise.flags],
        "invariants": [_invariant(invariant) for invariant in exercise.invariants],
        "timing": _timing(exercise.timing) if exercise.timing else None,
        "gradients": [_gradient(gradient) for gradient in exercise.gradients],
    }
    if exercise.hidden is None:
        return content
    for gradient, found in zip(exercise.gradients, content["gradients"], strict=True):
        found["hidden"] = gradient.hidden
    shown = {} if exercise.shown is None else {"shown": _exercise(exercise.for_student)}
    return {**content, "hidden": asdict(exercise.hidden), **shown}


def _gradient(gradient: GradientFeedback) -> dict[str, Any]:
    found = gradient.comparison
    return {
        "name": gradient.name,
        "verdict": gradient.verdict.value,
        "score": gradient.score,
        "max_score": gradient.max_score,
        "case": gradient.case,
        "exact": gradient.exact,
        "expected_shape": list(found.expected_shape) if found else None,
        "actual_shape": list(found.actual_shape) if found and found.actual_shape is not None else None,
        "max_abs_error": _number(found.max_abs_error) if found else None,
        "max_rel_error": _number(found.max_rel_error) if found else None,
        "worst_index": list(found.worst_index) if found and found.worst_index is not None else None,
        "expected": _number(found.expected) if found else None,
        "actual": _number(found.actual) if found else None,
        "diagnosis": asdict(gradient.diagnosis) if gradient.diagnosis else None,
    }


def _invariant(invariant: InvariantFeedback) -> dict[str, Any]:
    return {
        "name": invariant.name,
        "held": invariant.held,
        "detail": invariant.detail,
        "score": invariant.score,
        "max_score": invariant.max_score,
    }


def _timing(timing: TimingFeedback) -> dict[str, Any]:
    return {
        "manual": _number(timing.manual),
        "autograd": _number(timing.autograd),
        "ratio": _number(timing.ratio),
    }


def _number(value: float | None) -> float | str | None:
    """Return a number as JSON has it; those that it does not have are the strings nan, inf and -inf."""
    return value if value is None or math.isfinite(value) else str(value)
