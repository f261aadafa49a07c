"""The same calls, judged and reported, in one process without isolation: what a batch is measured against.

    python tests/benchmarks/bare.py COURSE FOLDER

It prints the seconds of wall time for each submission of FOLDER. Every call of the batch is made, the repeated
one among them; nothing is sent or confined.
"""

# ruff: noqa: T201 # a benchmark prints its figure

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from grader import grading
from grader.course import load_course
from grader.report.html import render_html
from grader.report.json import report_as_json
from grader.sandbox.answer import Answer, CodeLine, Flag, Note, Outcome
from grader.sandbox.guest.call import Callee, call
from grader.sandbox.guest.files import Modules
from grader.sandbox.guest.guard import Guard
from grader.sandbox.guest.inputs import Call, Form
from grader.sandbox.guest.tensors import unpack_tensors
from grader.sandbox.guest.warm_up import rehearse, use_course_settings
from grader.sandbox.overview import Overview
from grader.sandbox.question import Question, Questionnaire
from grader.submission import Submission, read_submission

GUARD = Guard()


class InProcess:
    """Stands in for a session: the submission is loaded, and its functions are called, right here."""

    def __init__(self, _warm: object, submission: Submission, questionnaire: Questionnaire, *_: object) -> None:
        self.modules = Modules(submission.files, questionnaire.functions)
        self.overview = Overview(submission, questionnaire.functions)
        self.overview.defines = {file: frozenset(names) for file, names in self.modules.defines.items()}
        self.questionnaire = questionnaire
        self.replies: dict[str, list[Answer]] = {}

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *error: object) -> None:
        sys.meta_path.remove(self.modules)
        for file in self.modules.defines:
            sys.modules.pop(file.removesuffix(".py"), None)

    def line(self, question: Question, gradient: str) -> CodeLine | None:
        """Find the line that made a gradient."""
        file, places, _ = self.modules.lines(question.function, question.gradients, question.home)
        return CodeLine(file, *places[gradient]) if gradient in places else None

    def answers(self, question: Question) -> list[Answer]:
        """Return the answers to a question."""
        return self.replies[question.function]

    def file(self, question: Question) -> str:
        """Return the file in which a function was found."""
        return question.home

    def more(self, _question: Question) -> None:
        """Return no further calls: they are made, and not judged."""

    def was_called(self, _question: Question) -> bool:
        """Say that further calls are not to be judged."""
        return False

    def ask(self) -> None:
        """Make the calls of every question, one of them again."""
        GUARD.begin(self.modules.sources)
        for question in self.questionnaire.questions:
            with GUARD.loading(question.home):
                self.modules.load(question.home)
            function = self.modules.function(question.home, question.function)
            callee = Callee(function, Form(question.given), question.gradients, self.modules.sources)
            calls = [Call(values) for values in question.calls]
            self.replies[question.function] = [_answer(callee, calls[place]) for place in question.order]
            _answer(callee, calls[0])
        GUARD.end()

    def finish(self, _slips: object, _probings: object) -> bool:
        """Say that somebody stands behind the answers."""
        return True

    def probed(self, _question: Question) -> tuple[()]:
        """Return no runs with probes: what is wrong is judged by replay alone."""
        return ()


def _answer(callee: Callee, asked: Call) -> Answer:
    reply = call(callee, asked, GUARD)
    gradients = unpack_tensors(reply.tensors, bytearray(reply.payload), callee.gradients)
    flags = tuple(Flag(*flag) for flag in reply.flags)
    notes = {name: Note(note["kind"], note["text"]) for name, note in reply.notes.items()}
    return Answer(Outcome(reply.outcome), gradients=gradients, notes=notes, flags=flags)


def main(course: str, folder: str) -> None:
    """Grade every submission of the folder, the first of them twice."""
    use_course_settings()
    rehearse(GUARD)
    grading.Session = InProcess  # type: ignore[misc, assignment] # what is measured is what it does without
    grader = grading.Grader(load_course(Path(course)))
    submissions = sorted(Path(folder).iterdir())
    once(grader, submissions[0])
    gc.freeze()  # as the process does that forks
    started = time.perf_counter()
    for each in submissions:
        once(grader, each)
    print((time.perf_counter() - started) / len(submissions))


def once(grader: grading.Grader, folder: Path) -> None:
    """Grade one submission and write its report, to nowhere."""
    report = grader.grade(read_submission(folder), SimpleNamespace(isolation=(), weaknesses=()))  # type: ignore[arg-type]
    if report.score is None:
        said = [each.message for part in report.selected for each in part.exercises if each.score is None]
        sys.exit(f"{folder} could not be judged: {said[0]}")
    json.dumps(report_as_json(report))
    render_html(report)


if __name__ == "__main__":
    main(*sys.argv[1:])
