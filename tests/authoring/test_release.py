"""The archive for students: what is in it, what is not, and that it is a course when it is unpacked."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from grader.authoring.release import pack_release
from grader.authoring.secrecy import check_secrecy
from grader.authoring.template import write_templates
from grader.course import load_course
from grader.errors import CourseError, UsageError
from grader.grading import Grader

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(small_course_folder: Path, tmp_path: Path) -> Path:
    """A course of linear and dropout that a test may change."""
    folder = shutil.copytree(small_course_folder, tmp_path / "course")
    write_templates(load_course(folder))  # which makes the notebook, too
    return folder


def test_the_archive_holds_the_assignments_and_the_template_and_nothing_else(folder, tmp_path):
    (folder / "assignments" / "linear" / "__pycache__").mkdir()
    (folder / "assignments" / "linear" / "__pycache__" / "reference.pyc").write_bytes(b"\0")

    pack_release(load_course(folder), tmp_path / "course.zip")

    own = ("README.md", "reference.py", "rubric.yaml")
    expected = {"README.md", "assignments/course.yaml"}
    expected |= {f"assignments/{name}/{file}" for name in ("linear", "dropout") for file in own}
    expected |= {f"student_template/{name}" for name in ("linear.py", "dropout.py", "backprop.ipynb")}
    with zipfile.ZipFile(tmp_path / "course.zip") as archive:
        names = archive.namelist()
    assert set(names) == expected
    assert names == sorted(names)


def test_the_same_course_gives_the_same_bytes(folder, tmp_path):
    course = load_course(folder)

    pack_release(course, tmp_path / "first.zip")
    (folder / "assignments" / "linear" / "README.md").touch()
    pack_release(course, tmp_path / "second.zip")

    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


@pytest.mark.slow
def test_an_unpacked_release_is_a_course_to_start_from_and_to_grade_with(folder, tmp_path, run_grade):
    packed = run_grade("release", "course.zip", "--course", folder)
    with zipfile.ZipFile(tmp_path / "course.zip") as archive:
        archive.extractall(tmp_path / "got")
    started = run_grade("start", "work", "--course", "got")
    shutil.copyfile(ROOT / "solutions" / "linear.py", tmp_path / "work" / "linear.py")
    graded = run_grade("work", "--course", "got")

    assert (packed.returncode, packed.stderr) == (0, "")
    assert packed.stdout.splitlines()[0] == "11 files packed into course.zip"
    assert (started.returncode, started.stderr) == (0, "")
    assert graded.returncode == 1
    assert "Total 5 of 10 points" in graded.stdout


@pytest.mark.slow
def test_an_archive_that_is_there_is_not_overwritten(folder, tmp_path, run_grade):
    (tmp_path / "course.zip").write_text("mine")

    finished = run_grade("release", "course.zip", "--course", folder)

    assert finished.returncode == 2
    assert finished.stderr == "grade: course.zip is there already; remove it or give another name\n"
    assert (tmp_path / "course.zip").read_text() == "mine"


UNWRITABLE = {
    "no zip": ("course.tar", "course.tar is not the name of an archive; give one that ends in .zip"),
    "no folder": ("nowhere/course.zip", "nowhere/course.zip could not be written: No such file or directory"),
}


@pytest.mark.parametrize(("name", "said"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_a_name_that_cannot_be_written_is_said(folder, tmp_path, monkeypatch, name, said):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError) as caught:
        pack_release(load_course(folder), Path(name))

    assert str(caught.value) == said


def test_a_course_without_solutions_is_not_packed(folder, tmp_path):
    shutil.rmtree(folder / "solutions")

    with pytest.raises(UsageError, match=r"has no solutions/, so nobody can tell what must not be packed"):
        pack_release(load_course(folder), tmp_path / "course.zip")


@pytest.mark.slow
def test_everything_that_must_not_ship_is_said_at_once_and_nothing_is_packed(folder, tmp_path, run_grade):
    linear = folder / "assignments" / "linear"
    (linear / "answers.txt").write_text("")
    (linear / "README.md").write_text("# Linear\n\n    dx = dout @ W.T  # as easy as that\n")
    template = folder / "student_template" / "dropout.py"
    template.write_text(template.read_text() + "\n# changed by hand\n")
    (folder / "student_template" / "old.py").write_text("")

    finished = run_grade("release", "course.zip", "--course", folder)

    lines = len((ROOT / "student_template" / "dropout.py").read_text().splitlines())
    assert finished.returncode == 2
    assert finished.stderr.splitlines() == [
        f"grade: {folder}/student_template/old.py: the template of no assignment; run `grade template`",
        f"{linear}/answers.txt: a stray file; an assignment has README.md, rubric.yaml, reference.py, mistakes.py and "
        "what reference.py reads",
        f"{linear}/README.md:3: a line of the solution of linear: dx = dout @ W.T  # as easy as that",
        f"{template}:{lines + 1}: not what the solution gives; run `grade template`",
        f"{folder}/student_template/backprop.ipynb: not what the templates and texts give; run `grade template`",
    ]
    assert not (tmp_path / "course.zip").exists()


def test_a_stale_notebook_is_not_packed(folder, tmp_path):
    (folder / "student_template" / "backprop.ipynb").write_text("{}")

    with pytest.raises(CourseError, match=r"backprop\.ipynb: not what the templates and texts give"):
        pack_release(load_course(folder), tmp_path / "course.zip")


def test_a_missing_solution_is_said_and_nothing_is_packed(folder, tmp_path):
    (folder / "solutions" / "dropout.py").unlink()

    with pytest.raises(CourseError, match=r"solutions/dropout\.py: the solution is not there"):
        pack_release(load_course(folder), tmp_path / "course.zip")


def test_what_imports_from_an_assignment_that_is_not_packed_is_said(folder, tmp_path):
    reference = folder / "assignments" / "linear" / "reference.py"
    reference.write_text(f"from assignments.mlp.reference import mlp\n{reference.read_text()}")

    said = (
        r"linear/reference\.py: imports assignments\.mlp\.reference, and that is no assignment of the course; it has "
    )
    with pytest.raises(CourseError, match=f"{said}linear, dropout"):
        pack_release(load_course(folder), tmp_path / "course.zip")


def test_a_line_of_a_solution_is_found_inside_a_notebook(folder):
    notebook = folder / "student_template" / "linear.ipynb"
    notebook.write_text('{"source": ["def linear_backward(dout, x, W):\\n    dx = dout @ W.T\\n"]}')

    course = load_course(folder)
    found = list(check_secrecy(course, course.rubrics[0]))

    assert len(found) == 1
    assert found[0].startswith(f"{notebook}:1: a line of the solution of linear: ")


LAST = "      - {name: one output, N: 6, D: 2, M: 1}\n"


@pytest.fixture
def secretive(folder: Path) -> Path:
    """The course with a hidden case and a hidden function, each beside a comment that tells of it, and a week."""
    linear = folder / "assignments" / "linear" / "rubric.yaml"
    secret = "      # zebra: catches who sums over the columns\n      - {name: zebra, N: 7, D: 3, M: 4, hidden: true}\n"
    linear.write_text(linear.read_text().replace(LAST, LAST + secret))
    dropout = folder / "assignments" / "dropout" / "rubric.yaml"
    dropout.write_text(
        dropout.read_text().replace("  tanh_dropout_backward:\n", "  tanh_dropout_backward:\n    hidden: true\n")
    )
    path = folder / "assignments" / "course.yaml"
    path.write_text(path.read_text() + "weeks:\n  week 1: [linear]\n  week 2: [dropout]\n")
    return folder


def test_a_release_has_nothing_that_is_hidden_and_says_so(secretive, tmp_path):
    packed = pack_release(load_course(secretive), tmp_path / "course.zip")
    with zipfile.ZipFile(tmp_path / "course.zip") as archive:
        archive.extractall(tmp_path / "got")
        contents = {name: archive.read(name).decode() for name in archive.namelist()}

    released = load_course(tmp_path / "got")
    assert packed.left_out == ("1 case of linear_backward", "tanh_dropout_backward of dropout")
    assert released.functions == ("linear_backward", "dropout_backward")
    assert [case.name for case in released.rubrics[0].exercises[0].cases] == [
        case.name for case in load_course(secretive).rubrics[0].exercises[0].cases if not case.hidden
    ]
    assert not any("zebra" in text or "hidden: true" in text for text in contents.values())
    assert "Some cases are hidden." in contents["README.md"]
    assert contents["assignments/linear/rubric.yaml"].startswith("# Some cases are hidden.")


def test_what_is_not_hidden_is_the_same_in_a_rubric_that_was_written_anew(secretive, tmp_path):
    pack_release(load_course(secretive), tmp_path / "course.zip")
    with zipfile.ZipFile(tmp_path / "course.zip") as archive:
        archive.extractall(tmp_path / "got")

    before = load_course(secretive).exercise("linear_backward")[1]
    after = load_course(tmp_path / "got").exercise("linear_backward")[1]
    for each in ("given", "maths", "max_score", "follow_through", "forward"):
        assert getattr(after, each) == getattr(before, each)
    assert [(g.name, g.points, g.tolerance, g.hints, g.shape_hints) for g in after.gradients] == [
        (g.name, g.points, g.tolerance, g.hints, g.shape_hints) for g in before.gradients
    ]
    assert [(i.name, i.kind, i.of) for i in after.invariants] == [(i.name, i.kind, i.of) for i in before.invariants]


@pytest.mark.slow
def test_a_week_of_it_is_a_course_of_its_own(secretive, tmp_path, run_grade):
    packed = run_grade("release", "week.zip", "--only", "week 1", "--course", secretive)
    with zipfile.ZipFile(tmp_path / "week.zip") as archive:
        archive.extractall(tmp_path / "got")
    started = run_grade("start", "work", "--course", "got")

    assert packed.stdout.splitlines()[:2] == [
        "7 files packed into week.zip",
        "left out, because hidden: 1 case of linear_backward",
    ]
    assert started.returncode == 0
    assert load_course(tmp_path / "got").names == ("linear",)
    names = sorted(path.name for path in (tmp_path / "work").iterdir())
    assert names == [".grade-course", "backprop.ipynb", "linear.md", "linear.py"]


def test_a_week_brings_along_the_reference_that_it_borrows(tmp_path):
    folder = tmp_path / "course"
    for part in ("assignments", "solutions", "student_template"):
        shutil.copytree(ROOT / part, folder / part)
    path = folder / "assignments" / "batchnorm" / "rubric.yaml"
    reference = (folder / "assignments" / "batchnorm" / "reference.py").read_text()
    path.write_text(path.read_text().replace("forward: batchnorm\n", "forward: mlp.batchnorm\n"))
    other = folder / "assignments" / "mlp" / "reference.py"
    other.write_text(other.read_text() + "\n\n" + reference[reference.index("def batchnorm(") :])

    pack_release(load_course(folder), tmp_path / "week.zip", ["batchnorm"])
    with zipfile.ZipFile(tmp_path / "week.zip") as archive:
        archive.extractall(tmp_path / "got")

    assert (tmp_path / "got" / "assignments" / "mlp" / "reference.py").is_file()
    assert Grader(load_course(tmp_path / "got")).questionnaires


def test_a_week_that_the_course_does_not_have_is_named(secretive, tmp_path):
    with pytest.raises(UsageError, match=r"--only weak 1: the course has no week .*; did you mean week 1\?"):
        pack_release(load_course(secretive), tmp_path / "course.zip", ["weak 1"])


def test_an_assignment_with_nothing_to_show_is_no_release(secretive, tmp_path):
    path = secretive / "assignments" / "linear" / "rubric.yaml"
    path.write_text(path.read_text().replace("  linear_backward:\n", "  linear_backward:\n    hidden: true\n", 1))

    with pytest.raises(CourseError, match="every function is hidden, so students would not get it"):
        pack_release(load_course(secretive), tmp_path / "course.zip")
