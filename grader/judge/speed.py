"""A timed exercise: what the times of a function and of autograd are worth."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from grader.course import CaseSpec, Exercise, Limits, Timing
from grader.course.cases import Case, Reference
from grader.errors import CourseError, SandboxError
from grader.results import TimingFeedback
from grader.sandbox.answer import Answer, Outcome, read_answer
from grader.sandbox.child import Child, Heard
from grader.sandbox.guest.protocol import FrameError
from grader.sandbox.question import Question, Questionnaire, flatten, pack_call, room_for
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
    blocks: NewBlocks

    @cached_property
    def question(self) -> Question:
        """A block of calls."""
        return Question(
            function=self.exercise.function,
            home=f"{self.assignment}.py",
            given=self.exercise.given,
            gradients=self.exercise.gradient_names,
            calls=tuple(flatten(case.arguments) for case in self.cases),
            room=room_for(self.exercise, self.cases),
        )


def make_timed_cases(reference: Reference, exercise: Exercise, seed: int) -> TimedCases | None:
    """Make the inputs on which an exercise is timed, if it is. Raises CourseError as making its cases does."""
    timing = exercise.timing
    if timing is None:
        return None
    if exercise.given != ("cache",):
        raise CourseError([f"{timing.place}: only a function that is given cache, and nothing else, can be timed"])
    spec = exercise.case(timing.case)
    cases = tuple(reference.make_case(exercise, spec, seed, number) for number in range(1, CALLS + 1))
    source = reference.source(exercise)
    if not source.definition:
        text = f"a timed forward must be a plain function of {source.path}, {exercise.forward} is not"
        raise CourseError([f"{exercise.place}: {text}"])
    # The process that times autograd gets nothing else of the reference.
    forward = TimedForward(source.definition, exercise.forward, cases[0].forward.output)
    blocks = NewBlocks(reference, exercise, spec)
    return TimedCases(reference.rubric.name, exercise, timing, cases, forward, blocks)


@dataclass(frozen=True)
class NewBlock:
    """The calls of one block with numbers that no submission has seen: its case `looked_at` tells if it is right."""

    described: tuple[Mapping[str, Any], ...]
    data: bytes
    looked_at: int
    case: Case


class NewBlocks:
    """Blocks of calls, each with numbers of its own, made when first asked for and kept: submissions do not meet."""

    def __init__(self, reference: Reference, exercise: Exercise, spec: CaseSpec) -> None:
        self._reference = reference
        self._exercise = exercise
        self._spec = spec
        self._chance = random.SystemRandom()
        self._seed = self._chance.getrandbits(128)
        self._known: list[NewBlock] = []

    def __getitem__(self, number: int) -> NewBlock:
        while len(self._known) <= number:
            self._known.append(self._make(1 + len(self._known) * CALLS))
        return self._known[number]

    def _make(self, first: int) -> NewBlock:
        made = (self._exercise, self._spec, self._seed)
        calls = [self._reference.make_arguments(*made, first + place) for place in range(CALLS)]
        packed = [pack_call(flatten(arguments)) for arguments in calls]
        looked_at = self._chance.randrange(CALLS)
        case = self._reference.make_case(*made, first + looked_at)
        return NewBlock(tuple(about for about, _ in packed), b"".join(data for _, data in packed), looked_at, case)


def measure(
    timed: TimedCases, warm: Warm, session: Session, questionnaire: Questionnaire, limits: Limits
) -> TimingFeedback | None:
    """Time a function whose gradients are all correct; None if it could not be timed, or answers otherwise now."""
    file = session.file(timed.question)
    if file is None:
        return None
    index = questionnaire.index(timed.question)
    child, sibling = warm.fork(limits, questionnaire), warm.fork(limits, questionnaire)
    try:
        block = Block(timed.question, index, file, *session.overview.request)
        times = time_function(
            child, sibling, block, timed.blocks, timed.forward, timed.timing.ratio, limits.call_seconds
        )
    finally:
        child.close()
        sibling.close()
    if times is None or not all(_is_right(timed, case, answer) for case, answer in times.answers):
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


def _is_right(timed: TimedCases, case: Case, answer: Answer) -> bool:
    return all(
        gradient.name in answer.gradients
        and compare(case.expected[gradient.value], answer.gradients[gradient.name], gradient.tolerance).verdict
        is Verdict.CORRECT
        for gradient in timed.exercise.gradients
    )


BLOCKS = 7
# As many are enough where the function takes at most this share of the time that it may.
ENOUGH_BLOCKS, AMPLE = 3, 0.5


@dataclass(frozen=True)
class TimedForward:
    """The reference forward that autograd goes back through, as source to run in the sibling."""

    source: str
    name: str
    output: str


@dataclass(frozen=True)
class Times:
    """Seconds per call in each block, and of each block the answer to one call, with the case of that."""

    manual: tuple[float, ...]
    autograd: tuple[float, ...]
    answers: tuple[tuple[Case, Answer], ...]


@dataclass(frozen=True)
class Block:
    """The calls to time: their question with its place in the questionnaire, and the submission to load for them."""

    question: Question
    index: int
    file: str
    files: list[tuple[str, int]]
    sources: bytes


def time_function(
    child: Child,
    sibling: Child,
    block: Block,
    blocks: NewBlocks,
    forward: TimedForward,
    ratio: float,
    seconds: float,
) -> Times | None:
    """Time blocks of calls in `child` against autograd's in `sibling`, at most `seconds` a block.

    Each counted block of the child has new numbers in new objects, and one of its answers is fetched.
    `ratio` is how many times as long as autograd the function may take. Returns None if it did not last through it.
    Raises SandboxError if the sibling did not, which is no student's doing.
    """
    question = block.question
    ready = [_prepare(sibling, block, forward, seconds), _prepare(child, block, None, seconds)]
    manual: list[float] = []
    autograd: list[float] = []
    answers: list[tuple[Case, Answer]] = []
    # The first block warms both, with the numbers that they have, and is not counted.
    for number in range(BLOCKS + 1):
        new = blocks[number - 1] if number else None
        if new is not None and child.ask({"do": "load", "calls": new.described}, new.data, seconds).frame is None:
            return None
        for each, times in ((sibling, autograd), (child, manual)):
            heard = each.ask({"do": "run"}, b"", seconds)
            ready.append(heard)
            times.append(heard.seconds / len(question.calls))
        if any(heard.frame is None for heard in ready):
            break
        if new is not None:
            answers.append((new.case, _show(child, question, new.looked_at, seconds)))
        if len(manual) > ENOUGH_BLOCKS and min(manual[1:]) <= AMPLE * ratio * min(autograd[1:]):
            break
    if any(heard.frame is None for heard in [ready[0], *ready[2::2]]):
        raise SandboxError("the process that times autograd gave no answer")
    if any(heard.frame is None for heard in ready):
        return None
    return Times(tuple(manual[1:]), tuple(autograd[1:]), tuple(answers))


def _prepare(child: Child, block: Block, forward: TimedForward | None, seconds: float) -> Heard:
    message = {"do": "prepare", **block.question.names(), "index": block.index}
    if forward is not None:
        return child.ask({**message, "forward": asdict(forward)}, b"", seconds)
    brought = {"forward": None, "file": block.file, "files": block.files, "wanted": [block.question.function]}
    return child.ask({**message, **brought}, block.sources, seconds)


def _show(child: Child, question: Question, index: int, seconds: float) -> Answer:
    heard = child.ask({"do": "show", **question.names(), "index": index}, b"", seconds)
    if heard.frame is None:
        return Answer(Outcome.CRASHED)
    try:
        return read_answer(heard.frame, question.gradients, heard.printed, heard.seconds, question.room)
    except FrameError as error:
        return Answer(Outcome.BAD_RETURN, str(error))
