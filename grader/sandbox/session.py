"""One submission and the questions put to it: loads its files, calls its functions, replaces a child that died."""

from __future__ import annotations

import difflib
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from grader.course import Limits
from grader.sandbox.answer import (
    Answer,
    CodeLine,
    Outcome,
    read_answer,
    read_code_line,
    read_file_name,
    read_line,
    read_source,
)
from grader.sandbox.child import Child, End, Heard, describe_exit
from grader.sandbox.guest.protocol import Frame, FrameError
from grader.sandbox.question import Call, Question
from grader.sandbox.warm import Warm
from grader.submission import Submission
from grader.text import clean, one_line

MAX_WRITTEN = 50
# Of the time that a call may take, the share up to which it is quick enough to be made again with a log.
QUICK_SHARE = 0.1
# A call that took less wall time cannot have used enough processor time to be remarked on.
WORTH_A_LOOK = 0.2


class Session:
    """The conversation with one submission; use it as a context manager."""

    def __init__(self, warm: Warm, submission: Submission, wanted: Sequence[str], limits: Limits) -> None:
        self._warm = warm
        self._limits = limits
        self._wanted = list(wanted)
        self._files = dict(submission.files)
        self._seconds_left = limits.submission_seconds
        self._child: Child | None = None
        self._loaded: dict[str, dict[str, Any]] = {}
        self._lost = {
            file: Answer(Outcome.UNREADABLE, f"{one_line(file, 200)} could not be read: {reason}", file=file)
            for file, reason in submission.refused.items()
        }
        self.defines: dict[str, frozenset[str]] = {}
        self._lines: dict[str, tuple[str, Mapping[str, object]]] = {}  # by function
        self._survey()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop_child()

    @property
    def unreadable(self) -> Mapping[str, Answer]:
        """The files that could not be read or parsed, or that never finished loading, and why."""
        return self._lost

    def mentions(self, question: Question) -> bool:
        """Return whether any file defines the function, or seems to and could not be read."""
        return bool(self._candidates(question))

    def ask(self, question: Question) -> tuple[Answer, ...]:
        """Return one answer per call, or fewer if the function ended its process, or one that says why none."""
        problem: Answer | None = None
        others: list[str] = []
        for file in self._candidates(question):
            loaded = self._lost.get(file) or self._load(file)
            if isinstance(loaded, Answer):
                problem = problem or loaded
            elif question.function in loaded["functions"]:
                return note_stop(loaded["stopped"], file, self._call(question, file))
            elif loaded["stopped"] and question.function in self.defines[file]:
                problem = problem or explain_never_reached(question.function, file, loaded["stopped"])
            else:
                others += loaded["others"]
        home = question.home if question.home in self._files else None
        return (problem or explain_missing(question.function, home, others),)

    def lend_child(self, question: Question) -> tuple[Child, str] | None:
        """Hand over a child that has the function loaded, and its file; who takes it closes it."""
        for file in self._candidates(question):
            loaded = self._lost.get(file) or self._load(file)
            if not isinstance(loaded, Answer) and question.function in loaded["functions"]:
                child, self._child = self._child, None
                self._loaded.clear()
                return (child, file) if child is not None else None
        return None

    def line(self, question: Question, gradient: str) -> CodeLine | None:
        """Return the student's line that made a gradient, where that is found.

        It comes from the child, behind the calls: nothing but the report may rest on it, and a child that ended knows
        none.
        """
        if question.function not in self._lines:
            self._lines[question.function] = self._find_lines(question)
        file, lines = self._lines[question.function]
        return read_code_line(file, lines.get(gradient))

    def _find_lines(self, question: Question) -> tuple[str, Mapping[str, object]]:
        if self._child is not None:
            heard = self._ask(question.message("lines", home=question.home), b"")
            if heard.frame is None:
                self._drop_child()
            else:
                match heard.frame.message.get("lines"):
                    case [str(file), dict(lines)]:
                        return one_line(file, 200), lines
        return question.home, {}

    def _survey(self) -> None:
        """Have every file parsed by the child; a file that ends the child is found by giving it files one by one."""
        if not self._take_files(self._files):
            readable: dict[str, bytes] = {}
            for file, source in self._files.items():
                if not self._take_files({file: source}):
                    text = f"{one_line(file, 200)} could not be parsed: reading it ended the process or took too long"
                    self._lost[file] = Answer(Outcome.UNREADABLE, text, file=file)
                else:
                    readable[file] = source
            self._files = readable
            self._drop_child()

    def _take_files(self, files: Mapping[str, bytes]) -> bool:
        """Hand files to a fresh child; False if that was its end."""
        self._drop_child()
        self._child = self._warm.fork(self._limits)
        listed = [[file, len(source)] for file, source in files.items()]
        message = {"do": "files", "files": listed, "wanted": self._wanted}
        heard = self._ask(message, b"".join(files.values()))
        if heard.frame is None:
            self._drop_child()
            return False
        for file in [*files, *_written(heard.frame)]:
            self.defines[file] = frozenset(_names(heard.frame, "defines", file)).intersection(self._wanted)
            problem = heard.frame.message.get("unreadable", {}).get(file)
            match problem:
                case [str(text), line]:
                    where = f" line {line}" if isinstance(line, int) else ""
                    said = clean(f"{one_line(file, 200)}{where}: {text}", 500)
                    self._lost[file] = Answer(Outcome.UNREADABLE, said, file=file, line=read_line({"line": line}))
        return True

    def _candidates(self, question: Question) -> list[str]:
        others = [file for file in sorted(self.defines) if question.function in self.defines[file]]
        # A file that could not be parsed may still say that it has the function.
        sign = f"def {question.function}(".encode()
        unread = [file for file in sorted(self._lost) if file not in others and sign in self._files.get(file, b"")]
        known = {*self.defines, *self._lost}
        home = [question.home] if question.home in known else []
        return list(dict.fromkeys([*home, *others, *unread]))

    def _load(self, file: str) -> dict[str, Any] | Answer:
        """Have a file run by the child, once per child; an Answer if that can't be, or was the child's end."""
        if self._seconds_left <= 0:
            return self._used_up()
        if self._child is None and not self._take_files(self._files):
            return Answer(Outcome.NOT_JUDGED, "the submission's files could not be handed over a second time")
        if file not in self._loaded:
            heard = self._ask({"do": "load", "file": file, "wanted": self._wanted}, b"")
            if heard.frame is None:
                self._drop_child()
                self._lost[file] = replace(self._explain(heard, f"loading {one_line(file, 200)}"), file=file)
                return self._lost[file]
            stopped = heard.frame.message.get("stopped")
            self._loaded[file] = {
                "functions": _names(heard.frame, "functions"),
                "others": _names(heard.frame, "others"),
                "stopped": stopped if isinstance(stopped, dict) else None,
            }
        return self._loaded[file]

    def _call(self, question: Question, file: str) -> tuple[Answer, ...]:
        answers, trouble = self._make(question, file, question.calls, logged=False)
        if trouble is not None:
            return (trouble,)  # whoever gave the answers before it, nothing of them counts
        if self._child is not None and question.repeats_first and not self._is_slow(answers):
            again, trouble = self._make(question, file, question.calls[:1], logged=True)
            answers += again if trouble is None else [trouble]
        return tuple(answers)

    def _make(
        self, question: Question, file: str, calls: Sequence[Call], *, logged: bool
    ) -> tuple[list[Answer], Answer | None]:
        """Return the answers to some calls, fewer if one was the child's end, and what is wrong behind the last."""
        assert self._child is not None
        clock = None if logged else self._child.cpu_seconds()
        message = question.message("call", calls, file=file, logged=logged)
        self._child.request(message, b"".join(call.tensors for call in calls), in_parts=True)
        answers: list[Answer] = []
        for _ in calls:
            if self._seconds_left <= 0:
                self._drop_child()
                return [*answers, self._used_up()], None
            heard = self._hear(part=True)
            used, clock = self._processor_time(heard, clock)
            answers.append(replace(self._read(heard, question), cpu_seconds=used))
            if self._child is None:
                return answers, None
        return answers, self._trouble_behind(question)

    def _trouble_behind(self, question: Question) -> Answer | None:
        """Return what is wrong, and end the child, if more came behind its last answer, or it ended after that."""
        heard = self._ask({"do": "nothing"}, b"")
        if heard.frame is not None:
            return None
        self._drop_child()
        if heard.end in (End.TIMED_OUT, End.FLOODED):
            return self._explain(heard, question.function)
        text = f"{question.function} answered more than once, or ended its process after answering"
        return Answer(Outcome.BAD_RETURN, text, printed=heard.printed, seconds=heard.seconds)

    def _used_up(self) -> Answer:
        limit = self._limits.submission_seconds
        return Answer(Outcome.TIMED_OUT, f"the {limit:g} s for the whole submission were used up before this call")

    def _processor_time(self, heard: Heard, clock: float | None) -> tuple[float | None, float | None]:
        """Return the processor time of a call that took long enough to look, and the child's clock then or before."""
        if self._child is None or clock is None or heard.seconds < WORTH_A_LOOK:
            return None, clock
        after = self._child.cpu_seconds()
        if after is None:
            return None, clock
        # The clock may hold quick calls before this one; a call cannot have used more than it took.
        return min(after - clock, heard.seconds), after

    def _is_slow(self, answers: Sequence[Answer]) -> bool:
        """Return whether a repeated and logged call could cost other functions their time."""
        limit = min(self._limits.call_seconds, self._seconds_left)
        return max(answer.seconds for answer in answers) > limit * QUICK_SHARE

    def _read(self, heard: Heard, question: Question) -> Answer:
        if heard.frame is None:
            self._drop_child()
            return self._explain(heard, question.function)
        try:
            return read_answer(heard.frame, question.gradients, heard.printed, heard.seconds)
        except FrameError as error:
            return Answer(Outcome.BAD_RETURN, str(error), printed=heard.printed, seconds=heard.seconds)

    def _ask(self, message: Mapping[str, Any], payload: bytes) -> Heard:
        assert self._child is not None
        self._child.request(message, payload)
        return self._hear()

    def _hear(self, *, part: bool = False) -> Heard:
        assert self._child is not None
        heard = self._child.hear(min(self._limits.call_seconds, max(self._seconds_left, 0.01)), part=part)
        self._seconds_left -= heard.seconds
        return heard

    def _explain(self, heard: Heard, what: str) -> Answer:
        limit = min(self._limits.call_seconds, self._seconds_left + heard.seconds)
        return explain_end(heard, what, self._limits, limit)

    def _drop_child(self) -> None:
        if self._child is not None:
            child, self._child = self._child, None
            child.close()
            self._loaded.clear()


