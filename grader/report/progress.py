"""How the gradients of a submission stood at one time, what changed until another, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grader.report.figures import count
from grader.results import Report
from grader.verdict.compare import Verdict

Place = tuple[str, str]
RIGHT = (Verdict.CORRECT,)
# Wrong in itself, and not merely not there yet.
SLIPS = (Verdict.WRONG_VALUES, Verdict.WRONG_SHAPE, Verdict.WRONG_DTYPE, Verdict.NOT_FINITE)


@dataclass(frozen=True)
class Standing:
    """The verdict of each gradient that was graded, by function and name; `seed` and course say what it rests on."""

    course: str
    version: str | None
    seed: int
    functions: Mapping[str, Mapping[str, Verdict]]


@dataclass(frozen=True)
class Progress:
    """The gradients, as function and name, that are right since then, that no longer are, and the slips since then.

    `is_same` if every gradient stands as it did.
    """

    right: tuple[Place, ...]
    lost: tuple[Place, ...]
    slips: tuple[Place, ...]
    mended: tuple[Place, ...]
    is_same: bool


def standing_of(report: Report) -> Standing:
    """Return how a student's gradients stand in a report, without what rests on hidden cases."""
    exercises = [each for assignment in report.for_student.selected for each in assignment.exercises]
    functions = {each.function: {one.name: one.verdict for one in each.gradients} for each in exercises}
    return Standing(report.course, report.version, report.seed, functions)


def compare_standings(before: Standing, after: Standing) -> Progress | None:
    """Return what changed in the gradients of both; None if they have none in common, or rest on other data."""
    if (before.course, before.version, before.seed) != (after.course, after.version, after.seed):
        return None
    pairs = [
        ((function, name), before.functions[function][name], verdict)
        for function, gradients in after.functions.items()
        for name, verdict in gradients.items()
        if name in before.functions.get(function, {})
    ]
    if not pairs:
        return None
    return Progress(
        right=tuple(place for place, was, now in pairs if now in RIGHT and was not in RIGHT),
        lost=tuple(place for place, was, now in pairs if was in RIGHT and now not in RIGHT),
        slips=tuple(place for place, was, now in pairs if now in SLIPS and was not in SLIPS),
        mended=tuple(place for place, was, now in pairs if was in SLIPS and now is Verdict.FOLLOWS),
        is_same=all(was is now for _, was, now in pairs),
    )


def say_progress(progress: Progress | None) -> str:
    """Say in a sentence what changed since the last run; nothing if that is not known."""
    if progress is None:
        return ""
    parts = []
    if progress.right:
        parts.append(f"+{count(len(progress.right), 'gradient')} right")
    if progress.lost:
        parts.append(f"{count(len(progress.lost), 'gradient')} no longer right")
    if progress.slips:
        (function, name), *more = progress.slips
        where = f"{name} of {function}" + (f" and {len(more)} more" if more else "")
        parts.append(f"{count(len(progress.slips), 'new slip')} ({where})")
    if progress.mended:
        parts.append(f"{count(len(progress.mended), 'slip')} less")
    if not parts:
        parts = ["nothing changed" if progress.is_same else "no more right, no new slip"]
    return f"Since the last run: {', '.join(parts)}."
