"""docs/authoring.md to the letter, from the top: files are written, commands are run, and they print what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from console import commands, is_printed, pieces, run

from grader.course import (
    CaseSpec,
    Course,
    Exercise,
    Gradient,
    Invariant,
    Limits,
    Rubric,
    Timing,
    Tolerance,
    load_course,
)
from grader.course.cases import Reference
from grader.course.load import keys_of

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")


def write(path: Path, how: str, content: str) -> None:
    """Write a file, or what the guide puts at its end, between its markers or in place of a mark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8") if how else ""
    match how.split(" *"):
        case [""]:
            text = content
        case [", at the end"]:
            text += f"\n\n{content}"
        case [", between the markers"]:
            before, _, rest = text.partition("# BEGIN SOLUTION\n")
            text = f"{before}# BEGIN SOLUTION\n{content}    # END SOLUTION{rest.partition('# END SOLUTION')[2]}"
        case [", where it says", mark]:
            marked = re.compile(rf"^<!-- To write: {mark.removesuffix('*')}.*\n", re.MULTILINE)
            assert marked.search(text), mark
            text = marked.sub(lambda _: content, text)
        case _:
            raise AssertionError(how)
    path.write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_every_command_prints_what_the_guide_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for piece in pieces(GUIDE):
        if piece["path"]:
            write(Path(piece["path"]), piece["how"], piece["content"])
            continue
        for command, printed in commands(piece["console"]):
            found = run(command, monkeypatch)

            assert is_printed(printed, found), (command, found)


@pytest.fixture(scope="module")
def every_key(tmp_path_factory) -> Course:
    """The course of the guide that has every key."""
    folder = tmp_path_factory.mktemp("guide")
    for piece in pieces(GUIDE):
        if piece["path"] and piece["path"].startswith("every-key/"):
            write(folder / piece["path"], piece["how"], piece["content"])
    return load_course(folder / "every-key")


def test_the_example_with_every_key_is_one_that_can_be_asked(every_key):
    for rubric in every_key.rubrics:
        for exercise in rubric.exercises:
            assert Reference(rubric).make_cases(exercise, seed=0)


def test_the_guide_explains_every_key_of_a_rubric_and_of_a_course():
    nouns = (CaseSpec, Course, Exercise, Gradient, Invariant, Limits, Rubric, Timing, Tolerance)
    keys = {key for noun in nouns for key in keys_of(noun)}
    rows = GUIDE.partition("### The rubric line by line")[2].partition("## Mistakes")[0]
    files = GUIDE.partition("## The files")[2].partition("## The forward pass")[0]
    examples = "".join(piece["content"] for piece in pieces(GUIDE) if (piece["path"] or "").endswith(".yaml"))
    examples += GUIDE.partition("\n## Numpy\n")[2]

    for key in keys:
        assert re.search(rf"\b{key}:", examples), f"the examples have no {key}"
        assert re.search(rf"`{key}\b", rows + files), f"{key} is not explained"


def test_the_example_uses_every_kind_of_invariant(every_key):
    from grader.course import InvariantKind

    found = {
        invariant.kind for rubric in every_key.rubrics for each in rubric.exercises for invariant in each.invariants
    }

    assert found == set(InvariantKind)


def test_the_links_of_the_guide_lead_to_its_headings():
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert set(re.findall(r"\]\(#([^)]+)\)", GUIDE)) <= anchors
