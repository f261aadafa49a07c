"""The command `grade`, a group in which grading itself needs no name."""

from __future__ import annotations

import click


class DefaultCommand(click.Group):
    """A group in which `grade PATH` and `grade --only NAME` mean its hidden command, which has no name to type."""

    default = ""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the hidden command in front of arguments that begin with no command."""
        first = args[0] if args else self.default
        if first == self.default or (first not in self.commands and first not in ("--help", "-h", "--version")):
            args.insert(0, self.default)
        return super().parse_args(ctx, args)

    def format_usage(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both ways to call it."""
        formatter.write_usage("grade", "[PATH] [OPTIONS]")
        formatter.write_usage("grade", "COMMAND ...")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the hidden command's options, then the commands."""
        self.commands[self.default].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(cls=DefaultCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="backprop-grader", prog_name="grade")
def cli() -> None:
    """Grade hand-written backward passes: the folder you are in, or PATH, a folder or one file.

    Exit code: 0 full marks, 1 graded with less, 2 could not grade.
    """
