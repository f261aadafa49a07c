"""What is said of how the run of a function ended."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from grader.results import AssignmentFeedback, ExerciseFeedback
from grader.sandbox.answer import Outcome

OUTCOMES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.RETURNED: "returned",
        Outcome.NOT_WRITTEN: "not written yet",
        Outcome.MISSING: "missing",
        Outcome.RAISED: "raised an exception",
        Outcome.TIMED_OUT: "ran out of time",
        Outcome.OUT_OF_MEMORY: "ran out of memory",
        Outcome.TOO_MUCH_OUTPUT: "printed too much",
        Outcome.CRASHED: "ended its process",
        Outcome.BAD_RETURN: "returned what cannot be graded",
        Outcome.AUTOGRAD_USED: "used autograd",
        Outcome.UNREADABLE: "could not be read",
        Outcome.NOT_JUDGED: "not judged: a fault of the grader",
    }
)


def not_begun(assignment: AssignmentFeedback) -> str:
    """Say which functions of an assignment are still to be written, where there is none of them yet."""
    functions = ", ".join(exercise.function for exercise in assignment.exercises)
    return f"not begun: {functions} would be in {assignment.name}.py"


def where(exercise: ExerciseFeedback) -> str:
    """Return file and line of what ended the run, if they are known."""
    if exercise.file is None:
        return ""
    return f"{exercise.file} line {exercise.line}" if exercise.line else exercise.file


def outcome_line(exercise: ExerciseFeedback) -> str:
    """Say how the run ended, or nothing where it returned."""
    if exercise.outcome is Outcome.RETURNED:
        return exercise.message
    if exercise.outcome is Outcome.NOT_WRITTEN:
        return "not written yet"
    place, said = where(exercise), exercise.message
    # A message about a file names the place itself.
    prefix = f"{place}: " if exercise.line and exercise.file and exercise.file not in said else ""
    return f"{OUTCOMES[exercise.outcome]}: {prefix}{said}" if said else OUTCOMES[exercise.outcome]


def state(exercise: ExerciseFeedback) -> tuple[str, str]:
    """Return the glyph and the word that stand for a whole function."""
    if exercise.score is None:
        return "?", "not judged"
    if exercise.is_full_marks and exercise.outcome is Outcome.RETURNED:
        return "✓", "right"
    if exercise.outcome in (Outcome.NOT_WRITTEN, Outcome.MISSING):
        return "○", "not written yet" if exercise.outcome is Outcome.NOT_WRITTEN else "missing"
    return "✗", "not right yet" if exercise.outcome is Outcome.RETURNED else OUTCOMES[exercise.outcome]
