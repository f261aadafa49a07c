"""The command line: arguments to one call, what is printed, and the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from grader.absent import leave_absent
from grader.errors import GraderError, UsageError
from grader.text import one_line

try:
    import click
except ModuleNotFoundError as error:
    leave_absent(error)

if TYPE_CHECKING:
    from rich.console import Console

    from grader.course import Course
    from grader.results import Report

# What is imported inside the commands would cost `grade --help` two seconds at the top.

COURSE = click.option(
    "--course", type=click.Path(path_type=Path), metavar="DIR", help="A course folder; default: the installed course."
)
SEED = click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Seed of the cases' data.")


class _DefaultCommand(click.Group):
    """A group in which `grade PATH` and `grade --only NAME` mean its hidden command, which has no name to type."""

    default = ""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else self.default
        if first == self.default or (first not in self.commands and first not in ("--help", "-h", "--version")):
            args.insert(0, self.default)
        return super().parse_args(ctx, args)

    def format_usage(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage("grade", "[PATH] [OPTIONS]")
        formatter.write_usage("grade", "COMMAND ...")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.commands[self.default].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(cls=_DefaultCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="backprop-grader", prog_name="grade")
def cli() -> None:
    """Grade hand-written backward passes: the folder you are in, or PATH, a folder or one file.

    Exit code: 0 full marks, 1 graded with less, 2 could not grade.
    """


@cli.command("", hidden=True)
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
        loaded = _load(course)
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

        written = save(result)
        print_report(result, _console(), verbose=verbose, explain=explain, page=str(written))
    sys.exit(2 if result.score is None else 0 if result.is_full_marks else 1)


@cli.command()
@click.argument("function")
@click.option("--case", metavar="K", help="Number or name of the case; default: the first.")
@SEED
@COURSE
def case(function: str, case: str | None, seed: int, course: Path | None) -> None:
    """Write a case of FUNCTION as a script that calls your function; run it to print and debug."""
    from grader.workbench.script import write_case

    path, is_fresh = write_case(_load(course), function, case, seed, Path())
    console = _console()
    if not is_fresh:
        console.print(f"{path} is there already and not as it was written: kept. Delete it for a fresh one.")
    console.print(f"run it: python {path}", soft_wrap=True)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where results go.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="How many at once; default: the processors here.")
@click.option("--seed", type=int, metavar="N", help="Seed of the cases' data; default: drawn once and kept.")
@click.option("--new-seed", is_flag=True, help="Draw another seed, and grade everything again with it.")
@COURSE
@click.option("--only", multiple=True, metavar="NAME", help="Only this assignment or function; may be repeated.")
@click.option("--before", metavar="TIME", help="Of several attempts, the newest handed in by then counts.")
@click.option("--executor", default="local", metavar="WHERE", help="local (default), or dask:HOST:PORT.")
@click.option("--shard", metavar="I/N", help="Only the I-th of N parts, into an --out that all parts share.")
@click.option("--fresh", is_flag=True, help="Grade everything, also what has a result.")
@click.option("--dry-run", is_flag=True, help="Say what was found and how it was understood, and stop.")
@click.option("--allow-weak-isolation", is_flag=True, help="Grade where the sandbox is weak: trust every submission.")
@click.option("--names", is_flag=True, help="A class report with names and links to the reports.")
@click.option(
    "--compare",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Another batch's --out to put the class beside; default: the run before.",
)
def batch(
    folder: Path,
    out: Path,
    jobs: int | None,
    seed: int | None,
    new_seed: bool,
    course: Path | None,
    only: tuple[str, ...],
    before: str | None,
    executor: str,
    shard: str | None,
    fresh: bool,
    dry_run: bool,
    allow_weak_isolation: bool,
    names: bool,
    compare: Path | None,
) -> None:
    """Grade every submission in FOLDER, or in a zip as it was downloaded; exit code 0 if each has a result, else 2."""
    from grader.batch import Options, default_jobs, grade_batch, parse_shard, parse_time
    from grader.batch.progress import Bar, Lines

    options = Options(
        folder,
        out,
        course=course,
        seed=seed,
        draws_seed=new_seed,
        only=only,
        jobs=jobs or default_jobs(),
        executor=executor,
        shard=parse_shard(shard),
        before=parse_time(before) if before is not None else None,
        is_fresh=fresh,
        is_dry_run=dry_run,
        allows_weak_isolation=allow_weak_isolation,
        shows_names=names,
        compare=compare,
    )
    console = _console()
    with Bar(console) if console.is_terminal else Lines(console) as say:
        summary = grade_batch(options, say)
    if summary is None:
        return
    console.print(summary.text, soft_wrap=True)
    console.print(f"Gradebook: {out / 'grades.csv'}, class report: {out / 'index.html'}", soft_wrap=True)
    sys.exit(0 if summary.with_result == summary.found else 2)


@cli.command()
@click.argument("source", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--to",
    type=click.Choice(["canvas", "moodle", "gradescope", "github", "markdown", "junit", "csv", "log"]),
    required=True,
    help="The system that is to read it.",
)
@click.option(
    "--into", type=click.Path(path_type=Path), metavar="FILE", help="Fill this downloaded sheet; a copy of it is kept."
)
@click.option("--column", metavar="TITLE", help="The column of the sheet to fill; default: the one that fits.")
@click.option("--write", type=click.Path(path_type=Path), metavar="PATH", help="Where it goes; default: DIR/export.")
def export(source: Path, to: str, into: Path | None, column: str | None, write: Path | None) -> None:
    """Write a batch's grades (DIR is its --out), or one result's, in another system's format."""
    from grader.batch.export import export as export_grades

    console = _console()
    exported = export_grades(source, to, into=into, column=column, write=write)
    for note in exported.notes:
        console.print(note, soft_wrap=True)
    shown = exported.written if len(exported.written) < 4 else [exported.written[0].parent, "..."]
    console.print(f"written: {', '.join(map(str, shown))}", soft_wrap=True)


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@COURSE
def check(names: Sequence[str], course: Path | None) -> None:
    """Prove that the assignments of the course hold together; exit code 1 if one does not."""
    from grader.sandbox.warm import start_warm

    with start_warm() as warm:
        from grader.authoring.check import check_course, margins_table, summary
        from grader.authoring.margins import Proof

        console = _console()

        def say(proof: Proof) -> None:
            mistakes = f" ({proof.mistakes} mistakes)" if proof.mistakes is not None else ""
            console.print(f"{'✗' if proof.findings else '✓'} {proof.name}{mistakes}", style="bold")
            for line in margins_table(proof):
                console.print(line, soft_wrap=True)
            for notice in proof.notices:
                console.print(f"  notice: {notice}", soft_wrap=True)
            for finding in proof.findings:
                console.print(f"  {finding}", soft_wrap=True)

        proofs = check_course(_load(course), names, warm, say)
    for line in summary(proofs):
        console.print(line, soft_wrap=True)
    count = sum(len(proof.findings) for proof in proofs)
    console.print("All hold." if not count else f"{count} to mend.", style="bold")
    sys.exit(1 if count else 0)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[DIR]")
