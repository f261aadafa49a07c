"""Results: all that is said of one submission, as frozen data; renderers are functions over a Report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from grader.adjustment import Adjustment
from grader.course.graph import Graph
from grader.diagnose import Diagnosis
from grader.hidden import HiddenCases
from grader.rules import RULES
from grader.sandbox.answer import CodeLine, Flag, Outcome
from grader.verdict.compare import Comparison, Verdict
from grader.verdict.follow import Basis
from grader.verdict.picture import Picture
from grader.verdict.worked import Worked

# How a run ends where there is nothing to judge yet.
UNWRITTEN = (Outcome.NOT_WRITTEN, Outcome.MISSING)


@dataclass(frozen=True)
class GradientFeedback:
    """One gradient: its verdict over all cases, and the case and comparison that decided it.

    `note` says in words what no number shows. `slips` are the wrong gradients that a `follows` rests on, or one of
    which it could not be told whether it follows; `basis` are the numbers with which it was found right, or named;
    `picture` is the error of a wrong one, `worked` its worst entry worked by hand, and `code` the line that made it.
    It is `hidden` if the case that decided is.
    """

    name: str
    verdict: Verdict
    score: float | None
    max_score: float
    case: str | None = None
    comparison: Comparison | None = None
    exact: bool | None = None
    note: str = ""
    slips: tuple[str, ...] = ()
    basis: Basis | None = None
    hints: tuple[str, ...] = ()
    case_number: int | None = None
    diagnosis: Diagnosis | None = None
    picture: Picture | None = None
    worked: Worked | None = None
    code: CodeLine | None = None
    hidden: bool = False

    @property
    def is_slip(self) -> bool:
        """Whether the gradient is wrong in itself, and not for what came before it."""
        return self.verdict not in (Verdict.CORRECT, Verdict.FOLLOWS, Verdict.NOT_JUDGED)

    @property
    def is_absent(self) -> bool:
        """Whether there is nothing to say of the gradient but that it is not there."""
        return self.verdict is Verdict.NOT_RETURNED and not self.note and self.diagnosis is None


class Mark(StrEnum):
    """How the gradient of a value in a graph stands."""

    RIGHT = "right"
    SLIP = "slip"  # the one to look at first
    WRONG = "wrong"
    FOLLOWS = "follows"
    NOT_WRITTEN = "not_written"
    NEVER_REACHED = "never_reached"
    NOT_JUDGED = "not_judged"
    START = "start"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True)
class InvariantFeedback:
    """A property of right gradients and whether the returned ones have it; `held` is None if they cannot tell."""

    name: str
    held: bool | None
    detail: str
    score: float | None
    max_score: float


@dataclass(frozen=True)
class TimingFeedback:
    """Seconds of one call, of the function and of autograd: the least of several blocks; `spread` tells the others."""

    manual: float
    autograd: float
    ratio: float
    spread: str
    score: float
    max_score: float


@dataclass(frozen=True)
class ExerciseFeedback:
    """One function, or what is written as statements: how its run ended and what was made of each gradient.

    `source` is the text of the line that ended the run; `forward` and `maths` are the forward pass as
    code and as lines of TeX, and `graph` its values. `case_number` is the case whose run ended otherwise than those of
    others, counted from 1. `is_trainable` says that `grade train` takes the function. `hidden` tells of hidden cases,
    if there are any; then `shown` is what was made of the others alone, without any gradients where all cases are
    hidden.
    """

    function: str
    score: float | None
    max_score: float
    outcome: Outcome
    message: str
    file: str | None
    line: int | None
    printed: str
    seconds: float
    flags: tuple[Flag, ...]
    gradients: tuple[GradientFeedback, ...]
    invariants: tuple[InvariantFeedback, ...] = ()
    timing: TimingFeedback | None = None
    source: str = ""
    forward: str = ""
    maths: tuple[str, ...] = ()
    case_number: int | None = None
    graph: Graph | None = None
    is_statements: bool = False
    is_trainable: bool = False
    hidden: HiddenCases | None = None
    shown: ExerciseFeedback | None = None

    @property
    def for_student(self) -> ExerciseFeedback:
        """The feedback without anything that rests on a hidden case, but for how many failed and the score."""
        if self.hidden is None or self.shown is None:
            return self
        hidden = replace(self.hidden, cases=None)
        return replace(self.shown, score=self.score, max_score=self.max_score, hidden=hidden, shown=None)

    @property
    def is_full_marks(self) -> bool:
        """Whether every point of the function was earned."""
        return self.score is not None and self.score >= self.max_score

    @property
    def slips(self) -> tuple[GradientFeedback, ...]:
        """The gradients that are wrong in themselves, in backward order; those that did not come back are last."""
        wrong = [gradient for gradient in self.gradients if gradient.is_slip]
        return tuple(sorted(wrong, key=lambda gradient: gradient.verdict is Verdict.NOT_RETURNED))

    @property
    def has_answer(self) -> bool:
        """Whether any gradient came back to be judged."""
        return any(each.verdict not in (Verdict.NOT_RETURNED, Verdict.NOT_JUDGED) for each in self.gradients)

    @property
    def marks(self) -> dict[str, Mark]:
        """How the gradient of each value of the graph stands, by the value's name; empty without a graph."""
        if self.graph is None:
            return {}
        feedback = {gradient.name: gradient for gradient in self.gradients}
        found = {}
        for value in self.graph.values:
            gradient = feedback.get(f"d{value.name}")
            if gradient is not None:
                found[value.name] = self._mark(gradient)
            else:
                found[value.name] = Mark.START if value.name == self.graph.output else Mark.NOT_ASKED
        return found

    def _mark(self, gradient: GradientFeedback) -> Mark:
        match gradient.verdict:
            case Verdict.CORRECT:
                return Mark.RIGHT
            case Verdict.FOLLOWS:
                return Mark.FOLLOWS
            case Verdict.NOT_JUDGED:
                return Mark.NOT_JUDGED
            case Verdict.NOT_RETURNED if not gradient.note and self.outcome in (Outcome.RETURNED, *UNWRITTEN):
                return Mark.NOT_WRITTEN
        if gradient is self.slips[0]:
            return Mark.SLIP
        return Mark.NEVER_REACHED if gradient.verdict is Verdict.NOT_RETURNED and not gradient.note else Mark.WRONG

    def of(self, verdict: Verdict) -> tuple[GradientFeedback, ...]:
        """Return the gradients with a verdict."""
        return tuple(gradient for gradient in self.gradients if gradient.verdict is verdict)


