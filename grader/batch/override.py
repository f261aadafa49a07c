"""A report with a person's overrides in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.adjustment import Adjustment
from grader.feedback import AssignmentFeedback, Report, total


def override(report: Report, adjustments: Sequence[Adjustment]) -> Report:
    """Return the report with the points of each adjusted function as the person set them, and every sum over them.

    The gradients keep their own points: they say what the grader found.
    """
    found = {exercise.function: exercise for assignment in report.selected for exercise in assignment.exercises}
    applied = {
        each.function: _with_graded(each, found[each.function].score) for each in adjustments if each.function in found
    }
    if not applied:
        return report
    assignments = tuple(_override(assignment, applied) for assignment in report.assignments)
    return replace(
        report,
        score=total([assignment.score for assignment in assignments if assignment.is_selected]),
        assignments=assignments,
        adjustments=tuple(applied.values()),
    )


def _with_graded(adjustment: Adjustment, score: float | None) -> Adjustment:
    first = score if adjustment.graded_when_made is None else adjustment.graded_when_made
    return replace(adjustment, graded=score, graded_when_made=first)


def _override(assignment: AssignmentFeedback, applied: dict[str, Adjustment]) -> AssignmentFeedback:
    if not assignment.is_selected:
        return assignment
    exercises = tuple(
        replace(exercise, score=applied[exercise.function].points) if exercise.function in applied else exercise
        for exercise in assignment.exercises
    )
    return replace(assignment, score=total([exercise.score for exercise in exercises]), exercises=exercises)
