"""docs/authoring.md to the letter: its files are written, its commands are run, and they print what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader.course import CaseSpec, Course, Exercise, Gradient, Invariant, Limits, Rubric, Timing, Tolerance
from grader.course.load import keys_of

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))
CONSOLES = re.findall(r"^```console\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
# Rounding differs between machines, and time from run to run.
VARYING = re.compile(r"10\^[+-]\d+\.\d|\bexact\b|(?<=takes )[\d.]+(?= times)| \.\.\. ")


def commands() -> list[tuple[str, str]]:
    """Return each command of the guide, in order, with what it is said to print."""
    found = []
    for console in CONSOLES:
        for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            found.append((command, printed))
    return found


def pattern(printed: str) -> str:
    """Return a pattern of what the guide says is printed: `...` is anything, alone on a line or within one."""
    lines = []
    for line in printed.splitlines():
        if line == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            fixed = [re.escape(part) for part in VARYING.split(" ".join(line.split()))]
            lines.append(r".+".join(fixed) + "\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The files of the guide, and commands `grade` and `python` that are those under test."""
    folder = tmp_path_factory.mktemp("guide")
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    (folder / "bin").mkdir()
    for name, arguments in (("grade", "-m grader "), ("python", "")):
        script = folder / "bin" / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n')
        script.chmod(0o755)
    return folder


@pytest.mark.slow
def test_every_command_prints_what_the_guide_says(folder):
    environment = {
        **os.environ,
        "COLUMNS": "100",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    for command, printed in commands():
        finished = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

        actual = "".join(" ".join(line.split()) + "\n" for line in finished.stdout.splitlines())
        assert finished.stderr == "", command
        assert re.fullmatch(pattern(printed), actual), (command, finished.stdout)


def test_the_guide_explains_every_key_of_a_rubric_and_of_a_course():
    nouns = (CaseSpec, Course, Exercise, Gradient, Invariant, Limits, Rubric, Timing, Tolerance)
    keys = {key for noun in nouns for key in keys_of(noun)}
    rows = GUIDE.partition("### The rubric line by line")[2].partition("## The mistakes")[0]
    course = FILES["my-course/assignments/course.yaml"]
    rubric = FILES["my-course/assignments/rmsnorm/rubric.yaml"] + FILES["my-lesson/assignments/lesson/rubric.yaml"]
    rubric += GUIDE.partition("\n## Numpy\n")[2]

    for key in keys:
        assert re.search(rf"\b{key}:", rubric + course), f"the example has no {key}"
        assert re.search(rf"`{key}\b", rows + GUIDE.partition("## The forward pass")[0]), f"{key} is not explained"


def test_the_example_uses_every_kind_of_invariant():
    from grader.course import InvariantKind

    assert all(f"kind: {kind}" in FILES["my-course/assignments/rmsnorm/rubric.yaml"] for kind in InvariantKind)


def test_the_links_of_the_guide_lead_to_its_headings():
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert set(re.findall(r"\]\(#([^)]+)\)", GUIDE)) <= anchors
