"""A result's exercise in lines of plain text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.hidden import HiddenCases


def for_student(exercise: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an exercise without anything that rests on a hidden case."""
    shown: Mapping[str, Any] | None = exercise.get("shown")
    return exercise if shown is None else shown


def has_hidden(exercise: Mapping[str, Any]) -> bool:
    """Whether an exercise has hidden cases."""
    return exercise.get("hidden") is not None


def said_of(exercise: Mapping[str, Any]) -> str:
    """Return a line for the outcome and one for each gradient; flags are not for students."""
    lines = []
    if exercise["outcome"] != "returned":
        where = f" (line {exercise['line']})" if exercise["line"] else ""
        lines.append(f"{_words(exercise['outcome'])}{where}: {exercise['message'] or ''}".rstrip(": "))
    for gradient in exercise["gradients"]:
        diagnosis = gradient["diagnosis"]
        text = f": {diagnosis['message']}" if diagnosis is not None else ""
        hidden = " (hidden case)" if gradient.get("hidden") else ""
        lines.append(f"{gradient['name']}: {_words(gradient['verdict'])}{hidden}{text}")
    if has_hidden(exercise):
        lines.append(HiddenCases(**exercise["hidden"]).sentence)
    return "\n".join(lines)


def is_full(exercise: Mapping[str, Any]) -> bool:
    """Whether an exercise has all its points."""
    return exercise["score"] is not None and exercise["score"] >= exercise["max_score"]


def _words(name: str) -> str:
    return name.replace("_", " ")