@dataclass(frozen=True)
class AssignmentFeedback:
    """One assignment; `score` and `max_score` are None if it was not selected.

    One that is `optional` has points of its own; they count in the report's only where `counts` says so.
    """

    name: str
    title: str
    score: float | None
    max_score: float | None
    exercises: tuple[ExerciseFeedback, ...]
    optional: bool = False
    counts: bool = True

    @property
    def is_begun(self) -> bool:
        """Whether its file is there, or any of its functions."""
        return any(each.outcome is not Outcome.MISSING or each.file is not None for each in self.exercises)

    @property
    def is_handed_in(self) -> bool:
        """Whether any of its functions is there and written."""
        return any(each.outcome not in UNWRITTEN for each in self.exercises)

    @property
    def is_selected(self) -> bool:
        """Whether the assignment was graded."""
        return self.max_score is not None

    @property
    def for_student(self) -> AssignmentFeedback:
        """The feedback without anything that rests on a hidden case."""
        return replace(self, exercises=tuple(each.for_student for each in self.exercises))

    def adjusted(self, applied: Mapping[str, Adjustment]) -> AssignmentFeedback:
        """Return the assignment with the points of some functions, by name, as a person set them."""
        if not self.is_selected:
            return self
        exercises = tuple(
            replace(each, score=applied[each.function].points) if each.function in applied else each
            for each in self.exercises
        )
        return replace(self, score=total([each.score for each in exercises]), exercises=exercises)


@dataclass(frozen=True)
class Report:
    """All that is said of one submission; `score` is None if anything could not be judged.

    `weaknesses` has a line for each layer of the sandbox that `isolation` lacks. `version` is that of the course,
    `language` the tag of its texts' language, and `rules` the number of those by which marks were given.
    """

    course: str
    submission: str
    seed: int
    grader: str
    torch: str
    isolation: tuple[str, ...]
    score: float | None
    max_score: float
    seconds: float
    assignments: tuple[AssignmentFeedback, ...]
    submitted_at: str | None = None
    adjustments: tuple[Adjustment, ...] = ()
    weaknesses: tuple[str, ...] = ()
    version: str | None = None
    language: str = "en"
    rules: int = RULES

    def __repr__(self) -> str:
        # Of all that it holds, a line: nobody reads 90,000 characters.
        score = "not judged" if self.score is None else f"{self.score:g}"
        return f"<{type(self).__name__} of {self.submission}: {score} of {self.max_score:g} points>"

    @property
    def selected(self) -> tuple[AssignmentFeedback, ...]:
        """The assignments that were graded."""
        return tuple(assignment for assignment in self.assignments if assignment.is_selected)

    @property
    def for_student(self) -> Report:
        """The report without anything that rests on a hidden case: not even the time that those took."""
        exercises = [each for assignment in self.selected for each in assignment.exercises]
        if all(each.for_student is each for each in exercises):
            return self
        seconds = sum(each.for_student.seconds for each in exercises)
        return replace(self, seconds=seconds, assignments=tuple(each.for_student for each in self.assignments))

    def adjusted(self, adjustments: Sequence[Adjustment]) -> Report:
        """Return the report with the points of each adjusted function as a person set them, and every sum over them.

        The gradients keep their own points: they say what the grader found.
        """
        found = {exercise.function: exercise for assignment in self.selected for exercise in assignment.exercises}
        applied = {
            each.function: each.applied_to(found[each.function].score) for each in adjustments if each.function in found
        }
        if not applied:
            return self
        assignments = tuple(assignment.adjusted(applied) for assignment in self.assignments)
        score = total([each.score for each in assignments if each.is_selected and each.counts])
        return replace(self, score=score, assignments=assignments, adjustments=tuple(applied.values()))

    @property
    def is_full_marks(self) -> bool:
        """Whether every point there is was earned."""
        return self.score is not None and self.score >= self.max_score


def total(scores: list[float | None]) -> float | None:
    """Return the sum of scores, or None if one of them is unknown; without the dust of binary fractions."""
    known = [score for score in scores if score is not None]
    return round(sum(known), 9) if len(known) == len(scores) else None
