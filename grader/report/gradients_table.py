"""A table of the gradients of a function of which no panel of their own says all there is."""

from __future__ import annotations

from dataclasses import dataclass

from grader.report import words
from grader.report.figures import count, number, points
from grader.results import ExerciseFeedback, GradientFeedback
from grader.verdict.compare import Verdict


@dataclass(frozen=True)
class Row:
    """One gradient as text: `tone` is the class that colours its verdict, the rest stands in the table."""

    name: str
    tone: str
    verdict: str
    remark: str
    points: str
    exact: str
    approx: str
    maxdiff: str


@dataclass(frozen=True)
class GradientsTable:
    """The rows, and a title that says how many gradients stand how."""

    title: str
    rows: tuple[Row, ...]


def gradients_table(exercise: ExerciseFeedback) -> GradientsTable | None:
    """Return the table, or None if there is a panel for every gradient."""
    listed = _without_panels(exercise)
    if not listed:
        return None
    verdicts = [gradient.verdict for gradient in listed]
    standing = [f"{verdicts.count(verdict)} {_verb(verdict, verdicts)}" for verdict in Verdict if verdict in verdicts]
    other = "" if len(listed) == len(exercise.gradients) else "other "
    title = f"The {other}{count(len(listed), 'gradient')} in figures: {', '.join(standing)}"
    return GradientsTable(title, tuple(_row(gradient, exercise) for gradient in listed))


def _without_panels(exercise: ExerciseFeedback) -> list[GradientFeedback]:
    if not exercise.has_answer:
        return list(exercise.gradients)
    slips = exercise.slips
    said = {each.name for each in slips if each is slips[0] or not each.is_absent}
    return [gradient for gradient in exercise.gradients if gradient.name not in said]


def _verb(verdict: Verdict, verdicts: list[Verdict]) -> str:
    return "follow" if verdict is Verdict.FOLLOWS and verdicts.count(verdict) > 1 else words.VERDICTS[verdict]


def _row(gradient: GradientFeedback, exercise: ExerciseFeedback) -> Row:
    verdict, comparison = gradient.verdict, gradient.comparison
    error = comparison.max_abs_error if comparison is not None else None
    return Row(
        name=gradient.name,
        tone=_tone(verdict),
        verdict=f"{words.GLYPHS[verdict]} {words.VERDICTS[verdict]}",
        remark=words.absent_line(exercise) if gradient.is_absent else words.remark(gradient),
        points=f"{points(gradient.score)}/{points(gradient.max_score)}",
        exact="-" if gradient.exact is None else "yes" if gradient.exact else "no",
        approx="-" if error is None else "yes" if verdict is Verdict.CORRECT else "no",
        maxdiff=number(error, 3),
    )


def _tone(verdict: Verdict) -> str:
    if verdict in (Verdict.CORRECT, Verdict.FOLLOWS):
        return "good"
    return "quiet" if verdict in (Verdict.NOT_RETURNED, Verdict.NOT_JUDGED) else "wrong"
