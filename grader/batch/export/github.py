"""GitHub Classroom: what a runner hands to its reporter."""

from __future__ import annotations

from typing import Any

from grader.batch.export.plain_text import for_student, is_full, said_of

MAX_OUTPUT = 500


def as_github(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result as Classroom's reporter reads it, before it is put into base64: students read it, too."""
    exercises = [for_student(each) for part in result["assignments"] for each in part["exercises"]]
    return {
        "version": 3,
        "status": "pass" if all(map(is_full, exercises)) else "fail",
        "max_score": result["max_score"],
        "tests": [
            {
                "name": each["function"],
                "status": "pass" if is_full(each) else "fail",
                "message": None if is_full(each) else each["message"] or each["outcome"],
                "test_code": "",
                "task_id": 0,
                "filename": "",
                "line_no": each["line"] or 0,
                "duration": each["seconds"],
                "score": each["score"],
                "output": said_of(each)[:MAX_OUTPUT],
            }
            for each in exercises
        ],
    }
