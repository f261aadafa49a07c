"""The same calls, judged and reported, in one process without isolation: what a batch is measured against.

    python tests/benchmarks/bare.py COURSE FOLDER

It prints the seconds of wall time for each submission of FOLDER. Every call of the batch is made, the repeated and
logged one among them; nothing is packed, sent or confined.
"""

# ruff: noqa: T201 # a benchmark prints its figure

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import safetensors.torch
import torch

from grader import grading
from grader.course import load_course
from grader.report.html import render_html
from grader.report.json import report_as_json
from grader.sandbox.answer import Answer, CodeLine, Flag, Note, Outcome
from grader.sandbox.guest.call import Callee, call
from grader.sandbox.guest.files import Modules
from grader.sandbox.guest.guard import Guard
from grader.sandbox.guest.requests import put_together
from grader.sandbox.guest.warm_up import rehearse, use_course_settings
from grader.sandbox.question import Question
from grader.submission import Submission, read_submission

GUARD = Guard()
ARGUMENTS: dict[bytes, dict[str, torch.Tensor]] = {}


class InProcess:
    """Stands in for an session: the submission is loaded, and its functions are called, right here."""

    def __init__(self, _warm: object, submission: Submission, _wanted: object, _limits: object) -> None:
        self.modules, self.unreadable = Modules(submission.files), {}

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *error: object) -> None:
        sys.meta_path.remove(self.modules)
        for file in self.modules.defines:
            sys.modules.pop(file.removesuffix(".py"), None)

    def mentions(self, question: Question) -> bool:
        """Say whether the file is there in which the function belongs: all of them are."""
        return question.home in self.modules.files

    def line(self, question: Question, gradient: str) -> CodeLine | None:
        """Find the line that made a gradient."""
        file, places = self.modules.lines(question.function, question.gradients, question.home)
        return CodeLine(file, *places[gradient]) if gradient in places else None

    def ask(self, question: Question) -> list[Answer]:
        """Make the calls of a question."""
        self.modules.load(question.home)
        function = self.modules.function(question.home, question.function)
        callee = Callee(function, question.gradients, self.modules.sources)
        answers = []
        for each, is_repeat in [*((each, False) for each in question.calls), (question.calls[0], True)]:
            if each.tensors not in ARGUMENTS:
                ARGUMENTS[each.tensors] = safetensors.torch.load(each.tensors)
            tensors = {name: tensor.clone() for name, tensor in ARGUMENTS[each.tensors].items()}
            arguments = put_together(question.given, {**tensors, **each.numbers})
            reply = call(callee, arguments, GUARD, logged=is_repeat)
            flags = tuple(Flag(*flag) for flag in reply.flags)
            # What was made in inference mode may not go through autograd, as following a slip does.
            gradients = {name: tensor.clone() for name, tensor in reply.tensors.items()}
            notes = {name: Note(note["kind"], note["text"]) for name, note in reply.notes.items()}
            answers.append(Answer(Outcome(reply.outcome), gradients=gradients, notes=notes, flags=flags))
        return answers


def main(course: str, folder: str) -> None:
    """Grade every submission of the folder, the first of them twice."""
    use_course_settings()
    rehearse(GUARD)
    grading.Session = InProcess  # type: ignore[misc, assignment] # what is measured is what it does without
    grader = grading.Grader(load_course(Path(course)))
    submissions = sorted(Path(folder).iterdir())
    once(grader, submissions[0])
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
