"""`grade train`: from a submission to a Training, with its progress on a console."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from grader.course import Course
from grader.course.meant import explain_function
from grader.course.model import find_model, trainable
from grader.errors import SubmissionError, UsageError
from grader.grading import one_thread
from grader.judge.training import Progress as Hear
from grader.judge.training import Trainer, Training, first_question
from grader.sandbox.trainee import Trainee
from grader.sandbox.warm import Warm
from grader.submission import is_there, read_submission
from grader.text import one_line

PLAIN_LINES = 10


def choose(course: Course, words: Sequence[str]) -> tuple[str, Path]:
    """Return the function to train and the path of the submission, from none, one or both of them.

    One word is a function if the course has one of that name, else a path. Where none is named it is that of the
    file's own assignment, else the first of the course that can be trained. Raises UsageError for any other words.
    """
    known = trainable(course)
    if not known:
        raise UsageError("nothing in this course can be trained: no reference.py has a training beside its forward")
    if len(words) == 1 and words[0] not in course.functions:
        path = Path(words[0])
        own = [each for each in known if course.exercise(each)[0].name == path.stem]
        function = next(iter([*own, *known]))
    else:
        function, path = next(iter(words), known[0]), Path(*words[1:])
    listed = ", ".join(known)
    if function not in course.functions:
        raise UsageError(explain_function(course, function, "grade train"))
    if function not in known:
        raise UsageError(f"{function} has no network to train; those that have one are {listed}")
    if not is_there(path):
        raise UsageError(f"{one_line(str(path), 300)} is neither there nor a function to train; those are {listed}")
    return function, path


def train(
    course: Course, function: str, path: Path, warm: Warm, console: Console, *, steps: int | None, seed: int
) -> Training:
    """Train a function of the submission at `path` beside autograd.

    Raises SubmissionError if there is nothing to read, and CourseError if the course's training does not work.
    """
    submission = read_submission(path)
    if not submission.files and not submission.refused:
        raise SubmissionError(f"{submission.name} holds no Python file; give the folder or the file with {function}")
    started = time.monotonic()
    model = find_model(course, function, seed)
    assert model is not None, "choose has seen to it"
    trainer = Trainer(model, steps or model.steps)
    with one_thread():
        with (
            Trainee(warm, submission, first_question(model), course.limits) as trainee,
            _shown(trainer.steps, console) as hear,
        ):
            trainer.run(trainee, hear)
        return trainer.result(course, submission.name, time.monotonic() - started)


@contextmanager
def _shown(steps: int, console: Console) -> Iterator[Hear]:
    """Show how far training is: a bar on a terminal, a line now and then elsewhere."""
    if not console.is_terminal:
        every = max(1, steps // PLAIN_LINES)

        def say(step: int, loss: float | None, true_loss: float) -> None:
            if step % every == 0 or step == steps:
                console.print(f"step {step} of {steps}: {_describe(loss, true_loss)}")

        yield say
        return
    columns = (
        TextColumn("training"),
        BarColumn(),
        TextColumn("step {task.completed} of {task.total} · {task.description}"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=steps)
        yield lambda step, loss, true_loss: progress.update(
            task, completed=step, description=_describe(loss, true_loss)
        )


def _describe(loss: float | None, true_loss: float) -> str:
    yours = "ended" if loss is None else f"{loss:.3f}"
    return f"loss {yours}, autograd {true_loss:.3f}"
