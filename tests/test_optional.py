"""Optional assignments: points of their own, which count only where they were asked for or nothing else is there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.authoring.template import start_work, write_templates
from grader.course import load_course
from grader.errors import CourseError
from grader.grading import Grader
from grader.report.json import report_as_json
from grader.results import Report
from grader.sandbox.warm import Warm
from grader.submission import Submission

LINEAR = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
DROPOUT = """
def dropout_backward(dout, mask, p):
    return dout * mask / (1 - p)

def tanh_dropout_backward(dout, h, mask, p):
    return dout * mask / (1 - p) * (1 - h**2)
"""
UNWRITTEN = "def dropout_backward(dout, mask, p):\n    raise NotImplementedError\n"
WRONG = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0) * 2\n"

GradeFiles = Callable[..., Report]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, small_course_folder: Path) -> Path:
    """Give a course in which `dropout` is optional."""
    folder = tmp_path_factory.mktemp("optional") / "course"
    shutil.copytree(small_course_folder, folder)
    path = folder / "assignments" / "course.yaml"
    text = path.read_text().replace("[linear, dropout]", "[linear, {name: dropout, optional: true}]")
    path.write_text(text)
    return folder


@pytest.fixture(scope="module")
def grade_files(folder: Path, warm: Warm) -> GradeFiles:
    """Grade texts that were handed in as files of a folder, or as one file."""
    course = load_course(folder)

    def grade_files(
        files: dict[str, str], only: tuple[str, ...] = (), *, single: bool = False, is_class: bool = False
    ) -> Report:
        sources = {name: text.encode() for name, text in files.items()}
        return Grader(course, 0, only, is_class=is_class).grade(Submission("student", sources, {}, single), warm)

    return grade_files


def _scores(report: Report) -> list[tuple[float | None, float | None]]:
    return [(each.score, each.max_score) for each in report.assignments]


def test_one_that_was_handed_in_has_points_beside_the_total(grade_files: GradeFiles) -> None:
    report = grade_files({"linear.py": WRONG, "dropout.py": DROPOUT})
    assert (report.score, report.max_score) == (3.5, 5.0)
    assert report.assignments[1].score == report.assignments[1].max_score
    assert [each["optional"] for each in report_as_json(report)["assignments"]] == [False, True]


@pytest.mark.parametrize("files", [{"linear.py": LINEAR}, {"linear.py": LINEAR, "dropout.py": UNWRITTEN}])
def test_one_that_was_not_handed_in_is_not_graded(files: dict[str, str], grade_files: GradeFiles) -> None:
    report = grade_files(files)
    assert _scores(report) == [(5.0, 5.0), (None, None)]
    assert report.assignments[1].exercises == ()
    assert report.is_full_marks


def test_one_that_only_names_counts(grade_files: GradeFiles) -> None:
    report = grade_files({"linear.py": WRONG, "dropout.py": DROPOUT}, ("dropout",))
    assert report.score == report.max_score == report.assignments[1].max_score


@pytest.mark.parametrize("single", [True, False])
def test_alone_it_is_all_that_counts(single: bool, grade_files: GradeFiles) -> None:
    report = grade_files({"dropout.py": DROPOUT}, single=single)
    assert report.score == report.max_score == report.assignments[1].max_score
    assert _scores(report)[0] == (None, None)


def test_in_a_class_the_total_is_one_number(grade_files: GradeFiles) -> None:
    report = grade_files({"dropout.py": DROPOUT}, is_class=True)
    assert (report.score, report.max_score) == (0.0, 5.0)
    assert report.assignments[1].is_selected


def test_an_adjustment_of_one_that_does_not_count_leaves_the_total(grade_files: GradeFiles) -> None:
    from grader.adjustment import Adjustment

    report = grade_files({"linear.py": WRONG, "dropout.py": DROPOUT})
    adjusted = report.adjusted([Adjustment("dropout_backward", 0.5, "late", "me")])
    assert adjusted.assignments[1].score != report.assignments[1].score
    assert adjusted.score == report.score


def test_work_is_started_with_one_only_where_it_is_named(folder: Path, tmp_path: Path) -> None:
    course = load_course(folder)
    write_templates(course)
    written, _ = start_work(course, tmp_path / "plain")
    assert sorted(path.name for path in written) == ["backprop.ipynb", "linear.md", "linear.py"]
    written, _ = start_work(course, tmp_path / "one", ["dropout"])
    assert sorted(path.name for path in written) == ["dropout.md", "dropout.py"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{name: dropout, optional: perhaps}", "optional"),
        ("{name: dropout, optinal: true}", "did you mean 'optional'?"),
        ("{optional: true}", "the key 'name' is missing"),
        ("3", "must be text, not 3"),
    ],
)
def test_an_entry_that_does_not_fit_is_named(entry: str, said: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "assignments").mkdir()
    text = (folder / "assignments" / "course.yaml").read_text()
    path = tmp_path / "assignments" / "course.yaml"
    path.write_text(text.replace("{name: dropout, optional: true}", entry))
    with pytest.raises(CourseError, match=said) as caught:
        load_course(tmp_path)
    assert caught.value.problems[0].startswith(f"{path}:4:")


def test_alone_and_not_written_it_is_said_to_be_there(grade_files: GradeFiles) -> None:
    report = grade_files({"dropout.py": UNWRITTEN}, single=True)
    assert (report.score, report.max_score) == (0.0, 5.0)


def test_an_optional_assignment_is_made_ready_when_it_is_first_handed_in(folder: Path, warm: Warm) -> None:
    grader = Grader(load_course(folder))

    grader.grade(Submission("one", {"linear.py": LINEAR.encode()}, {}), warm)
    assert grader.questionnaires[0].functions == ["linear_backward"]
    with pytest.raises(KeyError):
        grader.prepared("dropout_backward")

    grader.grade(Submission("other", {"linear.py": LINEAR.encode(), "dropout.py": DROPOUT.encode()}, {}), warm)
    assert grader.prepared("dropout_backward").exercise.function == "dropout_backward"
