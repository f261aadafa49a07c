"""How long a student's function takes against autograd, timed from outside both of their processes.

Two children are asked in turn, block by block: the student's, and a sibling that holds no student code and
runs autograd's backward on the same inputs. A block is many calls on inputs that differ; its clock runs from the
request to the answer that it is done. After the last block, answers of calls that nobody could foresee are fetched.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from grader.errors import SandboxError
from grader.sandbox.answer import Answer, Outcome, read_answer
from grader.sandbox.child import Child, Heard
from grader.sandbox.guest.protocol import FrameError
from grader.sandbox.question import Question

BLOCKS = 7
# As many are enough where the function takes at most this share of the time that it may.
ENOUGH_BLOCKS, AMPLE = 3, 0.5
LOOKED_AT = 3


@dataclass(frozen=True)
class Forward:
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
    child: Child, file: str, sibling: Child, question: Question, forward: Forward, ratio: float, seconds: float
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


def _prepare(child: Child, question: Question, file: str, forward: Forward | None, seconds: float) -> Heard:
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
