"""One exercise of two parts, the cases that its student may see and the hidden ones, put together: the worse counts."""

from __future__ import annotations

from dataclasses import replace

from grader.hidden import HiddenCases
from grader.results import ExerciseFeedback, GradientFeedback, InvariantFeedback, total
from grader.sandbox.answer import Outcome
from grader.verdict.compare import Verdict


def join(shown: ExerciseFeedback | None, hidden: ExerciseFeedback, failed: int, cases: int) -> ExerciseFeedback:
    """Return the feedback on all cases of a function, with the part that its student may see beside it.

    `failed` of the `cases` hidden cases are wrong. Without a `shown` part every case is hidden.
    """
    concealed = replace(hidden, gradients=tuple(replace(each, hidden=True) for each in hidden.gradients))
    if shown is None:
        lost = None if hidden.score is None else hidden.max_score - hidden.score
        return replace(concealed, hidden=HiddenCases(failed, lost, cases), shown=_blank(hidden))
    gradients = tuple(map(_worse, shown.gradients, concealed.gradients))
    invariants = tuple(map(_worse_invariant, shown.invariants, concealed.invariants))
    is_right = all(each.verdict is Verdict.CORRECT for each in gradients)
    timing = shown.timing if is_right else None
    points = [*(each.score for each in gradients), *(each.score for each in invariants)]
    score = total([*points, timing.score if timing else 0.0])
    if is_right and shown.score is None:
        score = None  # its gradients are right, and it could not be timed
    lost = None if score is None or shown.score is None else round(shown.score - score, 9)
    told = concealed if shown.outcome is Outcome.RETURNED and hidden.outcome is not Outcome.RETURNED else shown
    return replace(
        told,
        score=score,
        seconds=shown.seconds + hidden.seconds,
        printed=shown.printed or hidden.printed,
        flags=tuple(dict.fromkeys([*shown.flags, *hidden.flags])),
        gradients=gradients,
        invariants=invariants,
        timing=timing,
        hidden=HiddenCases(failed, lost, cases),
        shown=shown,
    )


def _blank(hidden: ExerciseFeedback) -> ExerciseFeedback:
    """Return what is left of an exercise for its student where all cases are hidden: its name and its points."""
    return ExerciseFeedback(
        function=hidden.function,
        score=hidden.score,
        max_score=hidden.max_score,
        outcome=Outcome.RETURNED,
        message="",
        file=None,
        line=None,
        printed="",
        seconds=0.0,
        flags=(),
        gradients=(),
    )


def _worse(shown: GradientFeedback, hidden: GradientFeedback) -> GradientFeedback:
    exact = None if None in (shown.exact, hidden.exact) else bool(shown.exact and hidden.exact)
    return replace(hidden if _severity(hidden) > _severity(shown) else shown, exact=exact)


def _severity(gradient: GradientFeedback) -> tuple[int, float]:
    return gradient.verdict.rank, gradient.comparison.severity[1] if gradient.comparison else 0.0


def _worse_invariant(shown: InvariantFeedback, hidden: InvariantFeedback) -> InvariantFeedback:
    ranks = {True: 0, None: 1, False: 2}
    worse = hidden if ranks[hidden.held] > ranks[shown.held] else shown
    scores = [each.score for each in (shown, hidden) if each.score is not None]
    return replace(worse, score=min(scores) if len(scores) == 2 else None)
