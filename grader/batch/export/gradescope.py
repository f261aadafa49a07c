"""Gradescope: the results.json of its autograder."""

from __future__ import annotations

from typing import Any

from grader.batch.export.plain_text import is_full, said_of


def as_gradescope(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result as Gradescope reads it: a test for each function, all text plain."""
    exercises = [(part, each) for part in result["assignments"] for each in part["exercises"]]
    output = "\n".join(
        f"{each['function']} was adjusted by hand: {each['reason']}".rstrip(": ") for each in result["adjustments"]
    )
    return {
        "score": result["score"],
        "execution_time": result["seconds"],
        "output": output,
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "name": f"{part['name']}: {each['function']}",
                "number": str(number),
                "score": each["score"],
                "max_score": each["max_score"],
                "status": "passed" if is_full(each) else "failed",
                "output": said_of(each),
                "visibility": "visible",
            }
            for number, (part, each) in enumerate(exercises, start=1)
        ],
    }
