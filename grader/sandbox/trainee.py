"""A submission in training: one function, found once and then asked batch by batch, in a conversation of its own.

The first batch goes the way of every question, so that all there is to say of a submission is said as ever. Then a
child is kept, which is told the values of each forward pass and answers with the gradients; it is told nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from grader.course import Limits
from grader.course.trace import Value
from grader.sandbox.answer import Answer, Outcome, explain_end, read_answer
from grader.sandbox.child import Child, End, Heard
from grader.sandbox.guest.protocol import FrameError
from grader.sandbox.question import Question, Questionnaire, flatten, pack_call
from grader.sandbox.session import Session
from grader.sandbox.talk import Allowance
from grader.sandbox.warm import Warm
from grader.submission import Submission


class Trainee:
    """One submission's function, to be asked for the gradients of one batch after the other; a context manager.

    `question` is its first batch. Each answer may take as long as a call may, and all together as long as a submission.
    """

    def __init__(self, warm: Warm, submission: Submission, question: Question, limits: Limits) -> None:
        self._warm = warm
        self._submission = submission
        self._question = question
        self._limits = limits
        self._time = Allowance(limits.submission_seconds)
        self._child: Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.close()

    def begin(self) -> Answer:
        """Find the function, and have it answer the first batch; if that returned, there may be more of them."""
        questionnaire = Questionnaire((self._question,))
        with Session(self._warm, self._submission, questionnaire, self._limits) as session:
            session.ask()
            answer, file = session.answers(self._question)[0], session.file(self._question)
        if answer.outcome is not Outcome.RETURNED or file is None:
            return answer
        listed, sources = session.overview.request
        self._child = self._warm.fork(self._limits, questionnaire)
        brought = {"forward": None, "file": file, "files": listed, "wanted": [self._question.function]}
        message = {"do": "prepare", **self._question.names(), "index": 0, **brought}
        heard = self._ask(message, sources)
        return answer if heard.frame is not None else self._explain(heard, f"loading {file}")

    def answer(self, values: Mapping[str, Value]) -> Answer:
        """Return the gradients at the values of a forward pass, or why there are none; then there will be no more."""
        described, data = pack_call(flatten({"cache": values}))
        heard = self._ask({"do": "step", **self._question.names(), **described}, data)
        if heard.frame is None:
            return self._explain(heard, self._question.function)
        try:
            return read_answer(heard.frame, self._question.gradients, heard.printed, heard.seconds, self._question.room)
        except FrameError as error:
            return Answer(Outcome.BAD_RETURN, str(error))

    def _ask(self, message: Mapping[str, Any], payload: bytes) -> Heard:
        assert self._child is not None
        heard = self._child.ask(message, payload, min(self._limits.call_seconds, self._time.left))
        self._time.spend(heard.seconds)
        return heard

    def _explain(self, heard: Heard, what: str) -> Answer:
        if heard.end is End.TIMED_OUT and self._time.is_used_up:
            text = f"the {self._limits.submission_seconds:g} s that a submission may take are used up"
            return Answer(Outcome.TIMED_OUT, text)
        return explain_end(heard, what, self._limits, self._limits.call_seconds)
