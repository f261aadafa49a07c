"""What a batch gives back to students: no seed, and of hidden cases nothing but how many failed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from forked import grade

from grader.batch.export import export

ROOT = Path(__file__).resolve().parents[2]
SEED = 987654321
LAST = "      - {name: one output, N: 6, D: 2, M: 1}\n"
SECRET = "      - {name: zebra, N: 7, D: 3, M: 4, hidden: true}\n"
SOURCE = """
def linear_backward(dout, x, W):
    dx = dout @ W.T
    if len(x) == 7:
        dx = 3 * dx  # zebra
        print("LEAK", x)
    return dx, x.T @ dout, dout.sum(0)
"""


@pytest.fixture(scope="module")
def batch(tmp_path_factory, small_course_folder) -> Path:
    """The results of a class of one, in a course with a hidden case; beside it are the course and the class."""
    root = tmp_path_factory.mktemp("secrets")
    shutil.copytree(small_course_folder, root / "course")
    rubric = root / "course" / "assignments" / "linear" / "rubric.yaml"
    rubric.write_text(rubric.read_text().replace(LAST, LAST + SECRET))
    (root / "class" / "ada").mkdir(parents=True)
    (root / "class" / "ada" / "linear.py").write_text(SOURCE)
    done = grade("batch", root / "class", "--out", root / "out", "--course", root / "course", "--seed", SEED)
    assert done.returncode == 0, done.stderr
    return root / "out"


def test_neither_a_report_nor_the_class_report_prints_the_seed(batch):
    pages = [(batch / "reports" / "ada.html").read_text(), (batch / "index.html").read_text()]

    assert json.loads((batch / "batch.json").read_text())["seed"] == SEED
    assert json.loads((batch / "results" / "ada.json").read_text())["seed"] == SEED
    assert not any(str(SEED) in page or "seed" in page.lower() for page in pages)
    assert "grade case linear_backward" in pages[0] or "To grade at home" in pages[0]


def test_pages_say_how_many_hidden_cases_failed_and_nothing_else_of_them(batch):
    pages = [(batch / "reports" / "ada.html").read_text(), (batch / "index.html").read_text()]

    assert "1 hidden case failed, which costs 1.5 points." in pages[0]
    for secret in ("zebra", "LEAK", "(7, 3)", "3 * dx"):
        assert not any(secret in page for page in pages), secret


def test_gradescope_shows_hidden_cases_to_instructors_only(batch):
    export(batch, "gradescope")

    result = json.loads((batch / "export" / "gradescope" / "ada" / "results.json").read_text())
    shown = [test for test in result["tests"] if test["visibility"] == "visible"]
    (hidden,) = [test for test in result["tests"] if test["visibility"] == "hidden"]
    assert shown[0]["output"].splitlines()[-1] == "1 hidden case failed, which costs 1.5 points."
    assert sum(test["score"] for test in shown) == result["score"] == 3.5
    assert "score" not in hidden  # a hidden test with points would hide the total, too
    assert "dx: wrong values (hidden case)" in hidden["output"]
    assert "execution_time" not in result
    assert not any("dx: wrong" in json.dumps(test) for test in shown)


def test_another_seed_is_one_option(batch, tmp_path):
    root = batch.parent
    batch = shutil.copytree(batch, tmp_path / "out")

    done = grade("batch", root / "class", "--out", batch, "--course", root / "course", "--new-seed")

    assert done.returncode == 0, done.stderr
    assert "(1 graded now)" in done.stdout
    assert json.loads((batch / "batch.json").read_text())["seed"] != SEED
    refused = grade("batch", root / "class", "--out", batch, "--new-seed", "--seed", "1")
    assert refused.returncode == 2
    assert refused.stderr == (
        "grade: --new-seed goes with neither --seed nor --shard: parts of one batch need the same seed\n"
    )
