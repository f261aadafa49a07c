"""A timed exercise: what the times of a function and of autograd are worth."""

from __future__ import annotations

import ast
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from grader.course import Exercise, Limits, Timing
from grader.course.cases import Case, Reference
from grader.errors import CourseError, SandboxError
from grader.results import TimingFeedback
from grader.sandbox.answer import Answer, Outcome, read_answer
from grader.sandbox.child import Child, Heard
from grader.sandbox.guest.protocol import FrameError
from grader.sandbox.question import Question, pack_call
from grader.sandbox.session import Session
from grader.sandbox.warm import Warm
from grader.verdict.compare import Verdict, compare

CALLS = 8


@dataclass(frozen=True)
class TimedCases:
    """The timed case of an exercise on as many inputs as a block has calls, all of the same sizes."""

    assignment: str
    exercise: Exercise
    timing: Timing
    cases: tuple[Case, ...]
    forward: TimedForward

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
    forward = TimedForward(_source(exercise), exercise.forward, cases[0].forward.output)
    return TimedCases(reference.rubric.name, exercise, timing, cases, forward)


def measure(timed: TimedCases, warm: Warm, session: Session, limits: Limits) -> TimingFeedback | None:
    """Time a function whose gradients are all correct; None if it could not be timed, or answers otherwise now."""
    lent = session.lend_child(timed.question)
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


def _source(exercise: Exercise) -> str:
    """Return the forward's own source: the process that times autograd gets nothing else of the reference."""
    source = exercise.reference.read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == exercise.forward:
            return ast.get_source_segment(source, node) or ""
    text = f"a timed forward must be a plain function of {exercise.reference}, {exercise.forward} is not"
    raise CourseError([f"{exercise.place}: {text}"])


BLOCKS = 7
# As many are enough where the function takes at most this share of the time that it may.
ENOUGH_BLOCKS, AMPLE = 3, 0.5
LOOKED_AT = 3


@dataclass(frozen=True)
class TimedForward:
    """The reference forward that autograd goes back through, as source to run in the sibling."""

    source: str
    name: str
    output: str


@dataclass(frozen=True)
class Times:
    """Seconds per call in each block, and answers fetched afterwards: the index of a call and what it gave."""

    manual: tuple[float, ...]
    autograd: tuple[float, ...]
    answers: tuple[tuple[int, Answer], ...]


def time_function(
    child: Child, file: str, sibling: Child, question: Question, forward: TimedForward, ratio: float, seconds: float
) -> Times | None:
    """Time a block of a question's calls in `child` against autograd's in `sibling`, at most `seconds` a block.

    `ratio` is how many times as long as autograd the function may take. Returns None if it did not last through it.
    Raises SandboxError if the sibling did not, which is no student's doing.
    """
    ready = [_prepare(sibling, question, "", forward, seconds), _prepare(child, question, file, None, seconds)]
    manual: list[float] = []
    autograd: list[float] = []
    # The first block warms both and is not counted.
    for _ in range(BLOCKS + 1):
        for each, times in ((sibling, autograd), (child, manual)):
            heard = each.ask({"do": "run"}, b"", seconds)
            ready.append(heard)
            times.append(heard.seconds / len(question.calls))
        if any(heard.frame is None for heard in ready):
            break
        if len(manual) > ENOUGH_BLOCKS and min(manual[1:]) <= AMPLE * ratio * min(autograd[1:]):
            break
    if any(heard.frame is None for heard in [ready[0], *ready[2::2]]):
        raise SandboxError("the process that times autograd gave no answer")
    if any(heard.frame is None for heard in ready):
        return None
    answers = tuple((index, _show(child, question, index, seconds)) for index in _some(len(question.calls)))
    return Times(tuple(manual[1:]), tuple(autograd[1:]), answers)


def _prepare(child: Child, question: Question, file: str, forward: TimedForward | None, seconds: float) -> Heard:
    message = question.message(
        "prepare", question.calls, file=file, forward=None if forward is None else asdict(forward)
    )
    return child.ask(message, b"".join(call.tensors for call in question.calls), seconds)


def _show(child: Child, question: Question, index: int, seconds: float) -> Answer:
    heard = child.ask(question.message("show", index=index), b"", seconds)
    if heard.frame is None:
        return Answer(Outcome.CRASHED)
    try:
        return read_answer(heard.frame, question.gradients, heard.printed, heard.seconds)
    except FrameError as error:
        return Answer(Outcome.BAD_RETURN, str(error))


def _some(count: int) -> Sequence[int]:
    # Not from the seed: a submission that knew it could prepare for these calls alone.
    return random.SystemRandom().sample(range(count), min(LOOKED_AT, count))
