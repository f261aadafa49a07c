"""What is different between two reports of the same work, in a few lines."""

from __future__ import annotations

from grader.feedback import ExerciseFeedback, Report
from grader.report import words


def describe_changes(before: Report, after: Report) -> list[str]:
    """Return a line for every function whose gradients are judged otherwise than before, and one for the total."""
    earlier = {exercise.function: exercise for part in before.selected for exercise in part.exercises}
    lines = []
    for part in after.selected:
        for exercise in part.exercises:
            line = _change(earlier.get(exercise.function), exercise)
            if line:
                lines.append(line)
    if before.score != after.score:
        lines.append(f"Total {words.points(before.score)} → {words.points(after.score)}")
    return lines


def _change(before: ExerciseFeedback | None, after: ExerciseFeedback) -> str:
    if before is None:
        return ""
    old = {gradient.name: gradient.verdict for gradient in before.gradients}
    moved: dict[tuple[str, str], list[str]] = {}
    for gradient in after.gradients:
        if old.get(gradient.name) is not gradient.verdict and gradient.name in old:
            step = words.VERDICTS[old[gradient.name]], words.VERDICTS[gradient.verdict]
            moved.setdefault(step, []).append(gradient.name)
    parts = [f"{', '.join(names)} {was} → {now}" for (was, now), names in moved.items()]
    if before.outcome is not after.outcome:
        parts.insert(0, f"{words.OUTCOMES[before.outcome]} → {words.OUTCOMES[after.outcome]}")
    return f"{after.function}: {'; '.join(parts)}" if parts else ""
