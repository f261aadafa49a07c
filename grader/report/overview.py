"""Assignments and functions in a line each, where they are not the ones to look at first."""

from __future__ import annotations

from collections.abc import Sequence

from grader.report import words
from grader.results import AssignmentFeedback, ExerciseFeedback
from grader.sandbox.answer import Outcome


def is_finished(assignment: AssignmentFeedback) -> bool:
    """Return whether there is nothing left to say of an assignment."""
    return all(
        words.state(each)[0] == "✓"
        and not each.slips
        and not any(invariant.held is False for invariant in each.invariants)
        and not (each.hidden and each.hidden.failed)
        for each in assignment.exercises
    )


def is_waiting(assignment: AssignmentFeedback) -> bool:
    """Return whether nothing of an assignment is written yet."""
    return not assignment.is_begun or all(
        each.outcome is Outcome.NOT_WRITTEN and not words.begun_line(each) for each in assignment.exercises
    )


def not_written(exercises: Sequence[ExerciseFeedback]) -> str:
    """Say of several functions that none of them is written yet."""
    return f"{words.OUTCOMES[Outcome.NOT_WRITTEN]}: {', '.join(exercise.function for exercise in exercises)}"


def still_to_begin(assignments: Sequence[AssignmentFeedback]) -> str:
    """Say which assignments are not begun, with the points of each, or where a single one would be."""
    if len(assignments) == 1 and not assignments[0].is_begun:
        return words.not_begun(assignments[0])
    return f"not begun: {', '.join(f'{each.name} ({words.points(each.max_score)})' for each in assignments)}"


def in_short(exercise: ExerciseFeedback) -> str:
    """Say in a few words what is open in a function that ran to its end."""
    if exercise.outcome is not Outcome.RETURNED:
        return ""
    parts = [f"{slip.name}: {words.VERDICTS[slip.verdict]}" for slip in exercise.slips]
    parts += [
        f"{words.NOT_HELD}: {each.name}" for each in exercise.invariants if each.held is False and not exercise.slips
    ]
    parts += [exercise.hidden.sentence] if exercise.hidden and exercise.hidden.failed else []
    if not parts and exercise.timing and exercise.timing.score < exercise.timing.max_score:
        parts = ["right, and not fast enough for all points"]
    return "; ".join(parts)
