"""What several commands take, and the console that they print on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from grader.course import Course

COURSE = click.option(
    "--course", type=click.Path(path_type=Path), metavar="DIR", help="A course folder; default: the installed course."
)
SEED = click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Seed of the cases' data.")
PART = click.option("--only", multiple=True, metavar="NAME", help="Only this week or assignment; may be repeated.")


def new_console() -> Console:
    """A console on standard output that takes no text for markup."""
    from rich.console import Console

    # Text of a submission is never markup, and numbers need no colour of their own.
    return Console(highlight=False, markup=False, emoji=False)


def load(folder: Path | None, work: Path | None = None) -> Course:
    """Read the course in `folder`, else the one that the student's folder `work` points to, else the installed one.

    Raises CourseError if it cannot be read or something in it is wrong, and UsageError if a pointer is not trusted.
    """
    from grader.course import default_course, load_course
    from grader.workbench.pointer import find_course

    pointed = find_course(work) if folder is None and work is not None else None
    return load_course(folder or pointed or default_course())
