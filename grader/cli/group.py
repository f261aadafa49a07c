"""The command `grade`, a group in which grading itself needs no name, and its help on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click


class DefaultCommand(click.Group):
    """A group in which `grade PATH` and `grade --only NAME` mean its hidden command, which has no name to type.

    `sections` are the names of its commands under a heading each, as the help shows them.
    """

    default = ""
    FIRST = (
        ("grade", "Grade this folder; `grade PATH`: another one, or one file."),
        ("grade --only NAME", "Only this assignment or function."),
        ("grade --watch", "Grade again whenever a file is saved."),
    )

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.sections: dict[str, list[str]] = {}

    def add_section(self, heading: str, commands: Sequence[click.Command]) -> None:
        """Add commands that the help shows together."""
        for command in commands:
            self.add_command(command)
            self.sections.setdefault(heading, []).append(command.name or "")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the hidden command in front of arguments that begin with no command."""
        first = args[0] if args else self.default
        if first == self.default or (first not in self.commands and first not in ("--help", "-h", "--version")):
            args.insert(0, self.default)
        return super().parse_args(ctx, args)

    def format_help(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what fits one screen: first what a student does, then what others do."""
        formatter.write("Usage: grade [PATH] [OPTIONS], or: grade COMMAND\n")
        width = max(len(name) for name, _ in self.FIRST)
        for number, (heading, names) in enumerate(self.sections.items()):
            rows = [(name, self.commands[name].get_short_help_str(80)) for name in names]
            formatter.write(f"\n{heading}:\n")
            for name, text in [*(self.FIRST if number == 0 else ()), *rows]:
                formatter.write(f"  {name:{width}}  {text}\n")
        formatter.write("\nAll options: `grade . --help`; those of a command: `grade COMMAND --help`.\n")


@click.group(cls=DefaultCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="backprop-grader", prog_name="grade")
def cli() -> None:
    """Grade hand-written backward passes."""