def _written(frame: Frame) -> list[str]:
    """Return the files that notebooks of the submission write; the names come from the child, so they are bounded."""
    return [name for name in _names(frame, "written")[:MAX_WRITTEN] if name.endswith(".py") and len(name) <= 200]


def _names(frame: Frame, key: str, inner: str | None = None) -> list[str]:
    found = frame.message.get(key)
    if inner is not None:
        found = found.get(inner) if isinstance(found, dict) else None
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


PROCESSOR_SIGNAL = getattr(signal, "SIGXCPU", None)  # Windows has none


def explain_end(heard: Heard, what: str, limits: Limits, seconds: float) -> Answer:
    """Say how a process ended that gave no answer within `seconds`; `what` is what it was doing."""
    outcome, message = Outcome.CRASHED, f"{what} gave no answer"
    match heard.end:
        case End.TIMED_OUT:
            outcome, message = Outcome.TIMED_OUT, f"{what} did not finish within {seconds:.3g} s"
        case End.FLOODED:
            outcome = Outcome.TOO_MUCH_OUTPUT
            message = f"{what} printed more than {limits.output_kb} KB"
        case End.MALFORMED:
            outcome, message = Outcome.BAD_RETURN, f"{what}: {heard.reason}"
        case End.DIED:
            outcome, message = _explain_death(heard, what, limits)
    return Answer(outcome, message, printed=heard.printed, seconds=heard.seconds)


