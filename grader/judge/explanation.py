"""What is said of a wrong gradient: a diagnosis, and its worst entry worked by hand, within a time."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from grader.course import Arrays, Gradient
from grader.diagnose import NOT_LOOKED_INTO, diagnose
from grader.judge.dialect import in_numpy
from grader.judge.prepared import Prepared
from grader.results import GradientFeedback
from grader.verdict.follow import Basis, Trial
from grader.verdict.worked import Worked, work_out


class Patience:
    """The processor seconds that explaining what is wrong in one submission may take; entered while it does."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._left = seconds
        self._since = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self._left <= 0

    def __enter__(self) -> Self:
        self._since = time.thread_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left -= time.thread_time() - self._since


def explain_slip(
    prepared: Prepared,
    feedback: GradientFeedback,
    patience: Patience,
    trials: Sequence[Trial],
    alone: Callable[[str], Sequence[Trial]] | None,
) -> GradientFeedback:
    """Add to a wrong gradient what is wrong with it, where that is known."""
    if patience.is_over:
        return replace(feedback, diagnosis=NOT_LOOKED_INTO)
    gradient = prepared.exercise.gradient(feedback.name)
    with patience:
        plain, trials = trials, alone(gradient.name) if alone else trials
        try:
            diagnosis = diagnose(prepared.exercise, gradient, trials, prepared.bank)
        except Exception as error:  # noqa: BLE001 # an answer too odd to be explained is judged all the same
            diagnosis = None
            what = f"{gradient.name} of {prepared.exercise.function} could not be diagnosed"
            # Every test fails for it.
            warnings.warn(f"{what}: {type(error).__name__}: {error}", RuntimeWarning, stacklevel=1)
    sentences = {mistake.sentence for mistake in prepared.bank}
    if diagnosis is not None and prepared.exercise.arrays is Arrays.NUMPY and diagnosis.message not in sentences:
        diagnosis = replace(diagnosis, message=in_numpy(diagnosis.message))
    is_alone = diagnosis is not None and any(a.case is not b.case for a, b in zip(trials, plain, strict=True))
    worked = _work_out(gradient, feedback, plain)
    return replace(feedback, diagnosis=diagnosis, basis=Basis.RANDOM if is_alone else None, worked=worked)


def _work_out(gradient: Gradient, feedback: GradientFeedback, trials: Sequence[Trial]) -> Worked | None:
    """Return the worst entry of a wrong gradient worked by hand, of one whose numbers are what is wrong."""
    found, number = feedback.comparison, feedback.case_number
    if feedback.picture is None or found is None or found.worst_index is None or number is None:
        return None
    if found.expected is None or found.actual is None:
        return None
    return work_out(trials[number - 1].case, gradient.value, found.worst_index, found.expected, found.actual)
