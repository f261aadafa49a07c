"""What an author types: new, check, template."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from grader.cli.options import COURSE, load, new_console


@click.command(short_help="Make an assignment from its forward pass.")
@click.argument("name")
@COURSE
def new(name: str, course: Path | None) -> None:
    """Make the assignment NAME from the forward pass in its reference.py; nothing is overwritten."""
    from grader.authoring.new import new_assignment

    made = new_assignment(course, name)
    console = new_console()
    for path in made.written:
        console.print(f"written: {path}", soft_wrap=True)
    for path in made.kept:
        console.print(f"kept: {path}", soft_wrap=True)
    console.print("\nWhat to do next:")
    for number, step in enumerate(made.next_steps, start=1):
        console.print(f"{number}. {step}", soft_wrap=True)


@click.command(short_help="Prove that every assignment holds together.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--strict", is_flag=True, help="Also say what is still to write: mistakes, hints, formulas, text.")
@COURSE
def check(names: Sequence[str], strict: bool, course: Path | None) -> None:
    """Prove that the assignments of the course hold together; exit code 1 if one does not."""
    from grader.sandbox.warm import start_warm

    with start_warm() as warm:
        from grader.authoring.check import check_course, margins_table, summary
        from grader.authoring.margins import Proof

        console = new_console()

        def say(proof: Proof) -> None:
            mistakes = f" ({proof.mistakes} mistakes)" if proof.mistakes is not None else ""
            console.print(f"{'✗' if proof.findings else '✓'} {proof.name}{mistakes}", style="bold")
            for line in margins_table(proof):
                console.print(line, soft_wrap=True)
            for notice in proof.notices:
                console.print(f"  notice: {notice}", soft_wrap=True)
            for finding in proof.findings:
                console.print(f"  {finding}", soft_wrap=True)

        proofs = check_course(load(course), names, warm, say, is_strict=strict)
    for line in summary(proofs):
        console.print(line, soft_wrap=True)
    count = sum(len(proof.findings) for proof in proofs)
    console.print("All hold." if not count else f"{count} to mend.", style="bold")
    sys.exit(1 if count else 0)


@click.command(short_help="Write student_template/ from solutions/.")
@COURSE
def template(course: Path | None) -> None:
    """Write student_template/ from solutions/."""
    from grader.authoring.template import write_templates

    console = new_console()
    for path in write_templates(load(course)):
        console.print(str(path), soft_wrap=True)
