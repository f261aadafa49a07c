"""How a child or a file ended before it could answer, as a student is told."""

from __future__ import annotations

import difflib
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader.course import Limits
from grader.sandbox.answer import Answer, Outcome, read_file_name, read_line, read_source
from grader.sandbox.child import End, Heard, describe_exit
from grader.text import clean, one_line

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
