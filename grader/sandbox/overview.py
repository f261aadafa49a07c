"""What a submission's files hold, as a child says before a line of theirs has run, and what ends a child that reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grader.sandbox.answer import (
    Answer,
    Flag,
    Outcome,
    explain_missing,
    explain_never_reached,
    explain_not_found,
    read_findings,
    read_line,
    read_names,
    read_written,
)
from grader.sandbox.guest.protocol import Frame
from grader.sandbox.question import Question
from grader.submission import Submission
from grader.text import clean, one_line


class Overview:
    """The files of one submission: their bytes, which functions they define, and which of them cannot be read.

    `lost` are the files that were never opened, or that ended a child, each with the answer that this makes.
    """

    def __init__(self, submission: Submission, functions: Sequence[str]) -> None:
        self.sources: dict[str, bytes] = dict(submission.files)
        self.defines: dict[str, frozenset[str]] = {}
        self.lost = {
            file: Answer(Outcome.UNREADABLE, f"{one_line(file, 200)} could not be read: {reason}", file=file)
            for file, reason in submission.refused.items()
        }
        self.first = submission.first
        self._functions = functions
        self._unreadable: dict[str, Answer] = {}
        self._findings: dict[str, tuple[tuple[str, Flag], ...]] = {}

    @property
    def unreadable(self) -> Mapping[str, Answer]:
        """The files that could not be read or parsed, or that never finished loading, and why."""
        return {**self._unreadable, **self.lost}

    @property
    def request(self) -> tuple[list[tuple[str, int]], bytes]:
        """The files as a request brings them: names with lengths, and contents one behind the other."""
        return [(file, len(source)) for file, source in self.sources.items()], b"".join(self.sources.values())

    def take(self, files: Mapping[str, bytes], frame: Frame) -> None:
        """Note what the child found in files before a line of them ran."""
        for file in [*files, *read_written(frame)]:
            self.defines[file] = frozenset(read_names(frame, "defines", file)).intersection(self._functions)
            unreadable = frame.message.get("unreadable")
            match unreadable.get(file) if isinstance(unreadable, dict) else None:
                case [str(text), line]:
                    where = f" line {line}" if isinstance(line, int) else ""
                    said = clean(f"{one_line(file, 200)}{where}: {text}", 500)
                    answer = Answer(Outcome.UNREADABLE, said, file=file, line=read_line({"line": line}))
                    self._unreadable[file] = answer
        for file, findings in read_findings(frame).items():
            self._findings.setdefault(file, findings)

    def findings(self, question: Question, file: str | None) -> tuple[Flag, ...]:
        """Return what is suspicious in the text that stands behind a function: its own, and what is not another's.

        Of a file that defines no function which is asked for, everything may stand behind any.
        """
        found: list[Flag] = []
        for each, findings in self._findings.items():
            if each == file or not self.defines.get(each):
                others = set(self._functions) - {question.function}
                found += [flag for within, flag in findings if within not in others]
        return tuple(found)

    def candidates(self, question: Question) -> list[str]:
        """Return the files that define a function, or seem to and could not be read; its home first."""
        others = [file for file in sorted(self.defines) if question.function in self.defines[file]]
        # A file that could not be parsed may still say that it has the function.
        sign = f"def {question.function}(".encode()
        unread = [
            file for file in sorted(self.unreadable) if file not in others and sign in self.sources.get(file, b"")
        ]
        home = [question.home] if question.home in {*self.defines, *self.lost} else []
        return list(dict.fromkeys([*home, *others, *unread]))

    def explain_absence(self, question: Question, others: list[Any], stopped: Mapping[str, Any]) -> Answer:
        """Say why a function was found in none of the files."""
        unreadable = self.unreadable
        for file in self.candidates(question):
            if file in unreadable:
                return unreadable[file]
            problem = stopped.get(file)
            if isinstance(problem, dict) and question.function in self.defines[file]:
                return explain_never_reached(question.function, file, problem)
        if question.statements is not None:
            return explain_not_found(question.gradients, question.statements.between, stopped)
        home = question.home if question.home in self.sources else None
        notebooks = [answer for file, answer in unreadable.items() if file.endswith(".ipynb")]
        return explain_missing(question.function, home, [name for name in others if isinstance(name, str)], notebooks)