def _explain_death(heard: Heard, what: str, limits: Limits) -> tuple[Outcome, str]:
    code = heard.exit_code
    if code is None:
        return Outcome.CRASHED, f"{what} closed its answer and gave none"
    if PROCESSOR_SIGNAL is not None and code == -PROCESSOR_SIGNAL:
        return Outcome.TIMED_OUT, f"{what} used up the processor time of the whole submission"
    if "bad_alloc" in heard.printed or "MemoryError" in heard.printed[-200:]:
        return Outcome.OUT_OF_MEMORY, f"{what} asked for more than {limits.memory_mb} MB"
    if "Thread creation failed" in heard.printed:
        # libgomp ends the process in which it gets none.
        return Outcome.CRASHED, f"{what} gave no answer: it asked for threads (torch.set_num_threads), and gets one"
    return Outcome.CRASHED, f"{what} gave no answer: {describe_exit(code)}"


def explain_missing(function: str, home: str | None, others: Sequence[str]) -> Answer:
    """Say that a function is nowhere, and which of the other functions in its file may be meant to be it."""
    text = f"{function} is defined in no file of the submission"
    near = difflib.get_close_matches(function, [name[:100] for name in others], n=1, cutoff=0.85)
    hint = f"; is {one_line(near[0], 100)} meant to be it?" if near else ""
    return Answer(Outcome.MISSING, text + hint, file=home)


def note_stop(stopped: Mapping[str, Any] | None, file: str, answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """Say with answers that are right in themselves that their file stopped further down."""
    if stopped is None:
        return answers
    line = read_line(stopped)
    at = f" at line {line}" if line else ""
    reason = one_line(str(stopped.get("message", "")), 500)
    text = f"{one_line(file, 200)} stopped{at}: {reason}; what stands above was graded"
    return tuple(
        replace(answer, message=text, file=file, line=line) if answer.outcome is Outcome.RETURNED else answer
        for answer in answers
    )


def explain_never_reached(function: str, file: str, stopped: Mapping[str, Any]) -> Answer:
    """Say that a file stopped before a function was defined in it."""
    reason = clean(str(stopped.get("message", "")), 1_000)
    line = read_line(stopped)
    at = f" at line {line}" if line else ""
    place = one_line(read_file_name(stopped) or file, 200)
    text = f"{place} stopped{at}, before {function} was defined: {reason}"
    outcome = Outcome.OUT_OF_MEMORY if stopped.get("outcome") == Outcome.OUT_OF_MEMORY else Outcome.RAISED
    return Answer(outcome, text, file=read_file_name(stopped) or file, line=line, source=read_source(stopped))
