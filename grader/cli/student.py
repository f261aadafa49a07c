"""What a student types: grade, case, start."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.group import cli
from grader.cli.options import COURSE, SEED, load, new_console
from grader.errors import UsageError
from grader.text import one_line

if TYPE_CHECKING:
    from grader.results import Report

# What is imported inside the commands would cost `grade --help` two seconds at the top.


@click.command("", hidden=True)
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, metavar="[PATH]")
@click.option("--only", multiple=True, metavar="NAME", help="Only this assignment or function; may be repeated.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Where to write the HTML report.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Also write JSON here.")
@SEED
@COURSE
@click.option("--verbose", is_flag=True, help="A line exact | approx | maxdiff for every gradient.")
@click.option("--watch", is_flag=True, help="Grade again whenever a file is saved.")
@click.option("--explain", is_flag=True, help="All there is to say of every slip, with all its hints.")
def grade_submission(
    paths: tuple[Path, ...],
    only: Sequence[str],
    report: Path | None,
    json_file: Path | None,
    seed: int,
    course: Path | None,
    verbose: bool,
    explain: bool,
    watch: bool,
) -> None:
    """Grade one submission."""
    if len(paths) > 1:
        given = ", ".join(one_line(str(path), 100) for path in paths)
        raise UsageError(f"one file or one folder is graded, and here are {given}; give the folder that holds them")
    path = next(iter(paths), Path())
    from grader.sandbox.warm import start_warm

    # First of all, so that it imports torch while this process does.
    with start_warm() as warm:
        from grader.course.meant import explain_path
        from grader.grading import Grader
        from grader.report.html import write_html
        from grader.report.json import write_json
        from grader.submission import is_there, read_submission

        def save(result: Report) -> Path:
            if json_file is not None:
                write_json(result.for_student, json_file)
            return write_html(result, report, path)

        if watch:
            # The folder may go and come back under the same name, and with it the current one.
            path = path.resolve()
        loaded = load(course, path)
        if not is_there(path):
            raise UsageError(explain_path(loaded, path, sorted(filter(None, cli.commands))))
        submission = read_submission(path)
        grader = Grader(loaded, seed, only, about=None if watch else submission)
        if watch:
            result = _watch(path, lambda: grader.grade(read_submission(path), warm), save)
        else:
            result = grader.grade(submission, warm)
    if not watch:
        from grader.report.terminal import print_report

        console = new_console()
        print_report(result, console, verbose=verbose, explain=explain)
        console.print(f"Report: {save(result)}", soft_wrap=True)
    sys.exit(2 if result.score is None else 0 if result.is_full_marks else 1)


def _watch(path: Path, grade: Callable[[], Report], save: Callable[[Report], Path]) -> Report:
    from grader.workbench.watch import Keys, Watcher

    with Keys() as keys:
        result = Watcher(path, grade, save, new_console(), keys).run()
    if result is None:
        raise click.Abort
    return result


@click.command()
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


@click.command()
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
