"""What a student types: grade, case, train, start."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.group import cli
from grader.cli.options import COURSE, SEED, load, new_console
from grader.cli.streams import ReaderGoneError
from grader.errors import UsageError
from grader.text import one_line

if TYPE_CHECKING:
    from grader.results import Report
    from grader.workbench.records import Records

# What is imported inside the commands would cost `grade --help` two seconds at the top.


@click.command(
    "",
    hidden=True,
    epilog="Exit code: 0 full marks, 1 graded with less, 2 could not grade, or not write what was asked.",
)
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, metavar="[PATH]")
@click.option("--only", multiple=True, metavar="NAME", help="Only this assignment or function; may be repeated.")
@click.option("--watch", is_flag=True, help="Grade again whenever a file is saved.")
@click.option("--explain", is_flag=True, help="All there is to say of every slip, with all its hints.")
@click.option("--graph", metavar="FUNCTION", help="Draw how the gradients of a function stand, and nothing else.")
@click.option("--verbose", is_flag=True, help="A line exact | approx | maxdiff for every gradient.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Where to write the HTML report.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Also write JSON here.")
@click.option("--no-history", is_flag=True, help="Neither read nor write what the last run was compared with.")
@SEED
@COURSE
def grade_submission(
    paths: tuple[Path, ...],
    only: Sequence[str],
    report: Path | None,
    json_file: Path | None,
    seed: int,
    course: Path | None,
    graph: str | None,
    verbose: bool,
    explain: bool,
    watch: bool,
    no_history: bool,
) -> None:
    """Grade the backward passes in the folder you are in, or in PATH: a folder or one file."""
    if len(paths) > 1:
        given = ", ".join(one_line(str(path), 100) for path in paths)
        raise UsageError(f"one file or one folder is graded, and here are {given}; give the folder that holds them")
    path = next(iter(paths), Path())
    from grader.submission import is_there, read_submission

    if not is_there(path):
        from grader.course.meant import explain_path

        raise UsageError(explain_path(load(course), path, sorted(filter(None, cli.commands))))
    from grader.sandbox.warm import start_warm

    # Before the rest, so that it imports torch while this process does.
    with start_warm() as warm:
        from grader.course.meant import explain_function
        from grader.grading import Grader
        from grader.workbench.records import Records

        if watch:
            # The folder may go and come back under the same name, and with it the current one.
            path = path.resolve()
        loaded = load(course, path)
        if graph is not None and graph not in loaded.functions:
            raise UsageError(explain_function(loaded, graph, "grade --graph"))
        submission = read_submission(path)
        grader = Grader(loaded, seed, only or ([graph] if graph else []), about=None if watch else submission)
        records = Records(path, report, json_file, is_forgetful=no_history)
        if watch:
            result = _watch(path, lambda: grader.grade(read_submission(path), warm), records)
        else:
            result = grader.grade(submission, warm)
    is_kept = True
    if graph is not None:
        _show_graph(result, graph)
    elif not watch:
        is_kept = _show(result, records, verbose=verbose, explain=explain)
    sys.exit(2 if result.score is None or not is_kept else 0 if result.is_full_marks else 1)


def _show(result: Report, records: Records, *, verbose: bool, explain: bool) -> bool:
    """Print a report and write it; return whether all that was asked for could be written."""
    from grader.report.terminal import print_report

    console = new_console()
    # Printed first: neither a full disk nor a reader that has gone costs the other.
    with contextlib.suppress(ReaderGoneError):
        print_report(result, console, verbose=verbose, explain=explain, changes=records.say_changes(result))
    kept = records.keep(result)
    with contextlib.suppress(ReaderGoneError):
        for line in kept.lines:
            console.print(line, soft_wrap=True)
        for problem in kept.problems:
            click.echo(f"grade: {problem}", err=True)
    return kept.is_complete


def _show_graph(result: Report, function: str) -> None:
    from grader.report.rails import print_graph

    exercises = [each for assignment in result.for_student.selected for each in assignment.exercises]
    exercise = next((each for each in exercises if each.function == function), None)
    if exercise is None or exercise.graph is None:
        raise UsageError(f"there is no graph of {function} to show: none of its cases may be seen")
    print_graph(exercise, new_console())


def _watch(path: Path, grade: Callable[[], Report], records: Records) -> Report:
    from grader.workbench.watch import Keys, Watcher

    with Keys() as keys:
        result = Watcher(path, grade, lambda report: records.keep(report).said, new_console(), keys).run()
    if result is None:
        raise click.Abort
    return result


@click.command(short_help="The next hint for what is open, one at a time.")
@click.argument("gradient", required=False, default="")
@click.option("--no-history", is_flag=True, help="Remember nothing: the first hint, each time.")
@SEED
@COURSE
def hint(gradient: str, no_history: bool, seed: int, course: Path | None) -> None:
    """Give the next hint for GRADIENT, such as dW or linear_backward.dW, or for a function or an assignment.

    Without a name it is for the slip to look at first. The folder you are in is graded, and it is remembered there
    which hints were given.
    """
    from grader.sandbox.warm import start_warm

    with start_warm() as warm:
        from grader.grading import Grader
        from grader.submission import read_submission
        from grader.workbench.hint import functions_of, next_hint
        from grader.workbench.history import History, read_history, write_history

        path = Path()
        loaded = load(course, path)
        only = functions_of(loaded, gradient) if gradient else ()
        submission = read_submission(path)
        report = Grader(loaded, seed, only, about=submission).grade(submission, warm)
    found = next_hint(report, gradient, History() if no_history else read_history(path))
    is_kept = found.history is None or no_history or write_history(path, found.history)
    from rich.text import Text

    from grader.report.screen import Screen

    screen = Screen(new_console())
    for line in found.lines(is_remembered=is_kept):
        screen.say(0, Text(line))


@click.command(short_help="The lesson behind a function: forward, maths, the rules.")
@click.argument("name", metavar="FUNCTION")
@COURSE
def explain(name: str, course: Path | None) -> None:
    """Show the lesson behind FUNCTION, a gradient or an assignment: its forward pass, the maths, the rules in words."""
    from grader.course.meant import explain_function
    from grader.report.screen import Screen
    from grader.workbench.lesson import find_lessons, print_lessons

    loaded = load(course, Path())
    found = find_lessons(loaded, name)
    if found is None:
        raise UsageError(explain_function(loaded, name, "grade explain"))
    print_lessons(found, Screen(new_console()))


@click.command(short_help="Write a case as a script to run and debug.")
@click.argument("function")
@click.option("--case", metavar="K", help="Number or name of the case; default: the first.")
@SEED
@COURSE
def case(function: str, case: str | None, seed: int, course: Path | None) -> None:
    """Write a case of FUNCTION as a script that calls your function; run it to print and debug."""
    from grader.workbench.script import write_case

    path, is_fresh = write_case(load(course, Path()), function, case, seed, Path())
    console = new_console()
    if not is_fresh:
        console.print(f"{path} is there already and not as it was written: kept. Delete it for a fresh one.")
    console.print(f"run it: python {path}", soft_wrap=True)


@click.command(short_help="Train a network with your own gradients.")
@click.argument("words", nargs=-1, metavar="[FUNCTION] [PATH]")
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="How many steps; default: what the course says.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Where to write the page.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Seed of parameters and batches.")
@COURSE
def train(words: tuple[str, ...], steps: int | None, report: Path | None, seed: int, course: Path | None) -> None:
    """Train a network with the gradients of FUNCTION (default: mlp_backward), and beside it with autograd's.

    PATH is a folder or one file, as for `grade`. Exit code: 0 both curves are the same, 1 they part or training did not
    come to its end, 2 nothing to train.
    """
    if len(words) > 2:
        raise UsageError(f"one function and one path are trained, and here are {one_line(', '.join(words), 300)}")
    from grader.sandbox.warm import start_warm

    with start_warm() as warm:
        from grader.report.training_page import print_training, write_training
        from grader.workbench.trainer import choose, train

        loaded = load(course, Path(words[-1]) if words and Path(words[-1]).exists() else Path())
        function, path = choose(loaded, words)
        console = new_console()
        result = train(loaded, function, path, warm, console, steps=steps, seed=seed)
    print_training(result, console)
    if result.student.losses:
        try:
            console.print(f"Both curves: {write_training(result, report, path)}", soft_wrap=True)
        except UsageError as error:
            # What was found is said, and stands.
            click.echo(f"grade: {error}", err=True)
    sys.exit(0 if result.agrees else 1)


@click.command(short_help="Copy the files to work in; nothing is overwritten.")
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[DIR]")
@click.option("--only", multiple=True, metavar="NAME", help="Only this assignment; may be repeated.")
@COURSE
def start(folder: Path, only: Sequence[str], course: Path | None) -> None:
    """Copy the student template into DIR (default: this folder); nothing is overwritten."""
    from grader.authoring.template import next_steps, start_work
    from grader.workbench.pointer import remember_course

    loaded = load(course, folder)
    written, kept = start_work(loaded, folder, only)
    is_remembered = course is None or remember_course(folder, course)
    console = new_console()
    console.print(f"{len(written)} files written to {folder}", soft_wrap=True)
    if kept:
        console.print(f"kept as they were: {', '.join(path.name for path in kept)}", soft_wrap=True)
    optional = [rubric.name for rubric in loaded.rubrics if rubric.optional]
    if optional and not only:
        console.print(f"optional, each by `grade start --only NAME`: {', '.join(optional)}", soft_wrap=True)
    console.print("\nWhat to do next:")
    for number, step in enumerate(next_steps(loaded, folder, only, is_named=not is_remembered), start=1):
        console.print(f"{number}. {step}", soft_wrap=True)
