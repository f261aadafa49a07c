"""A result's exercise in lines of plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grader.hidden import HiddenCases

OUTCOMES = {
    "not_written": "not written yet",
    "timed_out": "ran out of time",
    "out_of_memory": "ran out of memory",
    "too_much_output": "printed too much",
    "crashed": "ended its process",
    "bad_return": "returned what cannot be graded",
    "autograd_used": "used autograd",
    "unreadable": "could not be read",
    "raised": "raised an exception",
}


def for_student(exercise: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an exercise without anything that rests on a hidden case."""
    shown: Mapping[str, Any] | None = exercise.get("shown")
    return exercise if shown is None else shown


def has_hidden(exercise: Mapping[str, Any]) -> bool:
    """Whether an exercise has hidden cases."""
    return exercise.get("hidden") is not None


def said_of(exercise: Mapping[str, Any]) -> str:
    """Return a line for the outcome and one for each gradient; flags are not for students."""
    outcome = exercise["outcome"]
    lines = []
    if outcome != "returned":
        is_said = outcome == "unreadable"  # a message about a file names the place itself
        where = f" (line {exercise['line']})" if exercise["line"] and not is_said else ""
        lines.append(f"{OUTCOMES.get(outcome, outcome)}{where}: {exercise['message'] or ''}".rstrip(": "))
    # Where nothing came back, the line above has said it for all of them.
    if not lines or any(gradient["verdict"] != "not_returned" for gradient in exercise["gradients"]):
        lines += [line for gradient in exercise["gradients"] for line in _gradient(gradient)]
    lines += [f"{each['name']}: does not hold" for each in exercise.get("invariants", ()) if each["held"] is False]
    if has_hidden(exercise):
        lines.append(HiddenCases(**exercise["hidden"]).sentence)
    return "\n".join(lines)


def is_full(exercise: Mapping[str, Any]) -> bool:
    """Whether an exercise has all its points."""
    return exercise["score"] is not None and exercise["score"] >= exercise["max_score"]


def _gradient(gradient: Mapping[str, Any]) -> Iterator[str]:
    hidden = " (hidden case)" if gradient.get("hidden") else ""
    diagnosis = gradient["diagnosis"]
    text = f": {diagnosis['message']}" if diagnosis is not None else ""
    yield f"{gradient['name']}: {gradient['verdict'].replace('_', ' ')}{hidden}{text}"
    if gradient["verdict"] == "wrong_shape" and gradient.get("actual_shape") is not None:
        yield f"    yours has shape {tuple(gradient['actual_shape'])}, expected {tuple(gradient['expected_shape'])}"
    if gradient["verdict"] in ("wrong_values", "not_finite") and gradient.get("actual") is not None:
        place = f" at {gradient['worst_index']}" if gradient["worst_index"] else ""
        yours, expected = _number(gradient["actual"]), _number(gradient["expected"])
        yield f"    yours{place} is {yours}, expected {expected} (case: {gradient['case']})"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
