"""What a folder remembers of the last run, and what it makes of a file that it did not write."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from grader.grading import Grader
from grader.report.progress import Standing, standing_of
from grader.results import Report
from grader.sandbox.warm import Warm
from grader.submission import Submission, read_submission
from grader.verdict.compare import Verdict
from grader.workbench.history import NAME, Given, History, read_history, write_history
from grader.workbench.records import Records

RIGHT = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
WRONG = RIGHT.replace("dout.sum(0)", "dout.sum(1)")
STANDING = Standing("A course", None, 0, {"linear_backward": {"dx": Verdict.CORRECT, "db": Verdict.WRONG_SHAPE}})
HISTORY = History(STANDING, {"linear_backward.db": Given("wrong_shape", 2)})


@pytest.fixture(scope="module")
def reports(small_grader: Grader, warm: Warm) -> tuple[Report, Report]:
    """A report with a slip in db, and one in which it is mended."""
    first, second = (
        small_grader.grade(Submission("ada", {"linear.py": text.encode()}, {}), warm) for text in (WRONG, RIGHT)
    )
    return first, second


def test_the_next_run_says_what_changed_and_the_one_after_that_nothing_did(reports, tmp_path: Path):
    records = Records(tmp_path)
    said = []
    for report in (reports[0], reports[1], reports[1]):
        said.append(records.say_changes(report))
        records.keep(report)

    assert said == ["", "Since the last run: +1 gradient right.", "Since the last run: nothing changed."]


def test_a_run_without_history_neither_reads_nor_writes_it(reports, tmp_path: Path):
    forgetful = Records(tmp_path, is_forgetful=True)

    forgetful.keep(reports[0])
    assert not (tmp_path / NAME).exists()
    Records(tmp_path).keep(reports[0])
    assert forgetful.say_changes(reports[1]) == ""


def test_a_run_of_one_assignment_keeps_what_is_known_of_the_others():
    other = replace(STANDING, functions={"dropout_backward": {"dh": Verdict.CORRECT}})

    assert HISTORY.after(other).standing.functions == {**STANDING.functions, **other.functions}


def test_a_run_of_another_course_begins_anew():
    other = replace(STANDING, course="Another")

    assert HISTORY.after(other) == History(other)


def test_what_was_written_is_read_and_says_what_it_is(tmp_path: Path):
    assert write_history(tmp_path, HISTORY)

    assert read_history(tmp_path) == HISTORY
    assert json.loads((tmp_path / NAME).read_text())["about"].startswith("Written by `grade`: how the gradients")


def test_two_files_in_a_folder_are_remembered_apart(tmp_path: Path):
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(RIGHT)
    write_history(tmp_path / "a.py", HISTORY)
    write_history(tmp_path / "b.py", History())

    assert read_history(tmp_path / "a.py") == HISTORY
    assert read_history(tmp_path / "b.py") == History()
    assert read_history(tmp_path) == History()


def test_it_is_no_part_of_a_submission(tmp_path: Path):
    (tmp_path / "linear.py").write_text(RIGHT)
    write_history(tmp_path, HISTORY)

    assert list(read_submission(tmp_path).files) == ["linear.py"]


def test_a_folder_that_cannot_be_written_is_no_problem(tmp_path: Path):
    (tmp_path / NAME).mkdir()  # which nobody can write in its place, root included

    assert not write_history(tmp_path, HISTORY)
    assert read_history(tmp_path) == History()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path):
    (tmp_path / "mine").write_text("keep me")
    (tmp_path / NAME).symlink_to(tmp_path / "mine")

    assert not write_history(tmp_path, HISTORY)
    assert (tmp_path / "mine").read_text() == "keep me"
    assert read_history(tmp_path) == History()


def _file(run: object = None, hints: object = None) -> str:
    return json.dumps({"format": 1, "submissions": {".": {"run": run, "hints": hints}}})


RUN = {"course": "A small course", "version": None, "seed": 0}
STRANGE = {
    "no JSON": "{",
    "nothing": "",
    "bytes": "\x00\xff",
    "nested": "[" * 100_000,
    "a list": "[]",
    "another format": json.dumps({"format": 99, "submissions": {".": {}}}),
    "submissions of another kind": json.dumps({"format": 1, "submissions": [1]}),
    "a submission of another kind": json.dumps({"format": 1, "submissions": {".": 7}}),
    "parts of other kinds": _file([], 3),
    "functions of another kind": _file({**RUN, "functions": [1, 2]}),
    "gradients of another kind": _file({**RUN, "functions": {"linear_backward": "right"}}),
    "verdicts of other kinds": _file({**RUN, "functions": {"linear_backward": {"dx": {}, "db": "splendid"}}}),
    "a seed that is true": _file({**RUN, "seed": True, "functions": {"linear_backward": {"dx": "correct"}}}),
    "a huge number": _file({**RUN, "seed": 10**400, "functions": {"linear_backward": {"dx": "correct"}}}),
    "hints of other kinds": _file(None, {"linear_backward.db": [1], "x": {"slip": 1, "hints": "many"}}),
    "two megabytes": json.dumps({"format": 1, "submissions": {}, "x": "x" * 2_000_000}),
}


@pytest.mark.parametrize("content", STRANGE.values(), ids=STRANGE)
def test_a_strange_file_is_passed_over_and_replaced(content: str, reports, tmp_path: Path):
    (tmp_path / NAME).write_bytes(content.encode("latin-1"))
    records = Records(tmp_path)

    assert records.say_changes(reports[0]) == ""
    records.keep(reports[0])
    assert read_history(tmp_path).standing == standing_of(reports[0])


def test_no_text_of_the_file_is_ever_said(reports, tmp_path: Path):
    functions = {"\x1b[31mred": {"\x1b[0m": "correct"}, "linear_backward": {"\x1b]0;x\x07": "correct", "db": "correct"}}
    (tmp_path / NAME).write_text(_file({**RUN, "functions": functions}))

    assert Records(tmp_path).say_changes(reports[0]) == (
        "Since the last run: 1 gradient no longer right, 1 new slip (db of linear_backward)."
    )
