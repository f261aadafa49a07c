"""What a student is told of a hand-in inside Gradescope, whatever it is; its real paths are in test_autograder.py."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from grader.batch.gradescope_runner import run_autograder
from grader.errors import CourseError

ROOT = Path(__file__).resolve().parents[2]
RIGHT = (ROOT / "solutions" / "linear.py").read_bytes()


def _zip(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


@pytest.fixture
def root(tmp_path, small_course_folder) -> Path:
    """What Gradescope makes below /autograder, with a course of linear and dropout of which linear counts."""
    shutil.copytree(small_course_folder / "assignments", tmp_path / "source" / "course" / "assignments")
    (tmp_path / "source" / "autograder.json").write_text('{"seed": 5, "only": ["linear"]}')
    (tmp_path / "submission").mkdir()
    return tmp_path


def _grade(root: Path, warm, files: dict[str, bytes]) -> dict[str, Any]:
    for name, content in files.items():
        path = root / "submission" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    run_autograder(root, warm)
    return json.loads((root / "results" / "results.json").read_text())


WITHOUT_SCORE = {
    "a function of another name": (
        {"hw/mine.py": b"def my_backward(dout):\n    return dout\n"},
        ["You handed in: hw/mine.py.", "There is Python in it, and none of the functions that are asked for:"],
    ),
    "a broken archive": ({"hw.zip": b"PK\3\4 no"}, ["You handed in: hw.zip.", "hw.zip could not be read: "]),
    "a name that is long and odd": ({"\u202e" + "x" * 120 + ".txt": b""}, ["You handed in: ", "That is no Python"]),
}


@pytest.mark.parametrize("kind", WITHOUT_SCORE)
def test_a_hand_in_without_anything_to_grade_is_described_and_has_no_points(kind, root, warm):
    files, starts = WITHOUT_SCORE[kind]

    result = _grade(root, warm, files)

    lines = result["output"].splitlines()
    assert (result["score"], result["tests"], len(lines)) == (0.0, [], 4)
    assert lines[0].startswith("Nothing in your hand-in could be graded")
    assert all(line.startswith(start) for line, start in zip(lines[1:], starts, strict=False))
    assert lines[3] == "Hand in linear.py, with linear_backward."
    assert "\u202e" not in result["output"]


WITH_SCORE = {
    "a zip with a folder in it": {"work.zip": _zip("work/linear.py", RIGHT)},
    "a notebook": {
        "hw.ipynb": json.dumps({"cells": [{"cell_type": "code", "source": RIGHT.decode(), "outputs": []}]}).encode()
    },
    "a file of another name": {"Untitled (1).py": RIGHT},
    "a folder": {"a/b/linear.py": RIGHT, "a/b/notes.txt": b"", "__MACOSX/a/._linear.py": b"\0"},
}


@pytest.mark.parametrize("kind", WITH_SCORE)
def test_a_right_hand_in_has_all_points_however_it_comes(kind, root, warm):
    assert _grade(root, warm, WITH_SCORE[kind])["score"] == 5.0


def test_a_syntax_error_is_told_with_its_line(root, warm):
    result = _grade(root, warm, {"linear.py": b"def linear_backward(dout, x, W)\n    return dout\n"})

    assert result["tests"][0]["output"].splitlines() == [
        "could not be read: linear.py line 1: SyntaxError: expected ':'",
    ]


def test_a_wrong_gradient_is_told_with_its_numbers_and_reason(root, warm):
    source = b"def linear_backward(dout, x, W):\n    return dout @ W.T, -x.T @ dout, dout.sum(1)\n"

    result = _grade(root, warm, {"linear.py": source})

    said = result["tests"][0]["output"].splitlines()
    assert [line.split(":")[0] for line in said if not line.startswith(" ")][:3] == ["dx", "dW", "db"]
    assert said[1].startswith("dW: wrong values: ")
    assert said[2].startswith("    yours at [")
    assert said[3].startswith("db: wrong shape: ")
    assert "yours has shape (" in said[4]


def test_a_fault_of_the_grader_leaves_no_result_and_so_no_zero(root, warm):
    rubric = root / "source" / "course" / "assignments" / "linear" / "rubric.yaml"
    rubric.write_text(rubric.read_text().replace("title", "titel"))

    with pytest.raises(CourseError, match="the key 'title' is missing"):
        _grade(root, warm, {"linear.py": RIGHT})

    assert not (root / "results").exists()
