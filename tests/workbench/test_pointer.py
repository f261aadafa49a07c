"""The course that a folder was started from: remembered for `grade`, never taken from somebody else's folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.workbench.pointer import POINTER, find_course, remember_course


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    work, course = tmp_path / "my work", tmp_path / "course"
    work.mkdir()
    course.mkdir()
    return work, course


def test_a_folder_remembers_its_course(folders):
    work, course = folders

    assert remember_course(work, course)

    assert find_course(work) == course
    assert find_course(work / "linear.py") == course


def test_a_folder_that_was_moved_remembers_it_too(folders, tmp_path):
    work, course = folders
    remember_course(work, course)

    assert find_course(work.rename(tmp_path / "moved")) == course


def test_a_folder_without_a_pointer_has_no_course_of_its_own(folders):
    assert find_course(folders[0]) is None


def test_the_last_start_counts(folders, tmp_path):
    work, course = folders
    remember_course(work, course)
    (tmp_path / "other").mkdir()

    remember_course(work, tmp_path / "other")

    assert find_course(work) == tmp_path / "other"


def test_a_pointer_that_came_with_a_folder_is_not_followed(folders):
    work, course = folders
    (work / POINTER).write_text(f"{course}\n")

    with pytest.raises(UsageError) as caught:
        find_course(work)

    assert str(caught.value) == (
        f"{work / POINTER} names the course {course}, and nothing here was ever started from it; a course runs "
        f"outside of the sandbox, so if you trust it: grade start '{work}' --course {course}; or name yours with "
        "--course DIR"
    )


def test_what_a_pointer_holds_reaches_no_terminal_as_it_is(folders):
    work, _ = folders
    (work / POINTER).write_bytes(b"/\x1b[2J\xff" + b"x" * 100_000)

    with pytest.raises(UsageError) as caught:
        find_course(work)

    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("content", [b"", b"# only a remark\n", b"\n\n"])
def test_a_pointer_to_nothing_is_none(folders, content):
    (folders[0] / POINTER).write_bytes(content)

    assert find_course(folders[0]) is None


def test_where_nothing_can_be_kept_that_is_said(folders, tmp_path):
    work, course = folders
    (tmp_path / "settings").write_text("a file, and no folder")

    assert not remember_course(work, course)


@pytest.mark.slow
def test_the_commands_of_the_texts_work_as_printed(run_grade, small_course_folder: Path, tmp_path: Path):
    course = shutil.copytree(small_course_folder, tmp_path / "course")
    file = course / "assignments" / "course.yaml"
    file.write_text(file.read_text() + 'version: "2.1"\nlanguage: pt-BR\n')

    started = run_grade("start", "work", "--course", course)
    graded = run_grade("--only", "linear", cwd=tmp_path / "work")

    assert "2. Read linear.md, and write the functions in linear.py" in started.stdout
    assert "3. Grade it: grade --only linear (with --watch, again on every save)" in started.stdout
    assert "linear_backward  0/5  not written yet" in graded.stdout
    page = (tmp_path / "work" / "grade-report.html").read_text()
    assert '<html lang="pt-BR">' in page
    assert '<p class="course">A small course, version 2.1</p>' in page


@pytest.mark.slow
def test_a_batch_reads_no_pointer(run_grade, tmp_path: Path):
    for folder in (tmp_path / "class", tmp_path / "class" / "ana"):
        folder.mkdir()
        (folder / POINTER).write_text("/a/course/that/nobody/trusts\n")
    (tmp_path / "class" / "ana" / "linear.py").write_text("")

    done = run_grade("batch", "class", "--out", "out", "--dry-run")

    assert (done.returncode, done.stderr) == (0, "")
    assert "ana" in done.stdout
