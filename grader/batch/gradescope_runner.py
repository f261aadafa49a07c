"""One hand-in inside Gradescope: from the folder where it puts them to the results.json that it reads."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from grader.batch.contents import read_entry
from grader.batch.entry import Entry
from grader.batch.export.gradescope import as_gradescope
from grader.batch.task import Task
from grader.batch.tree import open_tree
from grader.course import Course, load_course
from grader.errors import GraderError, SandboxError, SubmissionError
from grader.grading import Grader
from grader.report.json import report_as_json
from grader.sandbox.warm import Warm, start_warm
from grader.text import one_line

MANY = 8


def run_autograder(root: Path, warm: Warm) -> list[str]:
    """Grade `submission` below `root` with the course in `source`, write `results/results.json`; return what to print.

    A hand-in in which there is nothing to grade has a result that says so. Raises GraderError where the grader itself
    failed: then there is no result, so that Gradescope shows a fault and no zero.
    """
    source = root / "source"
    settings = json.loads((source / "autograder.json").read_text(encoding="utf-8"))
    course = load_course(source / "course")
    grader = Grader(course, settings["seed"], settings["only"], is_class=True)
    folder = open_tree(root / "submission")
    files = tuple(folder.walk())
    task = read_entry(Entry("the hand-in", (), files, dict(folder.walk_refused())))
    try:
        report = grader.grade(task.submission, warm)
    except SubmissionError:
        result = _without_score(course, settings["only"], [name for name, _ in files], task)
    else:
        if report.score is None:
            raise SandboxError("a part could not be judged, a fault of the grader: there is no result, and no zero")
        result = as_gradescope(report_as_json(report))
    path = root / "results" / "results.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    said = [
        f"{result['score']:g} points, seed {grader.seed}, sandbox: {', '.join(warm.isolation) or 'time limits only'}"
    ]
    return [*said, *(f"weaker sandbox: {line}" for line in warm.weaknesses)]


def _without_score(course: Course, only: Sequence[str], files: Sequence[str], task: Task) -> dict[str, Any]:
    """Return the result of a hand-in in which there is nothing to grade."""
    wanted = [rubric for rubric in course.rubrics if (rubric.name in only if only else not rubric.optional)]
    names = [one_line(name, 80) for name in files]
    said = ["Nothing in your hand-in could be graded, so it has 0 points for now. You can hand in again."]
    if not names:
        said.append("There is no file in it.")
    else:
        said.append(f"You handed in: {_some(names)}.")
    said += [f"{one_line(name, 80)} could not be read: {reason}." for name, reason in task.submission.refused.items()]
    if task.submission.files:
        said.append("There is Python in it, and none of the functions that are asked for: did you rename them?")
    elif names and not task.submission.refused:
        said.append("That is no Python file (.py) and no notebook (.ipynb).")
    for rubric in wanted[:MANY]:
        functions = [exercise.function for exercise in rubric.exercises]
        said.append(f"Hand in {rubric.name}.py, with {_some(functions)}.")
    if len(wanted) > MANY:
        said.append(f"And so on: there are {len(wanted)} files in all.")
    return {
        "score": 0.0,
        "output": "\n".join(said),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [],
    }


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MANY]) + (", ..." if len(names) > MANY else "")


def main() -> None:
    """Grade the one hand-in below the folder that is named; what is printed is for instructors."""
    try:
        with start_warm() as warm:
            click.echo("\n".join(run_autograder(Path(sys.argv[1]), warm)))
    except GraderError as error:
        click.echo(f"grade: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