@click.option("--only", multiple=True, metavar="NAME", help="Only this assignment; may be repeated.")
@COURSE
def start(folder: Path, only: Sequence[str], course: Path | None) -> None:
    """Copy the student template into DIR (default: this folder); nothing is overwritten."""
    from grader.authoring.template import next_steps, start_work

    loaded = _load(course)
    written, kept = start_work(loaded, folder, only)
    console = _console()
    console.print(f"{len(written)} files written to {folder}", soft_wrap=True)
    if kept:
        console.print(f"kept as they were: {', '.join(path.name for path in kept)}", soft_wrap=True)
    optional = [rubric.name for rubric in loaded.rubrics if rubric.optional]
    if optional and not only:
        console.print(f"optional, each by `grade start --only NAME`: {', '.join(optional)}", soft_wrap=True)
    console.print("\nWhat to do next:")
    for number, step in enumerate(next_steps(loaded, folder, only, is_default=course is None), start=1):
        console.print(f"{number}. {step}", soft_wrap=True)


@cli.command()
@COURSE
def template(course: Path | None) -> None:
    """Write student_template/ from solutions/."""
    from grader.authoring.template import write_templates

    console = _console()
    for path in write_templates(_load(course)):
        console.print(str(path), soft_wrap=True)


PART = click.option("--only", multiple=True, metavar="NAME", help="Only this week or assignment; may be repeated.")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.zip")
@PART
@COURSE
def release(file: Path, only: Sequence[str], course: Path | None) -> None:
    """Pack the course for students: its assignments and the template, no solutions, mistakes or hidden cases."""
    from grader.authoring.release import pack_release

    packed = pack_release(_load(course), file, only)
    console = _console()
    console.print(f"{len(packed.files)} files packed into {file}", soft_wrap=True)
    if packed.left_out:
        console.print(f"left out, because hidden: {', '.join(packed.left_out)}", soft_wrap=True)
    console.print("Whoever unpacks it into DIR can run `grade start work --course DIR`.")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.zip")
@PART
@click.option("--seed", type=int, metavar="N", help="Seed of the cases' data; default: drawn, and kept in the archive.")
@COURSE
def autograder(file: Path, only: Sequence[str], seed: int | None, course: Path | None) -> None:
    """Pack what Gradescope takes as an autograder, ready to upload."""
    from grader.authoring.autograder import pack_autograder
    from grader.batch.store import draw_seed

    packed = pack_autograder(_load(course), file, only, draw_seed() if seed is None else seed)
    console = _console()
    console.print(f"{len(packed.files)} files packed into {file}", soft_wrap=True)
    console.print(f"In Gradescope, make a programming assignment of {packed.points:g} points and upload the file.")
    console.print("Choose Ubuntu 22.04 or later, and at least 2 GB of memory: torch needs more than the default.")


def main() -> NoReturn:
    """Run the command line; a user's mistake is one message and exit code 2, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that has no glyph for a check mark shows a question mark, and grading goes on.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr] # both are text files here
    code = 2
    try:
        code = _run()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone (`grade | head`); that is its right.
        sys.stdout = sys.stderr = None  # nothing is left to be flushed
    if "torch" in sys.modules:
        # All is written and closed, and taking torch down in order takes half a second.
        if sys.stderr is not None:
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _run() -> int:
    try:
        cli(prog_name="grade", standalone_mode=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except GraderError as error:
        click.echo(f"grade: {error}", err=True)
        return error.exit_code
    except ModuleNotFoundError as error:
        leave_absent(error)
    except (click.Abort, KeyboardInterrupt):
        click.echo("grade: stopped", err=True)
        return 2
    return 0


def _watch(path: Path, grade: Callable[[], Report], save: Callable[[Report], Path]) -> Report:
    from grader.workbench.watch import Keys, Watcher

    with Keys() as keys:
        result = Watcher(path, grade, save, _console(), keys).run()
    if result is None:
        raise click.Abort
    return result


def _console() -> Console:
    from rich.console import Console

    # Text of a submission is never markup, and numbers need no colour of their own.
    return Console(highlight=False, markup=False, emoji=False)


def _load(folder: Path | None) -> Course:
    from grader.course import default_course, load_course

    return load_course(folder if folder is not None else default_course())


if __name__ == "__main__":
    main()
