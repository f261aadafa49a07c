"""Texts with commands in them: what a reader writes and types, in order, and what it says that is printed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest
from forked import grade

# A file under its name, with or without how it is written, or a console.
_PIECE = re.compile(
    r"^`(?P<path>[^`\n]+)`(?P<how>|, [^:\n]+):\n\n```\w+\n(?P<content>.*?)^```$|^```console\n(?P<console>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# Rounding differs between machines, and what a sandbox there is made of.
_VARYING = re.compile(r"10\^[+-]\d+\.\d|\bexact\b| \.\.\. |(?<=sandbox: ).+")


def pieces(text: str) -> Iterator[re.Match[str]]:
    """Yield what a text has its reader write and type, in order."""
    return _PIECE.finditer(text)


def commands(console: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console with what it is said to print."""
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def is_printed(said: str, actual: str) -> bool:
    """Return whether a command printed what a text says: there `...` is anything, alone on a line or within one."""
    lines = []
    for line in said.splitlines():
        if line == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            fixed = [re.escape(part) for part in _VARYING.split(" ".join(line.split()))]
            lines.append(r".+".join(fixed) + "\n")
    printed = "".join(" ".join(line.split()) + "\n" for line in actual.splitlines())
    return re.fullmatch("".join(lines), printed) is not None


def run(command: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a command as a text has it, `cd` in this process, and return what it prints."""
    words = shlex.split(command)
    if words[0] == "cd":
        monkeypatch.chdir(words[1])
        return ""
    if words[0] != "grade":
        # `python` is the one under test.
        line = command.replace("python ", f"{shlex.quote(sys.executable)} ", 1)
        finished = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
        assert finished.stderr == "", command
        return finished.stdout
    graded = grade(*words[1:], COLUMNS=os.environ.get("COLUMNS", "80"))
    assert graded.stderr == "", command
    return graded.stdout
