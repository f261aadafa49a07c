"""Gradescope: the results.json of its autograder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.batch.export.plain_text import for_student, has_hidden, is_full, said_of


def as_gradescope(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result as Gradescope reads it: a test for each function, all text plain.

    What rests on hidden cases is in tests of its own that Gradescope shows to instructors only. They have no points,
    so that a student sees the total: it is hidden where a test is that adds to it.
    """
    exercises = [(part, each) for part in result["assignments"] for each in part["exercises"]]
    output = "\n".join(
        f"{each['function']} was adjusted by hand: {each['reason']}".rstrip(": ") for each in result["adjustments"]
    )
    tests = [_test(part["name"], each, number) for number, (part, each) in enumerate(exercises, start=1)]
    tests += [_hidden_test(part["name"], each) for part, each in exercises if has_hidden(each)]
    found = {
        "score": result["score"],
        "output": output,
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }
    # The time of a run with hidden cases would tell of them.
    return found if any(has_hidden(each) for _, each in exercises) else {**found, "execution_time": result["seconds"]}


def _test(assignment: str, exercise: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {
        "name": f"{assignment}: {exercise['function']}",
        "number": str(number),
        "score": exercise["score"],
        "max_score": exercise["max_score"],
        "status": "passed" if is_full(exercise) else "failed",
        "output": said_of(for_student(exercise)),
        "visibility": "visible",
    }


def _hidden_test(assignment: str, exercise: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{assignment}: {exercise['function']} with its hidden cases",
        "status": "failed" if exercise["hidden"]["failed"] else "passed",
        "output": said_of(exercise),
        "visibility": "hidden",
    }
