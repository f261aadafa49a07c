"""What an instructor types: batch, export, release, autograder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from grader.cli.options import COURSE, PART, load, new_console


@click.command(short_help="Grade a whole class: a folder or a zip of submissions.")
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
    console = new_console()
    with Bar(console) if console.is_terminal else Lines(console) as say:
        summary = grade_batch(options, say)
    if summary is None:
        return
    console.print(summary.text, soft_wrap=True)
    console.print(f"Gradebook: {out / 'grades.csv'}, class report: {out / 'index.html'}", soft_wrap=True)
    sys.exit(0 if summary.with_result == summary.found else 2)


@click.command(short_help="Write a class's grades in another system's format.")
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

    console = new_console()
    exported = export_grades(source, to, into=into, column=column, write=write)
    for note in exported.notes:
        console.print(note, soft_wrap=True)
    shown = exported.written if len(exported.written) < 4 else [exported.written[0].parent, "..."]
    console.print(f"written: {', '.join(map(str, shown))}", soft_wrap=True)


@click.command(short_help="Pack the course for students, without solutions.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.zip")
@PART
@COURSE
def release(file: Path, only: Sequence[str], course: Path | None) -> None:
    """Pack the course for students: its assignments and the template, no solutions, mistakes or hidden cases."""
    from grader.authoring.release import pack_release

    packed = pack_release(load(course), file, only)
    console = new_console()
    console.print(f"{len(packed.files)} files packed into {file}", soft_wrap=True)
    if packed.left_out:
        console.print(f"left out, because hidden: {', '.join(packed.left_out)}", soft_wrap=True)
    console.print("Whoever unpacks it into DIR can run `grade start work --course DIR`.")


@click.command(short_help="Pack what Gradescope takes as an autograder.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.zip")
@PART
@click.option("--seed", type=int, metavar="N", help="Seed of the cases' data; default: drawn, and kept in the archive.")
@COURSE
def autograder(file: Path, only: Sequence[str], seed: int | None, course: Path | None) -> None:
    """Pack what Gradescope takes as an autograder, ready to upload."""
    from grader.authoring.autograder import pack_autograder
    from grader.batch.store import draw_seed

    packed = pack_autograder(load(course), file, only, draw_seed() if seed is None else seed)
    console = new_console()
    console.print(f"{len(packed.files)} files packed into {file}", soft_wrap=True)
    console.print(f"In Gradescope, make a programming assignment of {packed.points:g} points and upload the file.")
    console.print("Choose Ubuntu 22.04 or later, and at least 2 GB of memory: torch needs more than the default.")
