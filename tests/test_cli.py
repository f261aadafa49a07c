"""The command line as people use it: the command, real folders, exit codes and what is said."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader import grade
from grader.errors import UsageError

ROOT = Path(__file__).resolve().parents[1]
RIGHT = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"


def make_work(parent: Path) -> Path:
    """Return a folder with a right linear.py, in a path with a space and an accent."""
    folder = parent / "devoirs été"
    folder.mkdir()
    (folder / "linear.py").write_text(RIGHT)
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return make_work(tmp_path)


@dataclass(frozen=True)
class Graded:
    """A folder that was graded, and the finished command that did it."""

    work: Path
    finished: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def right(start_grade_in, tmp_path_factory) -> Graded:
    """All that was asked for is right."""
    folder = tmp_path_factory.mktemp("right")
    work = make_work(folder)
    return Graded(work, start_grade_in(folder, work, "--only", "linear", "--verbose"))


@pytest.fixture(scope="module")
def begun(start_grade_in, tmp_path_factory) -> Graded:
    """One assignment of all is done."""
    work = make_work(tmp_path_factory.mktemp("begun"))
    return Graded(work, start_grade_in(work))


@pytest.fixture(scope="module")
def single(run_grade_in, tmp_path_factory) -> Graded:
    """A file is graded from elsewhere, also into JSON."""
    folder = tmp_path_factory.mktemp("single")
    work = make_work(folder)
    return Graded(work, run_grade_in(folder, work / "linear.py", "--json", work / "out.json"))


def test_full_marks_exit_with_0(right: Graded):
    assert right.finished.returncode == 0, right.finished.stderr
    assert "Total 5 of 5 points" in right.finished.stdout


def test_less_than_full_marks_exits_with_1(begun: Graded):
    assert begun.finished.returncode == 1
    assert "not begun: add_backward, broadcast_add_backward, " in begun.finished.stdout
    assert "not begun: softmax_cross_entropy (15), batchnorm (20), embedding (5), " in begun.finished.stdout


def test_the_report_is_written_into_the_graded_folder(right: Graded):
    assert (right.work / "grade-report.html").read_text().startswith("<!doctype html>")
    assert str(right.work / "grade-report.html") in right.finished.stdout


@pytest.mark.slow
def test_the_report_of_a_file_is_written_beside_it(single: Graded):
    assert (single.work / "grade-report.html").is_file()


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_sends_the_report_to_the_current_one(run_grade, work: Path, tmp_path: Path):
    # A folder in the report's place cannot be written by anybody, root included.
    (work / "grade-report.html").mkdir()

    finished = run_grade(work, "--only", "linear", cwd=tmp_path)

    assert finished.returncode == 0
    assert (tmp_path / "grade-report.html").is_file()


@pytest.mark.slow
def test_a_single_file_counts_only_the_assignment_it_is_about(single: Graded):
    content = json.loads((single.work / "out.json").read_text())
    scores = {part["name"]: (part["score"], part["max_score"]) for part in content["assignments"]}
    assert single.finished.returncode == 0
    assert (content["score"], content["max_score"]) == (5, 5)
    assert scores.pop("linear") == (5, 5)
    assert set(scores.values()) == {(None, None)}


@pytest.mark.slow
def test_only_takes_a_function_as_well(run_grade, work: Path):
    finished = run_grade("--only", "linear_backward", "--only", "dropout_backward", cwd=work)

    assert "linear · A linear layer · 5/5" in finished.stdout
    assert "dropout_backward would be" in finished.stdout
    assert "tanh_dropout_backward" not in finished.stdout


def test_verbose_prints_the_lessons_table(right: Graded):
    assert "dW | exact: True  | approx: True  | maxdiff: 0" in right.finished.stdout


def test_output_in_a_pipe_has_no_colour(begun: Graded):
    assert "\x1b" not in begun.finished.stdout


@pytest.mark.slow
def test_another_seed_grades_with_other_data(run_grade, work: Path):
    (work / "linear.py").write_text(RIGHT.replace("dout.sum(0)", "(dout.sum(0), print(dout[0, 0].item()))[0]"))

    printed = [run_grade("--only", "linear", "--seed", seed, "--no-history", cwd=work).stdout for seed in (1, 1, 2)]

    assert printed[0] == printed[1] != printed[2]


def test_python_grades_like_the_command(work: Path):
    report = grade(work, only="linear", seed=3)

    assert (report.score, report.seed) == (5, 3)


def test_python_raises_what_the_command_says():
    with pytest.raises(UsageError, match="is not there"):
        grade("no/such/folder")


def test_from_python_a_path_that_is_not_there_is_said_before_torch_is_loaded():
    code = (
        "import sys\nfrom grader import GraderError, grade\n"
        "try:\n    grade('nope')\nexcept GraderError as error:\n    print(error, 'torch' in sys.modules)"
    )

    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert finished.stdout == "nope is not there; give the folder or the file with your functions False\n"


def test_the_help_fits_a_screen_and_begins_with_what_a_student_does(start_grade_in, tmp_path: Path):
    lines = start_grade_in(tmp_path, "--help").stdout.splitlines()

    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[2] == "You write backward passes:"
    assert [line for line in lines if line.startswith("You")] == [lines[2], "You teach:", "You write a course:"]
    assert lines[-1] == "All options: `grade . --help`; those of a command: `grade COMMAND --help`."


@pytest.mark.slow
def test_hints_and_what_changed_are_remembered_in_the_folder(run_grade, work: Path):
    (work / "linear.py").write_text(RIGHT.replace("dout.sum(0)", "dout.sum(1)"))
    run_grade("--only", "linear", cwd=work)
    hints = [run_grade("hint", "db", cwd=work).stdout.splitlines()[0] for _ in range(2)]
    (work / "linear.py").write_text(RIGHT)

    graded = run_grade("--only", "linear", cwd=work)

    assert hints == ["db of linear_backward · hint 1 of 5", "db of linear_backward · hint 2 of 5"]
    assert "Since the last run: +1 gradient right.\n" in graded.stdout


@pytest.mark.slow
def test_the_graph_is_drawn_and_nothing_is_written(run_grade, work: Path):
    drawn = run_grade("--graph", "linear_backward", cwd=work)
    unknown = run_grade("--graph", "linear", cwd=work)

    assert drawn.returncode == 0
    assert drawn.stdout.splitlines()[0].endswith("the output")
    assert [path.name for path in work.iterdir()] == ["linear.py"]
    assert "linear is an assignment; its function is linear_backward: `grade --graph linear_backward`" in unknown.stderr


@pytest.mark.slow
def test_a_notebook_that_is_too_large_is_told_that_first(run_grade, tmp_path: Path):
    (tmp_path / "hw.ipynb").write_text('{"cells": [], "x": "' + "x" * 16_000_001 + '"}')
    (tmp_path / "notes.py").write_text("x = 1\n")

    finished = run_grade()

    assert finished.returncode == 2
    assert finished.stderr.startswith(
        "grade: hw.ipynb could not be read: larger than 16 MB; clear the outputs of all its cells and save it; "
        "no function of the course is defined in "
    )


MISUSES = {
    "a path that is not there": (["nowhere"], "nowhere is not there; give the folder or the file with your functions"),
    "an assignment in place of a path": (["linear"], "it is an assignment of the course: `grade --only linear`"),
    "two paths": (
        ["empty", "other"],
        "one file or one folder is graded, and here are empty, other; give the folder that holds them",
    ),
    "an unknown --only": (
        ["--only", "linaer"],
        "--only linaer: the course has no assignment or function of that name; did you mean linear?",
    ),
    "a file that is not Python": (["notes.txt"], "notes.txt is not a Python file"),
    "a folder without Python": (["empty"], "empty holds no Python file; `grade start` makes a folder"),
    "a folder without a known function": (
        ["other"],
        "no function of the course is defined in other (looked for add_backward",
    ),
    "a folder that is no course": ([".", "--course", "empty"], "empty is not a course"),
    "an unknown option": (["--colour"], "No such option"),
    "a seed that is no number": (["--seed", "x"], "'x' is not a valid int"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "said"), MISUSES.values(), ids=MISUSES)
def test_what_cannot_be_graded_exits_with_2_and_says_why(arguments: list[str], said: str, run_grade, work: Path):
    (work / "notes.txt").write_text("x")
    (work / "empty").mkdir()
    (work / "other").mkdir()
    (work / "other" / "scratch.py").write_text("print('hello')\n")

    finished = run_grade(*arguments, cwd=work)

    assert finished.returncode == 2
    assert said in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.slow
def test_a_report_that_cannot_be_written_is_said(run_grade, work: Path):
    finished = run_grade("--only", "linear", "--report", "nowhere/report.html", cwd=work)

    assert finished.returncode == 2
    assert "nowhere/report.html could not be written" in finished.stderr
    assert "name another place with --report FILE" in finished.stderr
    assert "Total 5 of 5 points" in finished.stdout


@pytest.mark.slow
def test_a_broken_course_is_reported_all_at_once(run_grade, work: Path, small_course_folder: Path, tmp_path: Path):
    course = shutil.copytree(small_course_folder, tmp_path / "broken")
    rubric = course / "assignments" / "linear" / "rubric.yaml"
    rubric.write_text(rubric.read_text().replace("points: 1.5", "pionts: 1.5").replace("forward: linear", "forward: 3"))

    finished = run_grade("--course", course, cwd=work)

    assert finished.returncode == 2
    assert f"{rubric}:5:14: forward must be text, not 3; put it in quotes" in finished.stderr
    assert finished.stderr.count("unknown key 'pionts'; did you mean 'points'?") == 2


@pytest.mark.slow
def test_a_course_without_assignments_is_said(run_grade, work: Path, tmp_path: Path):
    (tmp_path / "bare" / "assignments").mkdir(parents=True)
    (tmp_path / "bare" / "assignments" / "course.yaml").write_text("format: 1\ntitle: Bare\nassignments: []\n")

    finished = run_grade("--course", tmp_path / "bare", cwd=work)

    assert finished.returncode == 2
    assert "course.yaml:3:14: assignments must not be empty" in finished.stderr


def test_start_writes_a_file_and_a_text_for_each_assignment(start_grade_in, tmp_path: Path):
    finished = start_grade_in(tmp_path, "start", "mon travail")

    assert finished.returncode == 0
    assert (tmp_path / "mon travail" / "linear.py").read_text() == (ROOT / "student_template" / "linear.py").read_text()
    assert (tmp_path / "mon travail" / "linear.md").is_file()
    assert finished.stdout.split("What to do next:\n")[1].startswith(
        "1. Go there: cd 'mon travail'\n"
        "2. Read primitives.md, and write the functions in primitives.py (or in backprop.ipynb, not in both).\n"
        "3. Grade it: grade --only primitives (with --watch, again on every save)\n"
        "4. Go on in this order: softmax_cross_entropy, linear, "
    )


def test_start_overwrites_nothing(run_grade, work: Path):
    finished = run_grade("start", work)

    assert finished.returncode == 0
    assert (work / "linear.py").read_text() == RIGHT
    assert "kept as they were: linear.py" in finished.stdout


@pytest.mark.slow
def test_a_fresh_start_scores_nothing_and_is_not_written(run_grade, tmp_path: Path):
    run_grade("start", "work")

    finished = run_grade(cwd=tmp_path / "work")

    assert finished.returncode == 1
    assert "not written yet: add_backward, broadcast_add_backward, " in finished.stdout
    assert "Total 0 of" in finished.stdout


@pytest.mark.slow
def test_template_writes_what_is_checked_in(run_grade, small_course_folder: Path, tmp_path: Path):
    course = shutil.copytree(small_course_folder, tmp_path / "copy")
    shutil.rmtree(course / "student_template")

    finished = run_grade("template", "--course", course)

    assert finished.returncode == 0
    for name in ("linear.py", "dropout.py"):
        assert (course / "student_template" / name).read_text() == (ROOT / "student_template" / name).read_text()


@pytest.mark.slow
def test_check_holds_for_the_small_course(run_grade, small_course_folder: Path):
    finished = run_grade("check", "--course", small_course_folder)

    assert finished.returncode == 0, finished.stdout
    assert finished.stdout.endswith("All hold.\n")


@pytest.mark.slow
@pytest.mark.usefixtures("ctrl_c")
def test_interrupting_leaves_nothing_running(work: Path):
    (work / "linear.py").write_text("while True:\n    pass\n")
    command = [sys.executable, "-m", "grader", "--only", "linear"]
    started = subprocess.Popen(command, cwd=work, stderr=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)})
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children")
    if not children.exists():
        started.kill()
        pytest.skip("this system does not list the children of a process")
    while not (found := children.read_text().split()):
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)

    said = started.communicate(timeout=60)[1].strip()

    assert (started.returncode, said) == (2, "grade: stopped")
    deadline = time.monotonic() + 10
    while (left := Path(f"/proc/{found[0]}").exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left
