"""A timed exercise: what the times of a function and of autograd are worth."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from grader.compare import Verdict, compare
from grader.course import Exercise, Limits, Timing
from grader.course.cases import Case, Reference
from grader.errors import CourseError
from grader.feedback import TimingFeedback
from grader.sandbox.answer import Answer
from grader.sandbox.interview import Interview
from grader.sandbox.question import Question, pack_call
from grader.sandbox.stopwatch import Forward, Times, time_function
from grader.sandbox.warm import Warm

CALLS = 8


@dataclass(frozen=True)
class TimedCases:
    """The timed case of an exercise on as many inputs as a block has calls, all of the same sizes."""

    assignment: str
    exercise: Exercise
    timing: Timing
    cases: tuple[Case, ...]
    forward: Forward

    @cached_property
    def question(self) -> Question:
        """A block of calls."""
        return Question(
            function=self.exercise.function,
            home=f"{self.assignment}.py",
            given=self.exercise.given,
            gradients=tuple(gradient.name for gradient in self.exercise.gradients),
            calls=tuple(pack_call(case.arguments) for case in self.cases),
        )


def make_timed_cases(reference: Reference, exercise: Exercise, seed: int) -> TimedCases | None:
    """Make the inputs on which an exercise is timed, if it is. Raises CourseError as making its cases does."""
    timing = exercise.timing
    if timing is None:
        return None
    if exercise.given != ("cache",):
        raise CourseError([f"{timing.place}: only a function that is given cache, and nothing else, can be timed"])
    spec = next(spec for spec in exercise.cases if spec.name == timing.case)
    cases = tuple(reference.make_case(exercise, spec, seed, number) for number in range(1, CALLS + 1))
    path = reference.rubric.folder / "reference.py"
    forward = Forward(_source(path, exercise), exercise.forward, cases[0].forward.output)
    return TimedCases(reference.rubric.name, exercise, timing, cases, forward)


def measure(timed: TimedCases, warm: Warm, interview: Interview, limits: Limits) -> TimingFeedback | None:
    """Time a function whose gradients are all correct; None if it could not be timed, or answers otherwise now."""
    lent = interview.lend_child(timed.question)
    if lent is None:
        return None
    child, file = lent
    sibling = warm.fork(limits)
    try:
        times = time_function(
            child, file, sibling, timed.question, timed.forward, timed.timing.ratio, limits.call_seconds
        )
    finally:
        child.close()
        sibling.close()
    if times is None or not all(_is_right(timed, index, answer) for index, answer in times.answers):
        return None
    return judge_times(timed.timing, times)


def judge_times(timing: Timing, times: Times) -> TimingFeedback:
    """Turn times into a ratio of the least ones, and points if that is low enough."""
    manual, autograd = min(times.manual), min(times.autograd)
    ratio = manual / autograd
    spread = f"over {len(times.manual)} blocks: {_spread(times.manual)} against {_spread(times.autograd)}"
    score = timing.points if ratio <= timing.ratio else 0.0
    return TimingFeedback(manual, autograd, ratio, spread, score, timing.points)


def _spread(seconds: tuple[float, ...]) -> str:
    return f"{min(seconds) * 1e6:.0f} to {max(seconds) * 1e6:.0f} µs"


def _is_right(timed: TimedCases, index: int, answer: Answer) -> bool:
    case = timed.cases[index]
    return all(
        gradient.name in answer.gradients
        and compare(case.expected[gradient.value], answer.gradients[gradient.name], gradient.tolerance).verdict
        is Verdict.CORRECT
        for gradient in timed.exercise.gradients
    )


def _source(path: Path, exercise: Exercise) -> str:
    """Return the forward's own source: the process that times autograd gets nothing else of the reference."""
    text = path.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == exercise.forward:
            return ast.get_source_segment(text, node) or ""
    raise CourseError(
        [f"{exercise.place}: a timed forward must be a plain function of {path}, {exercise.forward} is not"]
    )
