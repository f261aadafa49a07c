"""The command line: arguments to one call, what is printed, and the exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn

from grader.absent import leave_absent
from grader.errors import GraderError

try:
    import click
except ModuleNotFoundError as error:
    leave_absent(error)

from grader.cli.author import check, new, template
from grader.cli.group import cli
from grader.cli.instructor import autograder, batch, export, release
from grader.cli.streams import ReaderGoneError, open_streams
from grader.cli.student import case, explain, grade_submission, hint, start, train

cli.add_command(grade_submission)
cli.add_section("You write backward passes", (start, hint, explain, case, train))
cli.add_section("You teach", (batch, export, release, autograder))
cli.add_section("You write a course", (new, check, template))


def main() -> NoReturn:
    """Run the command line; a user's mistake is one message and exit code 2, never a traceback."""
    output, errors = open_streams()
    code = 2
    try:
        code = _run()
        output.flush()
    except ReaderGoneError:
        pass
    with contextlib.suppress(ReaderGoneError):
        if output.error is not None:
            errors.write(f"grade: standard output could not be written: {output.error.strerror}\n")
        errors.flush()
    if "torch" in sys.modules:
        # All is written and closed, and taking torch down in order takes half a second.
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
