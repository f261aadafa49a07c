"""The command line: arguments to one call, what is printed, and the exit code."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from grader.absent import leave_absent
from grader.errors import GraderError

try:
    import click
except ModuleNotFoundError as error:
    leave_absent(error)

from grader.cli.author import check, template
from grader.cli.group import cli
from grader.cli.instructor import autograder, batch, export, release
from grader.cli.student import case, grade_submission, start

for command in (grade_submission, case, start, batch, export, release, autograder, check, template):
    cli.add_command(command)


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
