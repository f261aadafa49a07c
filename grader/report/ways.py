"""Commands that help on from where a student stands, said there and not in a manual."""

from __future__ import annotations

from grader.report.words import case_command
from grader.results import ExerciseFeedback, GradientFeedback
from grader.sandbox.answer import Outcome
from grader.verdict.compare import Verdict

TRY = "try"
# A graph of fewer values shows nothing that the lesson's line does not.
WORTH_DRAWING = 5


def ways_on(exercise: ExerciseFeedback, slip: GradientFeedback | None, seed: int) -> list[str]:
    """Return commands that help with a slip, or with a function that gave nothing back."""
    found = [_with_seed("grade hint", seed)] if slip is not None else []
    if slip is not None and exercise.graph is not None and len(exercise.graph.values) >= WORTH_DRAWING:
        found.append(_with_seed(f"grade --graph {exercise.function}", seed))
    if exercise.outcome is not Outcome.UNREADABLE:
        judged = slip if slip is not None and slip.verdict is not Verdict.NOT_RETURNED else None
        found.append(case_command(exercise, judged, seed))
    if slip is not None and len(exercise.slips) > 1:
        found.append(_with_seed("grade --explain", seed))
    return found


def ways_to_begin(exercise: ExerciseFeedback) -> list[str]:
    """Return commands that help with a function that is not written yet."""
    return [f"grade explain {exercise.function}", f"grade hint {exercise.function}", "grade --watch"]


def _with_seed(command: str, seed: int) -> str:
    return f"{command} --seed {seed}" if seed else command
