"""A result's exercise in lines of plain text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def said_of(exercise: Mapping[str, Any]) -> str:
    """Return a line for the outcome and one for each gradient; flags are not for students."""
    lines = []
    if exercise["outcome"] != "returned":
        where = f" (line {exercise['line']})" if exercise["line"] else ""
        lines.append(f"{_words(exercise['outcome'])}{where}: {exercise['message'] or ''}".rstrip(": "))
    for gradient in exercise["gradients"]:
        diagnosis = gradient["diagnosis"]
        text = f": {diagnosis['message']}" if diagnosis is not None else ""
        lines.append(f"{gradient['name']}: {_words(gradient['verdict'])}{text}")
    return "\n".join(lines)


def is_full(exercise: Mapping[str, Any]) -> bool:
    """Whether an exercise has all its points."""
    return exercise["score"] is not None and exercise["score"] >= exercise["max_score"]


def _words(name: str) -> str:
    return name.replace("_", " ")
