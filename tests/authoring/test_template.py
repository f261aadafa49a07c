"""The template that students start from: what is taken out, what stays, and what a slip in the markers is told."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.authoring.template import find_blocks, make_template, start_work, template_name, write_templates
from grader.course import load_course
from grader.errors import CourseError, UsageError

ROOT = Path(__file__).resolve().parents[2]
SOLUTIONS = sorted((ROOT / "solutions").glob("*.py"))

SEVERAL = '''\
"""Two functions."""


def first_backward(dout, x, W):
    """Find dx and dW."""
    n = len(x)  # kept: it stands before the block
    # BEGIN SOLUTION
    scale = 2  # (a remark)
    dx, dW = dout @ W.T, x.T @ dout  # (N, D), (D, M)
    dx = dx * scale  # (once more)
    dW = 1 * dW
    # END SOLUTION
    return dx, dW


def second_backward(dout):
    """Find dh."""
    # BEGIN SOLUTION
    dh = 2 * dout
    return dh
    # END SOLUTION


def third_backward(dout):
    """Find db."""
    # BEGIN SOLUTION
    db = dout.sum(0)  # (M,)
    # END SOLUTION
    return {"db": db}
'''
TEMPLATE = '''\
"""Two functions."""

# ruff: noqa: F401, F841, RUF059, RUF100


def first_backward(dout, x, W):
    """Find dx and dW."""
    n = len(x)  # kept: it stands before the block
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (N, D)
    dW = None  # (D, M)
    return dx, dW


def second_backward(dout):
    """Find dh."""
    raise NotImplementedError("second_backward is not written yet")


def third_backward(dout):
    """Find db."""
    db = None  # (M,)
    return {"db": db}
'''

# A solution with a slip in it, and what is said of it.
SLIPS = {
    "no end": ("def f(x):\n    # BEGIN SOLUTION\n    return x\n", ":2: # BEGIN SOLUTION without # END SOLUTION"),
    "no beginning": ("def f(x):\n    return x\n    # END SOLUTION\n", ":3: # END SOLUTION without # BEGIN SOLUTION"),
    "a block in a block": (
        "def f(x):\n    # BEGIN SOLUTION\n    a = x\n    # BEGIN SOLUTION\n    # END SOLUTION\n    # END SOLUTION\n",
        ":4: # BEGIN SOLUTION inside the block that begins on line 2",
    ),
    "two ends": (
        "def f(x):\n    # BEGIN SOLUTION\n    return x\n    # END SOLUTION\n    # END SOLUTION\n",
        ":5: # END SOLUTION without # BEGIN SOLUTION",
    ),
    "a gradient without a shape": (
        "def f(x):\n    # BEGIN SOLUTION\n    dx = x  # as it is\n    # END SOLUTION\n    return dx\n",
        ":2: the block has no line `dx = ...  # (shape)`, which the template needs",
    ),
    "a shape for one of two": (
        "def f(x):\n    # BEGIN SOLUTION\n    dx, dW = g(x)  # (N, D)\n    # END SOLUTION\n    return dx, dW\n",
        ":2: the block has no line `dx = ...  # (shape)`, which the template needs",
    ),
    "a gradient that is not in the block": (
        "def f(x):\n    # BEGIN SOLUTION\n    dx = x  # (N,)\n    # END SOLUTION\n    return dx, dW\n",
        ":2: the block has no line `dW = ...  # (shape)`, which the template needs",
    ),
    "a block before any function": (
        "# BEGIN SOLUTION\nk = 3\n# END SOLUTION\n\n\ndef f(x):\n    return x\n",
        ":1: the block stands in no function",
    ),
    "a block behind a function": (
        "def f(x):\n    return x\n\n\n# BEGIN SOLUTION\nk = 3\n# END SOLUTION\n",
        ":5: the block stands in no function",
    ),
    "a slip in the Python": ("def f(x:\n    pass\n", ":1: not Python: '(' was never closed"),
    "another encoding": ("# caf\xe9\n".encode("latin-1"), ": not UTF-8"),
}


@pytest.fixture
def solution(tmp_path: Path) -> Path:
    return tmp_path / "two.py"


def test_a_block_becomes_its_stub_and_the_rest_stays(solution):
    solution.write_text(SEVERAL)

    assert make_template(solution) == TEMPLATE


def test_a_template_is_python(solution):
    solution.write_text(SEVERAL)

    ast.parse(make_template(solution))


def test_a_solution_without_blocks_is_its_own_template(solution):
    solution.write_text("def f(x):\n    return x\n")

    assert make_template(solution) == "def f(x):\n    return x\n"


def test_the_lines_of_windows_and_a_missing_last_one_make_the_same_template(solution):
    solution.write_bytes(SEVERAL.rstrip("\n").replace("\n", "\r\n").encode())

    assert make_template(solution) == TEMPLATE


def test_a_block_is_found_by_its_lines_with_its_place(solution):
    solution.write_text(SEVERAL)

    blocks = find_blocks(solution)

    assert [(block.line, block.indent, len(block.lines)) for block in blocks] == [
        (7, "    ", 4),
        (18, "    ", 2),
        (26, "    ", 1),
    ]
    assert blocks[1].lines == ("    dh = 2 * dout", "    return dh")


@pytest.mark.parametrize(("source", "said"), SLIPS.values(), ids=SLIPS)
def test_each_slip_is_told_with_its_line(solution, source, said):
    solution.write_bytes(source if isinstance(source, bytes) else source.encode())

    with pytest.raises(CourseError) as caught:
        make_template(solution)

    assert caught.value.problems == (f"{solution}{said}",)


def test_a_missing_solution_is_said(solution):
    with pytest.raises(CourseError) as caught:
        make_template(solution)

    assert str(caught.value) == f"{solution}: the solution is not there"


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_the_shipped_template_is_what_its_solution_gives(path):
    assert (ROOT / "student_template" / template_name(path)).read_text(encoding="utf-8") == make_template(path)


def test_every_shipped_template_has_its_solution():
    made = {template_name(path) for path in SOLUTIONS}
    assert {path.name for path in (ROOT / "student_template").iterdir()} == {*made, "backprop.ipynb"}


@pytest.fixture
def small_course(small_course_folder, tmp_path):
    """A copy of the small course that may be changed."""
    return load_course(shutil.copytree(small_course_folder, tmp_path / "course"))


def test_writing_the_templates_removes_those_of_no_assignment(small_course):
    folder = small_course.folder / "student_template"
    (folder / "old.py").write_text("")
    (folder / "notes.txt").write_text("")

    written = write_templates(small_course)

    names = ["linear.py", "dropout.py", "backprop.ipynb"]
    assert written == [folder / name for name in names]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names, "notes.txt"])


def test_one_broken_solution_leaves_every_template_as_it_was(small_course):
    folder = small_course.folder
    before = (folder / "student_template" / "linear.py").read_text()
    (folder / "solutions" / "linear.py").write_text("x = 1\n")
    (folder / "solutions" / "dropout.py").write_text("# BEGIN SOLUTION\n")

    with pytest.raises(CourseError):
        write_templates(small_course)

    assert (folder / "student_template" / "linear.py").read_text() == before


def test_work_starts_with_a_template_and_a_text_for_each_assignment(small_course, tmp_path):
    written, kept = start_work(small_course, tmp_path / "a" / "b")

    files = ["backprop.ipynb", "dropout.md", "dropout.py", "linear.md", "linear.py"]
    assert sorted(path.name for path in written) == files
    assert kept == []
    template = (small_course.folder / "student_template" / "linear.py").read_text()
    assert (tmp_path / "a" / "b" / "linear.py").read_text() == template


def test_work_that_is_there_is_kept(small_course, tmp_path):
    (tmp_path / "linear.py").write_text("mine")

    written, kept = start_work(small_course, tmp_path)

    assert kept == [tmp_path / "linear.py"]
    assert len(written) == 4
    assert (tmp_path / "linear.py").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_said(small_course, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match=r"file/work could not be written: Not a directory; choose another folder$"):
        start_work(small_course, tmp_path / "file" / "work")


def test_a_course_without_a_template_is_said(small_course, tmp_path):
    (small_course.folder / "student_template" / "linear.py").unlink()

    with pytest.raises(CourseError) as caught:
        start_work(small_course, tmp_path / "work")

    path = small_course.folder / "student_template" / "linear.py"
    assert str(caught.value) == f"{path}: the file is not there; `grade template` writes the templates"
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("arguments", [["check"], ["format", "--check"]], ids=["check", "format"])
def test_what_students_start_from_passes_a_linter_and_keeps_its_form(arguments: list[str]):
    ruff = shutil.which("ruff", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if ruff is None:
        pytest.skip("ruff is not installed")

    finished = subprocess.run(
        [ruff, *arguments, "--isolated", "--no-cache", ROOT / "student_template"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout
