"""The command line as people use it: the real command, real folders, exit codes and what is said."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader import grade
from grader.errors import UsageError

ROOT = Path(__file__).resolve().parents[1]
RIGHT = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with a right linear.py, in a path with a space and an accent."""
    folder = tmp_path / "devoirs été"
    folder.mkdir()
    (folder / "linear.py").write_text(RIGHT)
    return folder


def test_full_marks_exit_with_0(run_grade, work: Path):
    finished = run_grade("--only", "linear", cwd=work)

    assert finished.returncode == 0, finished.stderr
    assert "Total 5 of 5 points" in finished.stdout


def test_less_than_full_marks_exits_with_1(run_grade, work: Path):
    finished = run_grade(cwd=work)

    assert finished.returncode == 1
    assert "not begun: dropout_backward, tanh_dropout_backward would be in dropout.py" in finished.stdout


def test_the_report_is_written_into_the_graded_folder(run_grade, work: Path):
    finished = run_grade(work, "--only", "linear")

    assert (work / "grade-report.html").read_text().startswith("<!doctype html>")
    assert str(work / "grade-report.html") in finished.stdout


def test_the_report_of_a_file_is_written_beside_it(run_grade, work: Path):
    run_grade(work / "linear.py")

    assert (work / "grade-report.html").is_file()


def test_a_folder_that_cannot_be_written_sends_the_report_to_the_current_one(run_grade, work: Path, tmp_path: Path):
    # A folder in the report's place cannot be written by anybody, root included.
    (work / "grade-report.html").mkdir()

    finished = run_grade(work, "--only", "linear", cwd=tmp_path)

    assert finished.returncode == 0
    assert (tmp_path / "grade-report.html").is_file()


def test_a_single_file_counts_only_the_assignment_it_is_about(run_grade, work: Path, tmp_path: Path):
    finished = run_grade(work / "linear.py", "--json", tmp_path / "out.json")

    content = json.loads((tmp_path / "out.json").read_text())
    scores = {part["name"]: (part["score"], part["max_score"]) for part in content["assignments"]}
    assert finished.returncode == 0
    assert (content["score"], content["max_score"]) == (5, 5)
    assert scores.pop("linear") == (5, 5)
    assert set(scores.values()) == {(None, None)}


def test_only_takes_a_function_as_well(run_grade, work: Path):
    finished = run_grade("--only", "linear_backward", "--only", "dropout_backward", cwd=work)

    assert "linear_backward  5/5" in finished.stdout
    assert "tanh_dropout_backward" not in finished.stdout


def test_verbose_prints_the_lessons_table(run_grade, work: Path):
    finished = run_grade("--only", "linear", "--verbose", cwd=work)

    assert "dW | exact: True  | approx: True  | maxdiff: 0" in finished.stdout


def test_output_in_a_pipe_has_no_colour(run_grade, work: Path):
    assert "\x1b" not in run_grade(cwd=work).stdout


def test_another_seed_grades_with_other_data(run_grade, work: Path):
    (work / "linear.py").write_text(RIGHT.replace("dout.sum(0)", "(dout.sum(0), print(dout[0, 0].item()))[0]"))

    printed = [run_grade("--only", "linear", "--seed", seed, cwd=work).stdout for seed in (1, 1, 2)]

    assert printed[0] == printed[1] != printed[2]


def test_python_grades_like_the_command(work: Path):
    report = grade(work, only="linear", seed=3)

    assert (report.score, report.seed) == (5, 3)


def test_python_raises_what_the_command_says():
    with pytest.raises(UsageError, match="is not there"):
        grade("no/such/folder")


MISUSES = {
    "a path that is not there": (["nowhere"], "nowhere is not there; give the folder or the file with your functions"),
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


def test_a_report_that_cannot_be_written_is_said(run_grade, work: Path):
    finished = run_grade("--only", "linear", "--report", "nowhere/report.html", cwd=work)

    assert finished.returncode == 2
    assert "nowhere/report.html could not be written" in finished.stderr


def test_a_broken_course_is_reported_all_at_once(run_grade, work: Path, small_course_folder: Path, tmp_path: Path):
    course = shutil.copytree(small_course_folder, tmp_path / "broken")
    rubric = course / "assignments" / "linear" / "rubric.yaml"
    rubric.write_text(rubric.read_text().replace("points: 1.5", "pionts: 1.5").replace("forward: linear", "forward: 3"))

    finished = run_grade("--course", course, cwd=work)

    assert finished.returncode == 2
    assert f"{rubric}:5:14: forward must be text, not 3; put it in quotes" in finished.stderr
    assert finished.stderr.count("unknown key 'pionts'; did you mean 'points'?") == 2


def test_a_course_without_assignments_is_said(run_grade, work: Path, tmp_path: Path):
    (tmp_path / "bare" / "assignments").mkdir(parents=True)
    (tmp_path / "bare" / "assignments" / "course.yaml").write_text("format: 1\ntitle: Bare\nassignments: []\n")

    finished = run_grade("--course", tmp_path / "bare", cwd=work)

    assert finished.returncode == 2
    assert "course.yaml:3:14: assignments must not be empty" in finished.stderr


def test_start_writes_a_file_and_a_text_for_each_assignment(run_grade, tmp_path: Path):
    finished = run_grade("start", "mon travail")

    assert finished.returncode == 0
    assert (tmp_path / "mon travail" / "linear.py").read_text() == (ROOT / "student_template" / "linear.py").read_text()
    assert (tmp_path / "mon travail" / "linear.md").is_file()


def test_start_overwrites_nothing(run_grade, work: Path):
    finished = run_grade("start", work)

    assert finished.returncode == 0
    assert (work / "linear.py").read_text() == RIGHT
    assert "kept as they were: linear.py" in finished.stdout


def test_a_fresh_start_scores_nothing_and_is_not_written(run_grade, tmp_path: Path):
    run_grade("start", "work")

    finished = run_grade(cwd=tmp_path / "work")

    assert finished.returncode == 1
    assert "linear_backward  0/5  not written yet" in finished.stdout
    assert "Total 0 of" in finished.stdout


def test_template_writes_what_is_checked_in(run_grade, small_course_folder: Path, tmp_path: Path):
    course = shutil.copytree(small_course_folder, tmp_path / "copy")
    shutil.rmtree(course / "student_template")

    finished = run_grade("template", "--course", course)

    assert finished.returncode == 0
    for name in ("linear.py", "dropout.py"):
        assert (course / "student_template" / name).read_text() == (ROOT / "student_template" / name).read_text()


def test_check_holds_for_the_small_course(run_grade, small_course_folder: Path):
    finished = run_grade("check", "--course", small_course_folder)

    assert finished.returncode == 0, finished.stdout
    assert finished.stdout.endswith("All hold.\n")


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
    assert not Path(f"/proc/{found[0]}").exists()
