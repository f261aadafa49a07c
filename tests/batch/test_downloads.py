"""A class as it comes: what systems give and what people keep, in folders and archives of any number."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import shutil
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.batch.collect import describe, discover
from grader.batch.contents import read_entry
from grader.batch.entry import Entry, Found
from grader.batch.people import Words
from grader.batch.systems import recognise
from grader.batch.tree import Folder, open_tree
from grader.errors import GraderError

WORDS = Words(
    frozenset({"linear", "dropout"}),
    frozenset({"linear_backward", "dropout_backward"}),
    frozenset({"linear", "dropout"}),
)
WORK = "def linear_backward(dout, x, W): ...\n"
GRADESCOPE = """---
submission_1001:
  :submitters:
  - :name: Ada Lovelace
    :sid: '3030'
    :email: ada@example.edu
  - :name: Bob Roe
    :sid: '3031'
    :email: bob@example.edu
  :created_at: 2026-03-01 10:00:00.5 -08:00
submission_1002:
  :submitters:
  - :name: Cyd Coe
    :email: cyd@example.edu
"""
FORM = "Name: {name} ({user})\nAssignment: Week 1\nDate Submitted: Sunday\n\nSubmission Field:\nName: Eve (eve)\n"

EMPTY = "roebob_12346"  # a notebook without a function, which only grading can tell

Paths = Mapping[str, str]
# What is in a download, and the rows that are expected: for each its Python files, as the student had them.
DOWNLOADS: dict[str, tuple[Paths, dict[str, list[str]]]] = {
    "Canvas": (
        {
            "lovelaceada_12345_67890_linear.py": WORK,
            "lovelaceada_12345_67891_dropout-1.py": WORK,
            "roebob_LATE_12346_67892_hw (1).ipynb": "{}",
            "coecyd_12347_text.html": "see my mail",
            "doedan_12348_67893_essay.pdf": "%PDF-1.4",
        },
        {
            "lovelaceada_12345": ["dropout.py", "linear.py"],
            "roebob_12346": ["hw (1).ipynb"],
            "coecyd_12347": [],
            "doedan_12348": [],
        },
    ),
    "Moodle": (
        {
            "Ada Lovelace_12345_assignsubmission_file/linear.py": WORK,
            "Jane Doe_12346_assignsubmission_file/linear.py": WORK,
            "Jane Doe_12347_assignsubmission_file/mine/linear.py": WORK,
            "Bob Roe_12348_assignsubmission_onlinetext/onlinetext.html": "see my mail",
        },
        {
            "Ada Lovelace_12345": ["linear.py"],
            "Jane Doe_12346": ["linear.py"],
            "Jane Doe_12347": ["linear.py"],
            "Bob Roe_12348": [],
        },
    ),
    "Moodle of before 4.1": (
        {
            "Ada Lovelace_12345_assignsubmission_file_/linear.py": WORK,
            "Ada Lovelace_12345_assignsubmission_onlinetext_/onlinetext.html": "done",
            "Participant_12346_assignsubmission_file_/linear.py": WORK,
        },
        {"Ada Lovelace_12345": ["linear.py"], "Participant_12346": ["linear.py"]},
    ),
    "Moodle in flat files": (
        {
            "Ada Lovelace_12345_assignsubmission_file_linear.py": WORK,
            "Ada Lovelace_12345_assignsubmission_file_dropout.py": WORK,
            "Bob Roe_12346_assignsubmission_file_linear.py": WORK,
        },
        {"Ada Lovelace_12345": ["dropout.py", "linear.py"], "Bob Roe_12346": ["linear.py"]},
    ),
    "Gradescope": (
        {
            "submission_metadata.yml": GRADESCOPE,
            "submission_1001/linear.py": WORK,
            "submission_1002/dropout.py": WORK,
            "submission_1003/linear.py": WORK,  # which is in no list
        },
        {"submission_1001": ["linear.py"], "submission_1002": ["dropout.py"], "submission_1003": ["linear.py"]},
    ),
    "GitHub Classroom": (
        {
            f"backprop-{user}/{path}": content
            for user in ("ada", "bob-roe")
            for path, content in {
                ".git/HEAD": "ref: refs/heads/main",
                ".github/workflows/classroom.yml": "on: push",
                "linear.py": WORK,
                "README.md": "# Backprop",
            }.items()
        },
        {"backprop-ada": ["linear.py"], "backprop-bob-roe": ["linear.py"]},
    ),
    "Blackboard": (
        {
            "Week 1_ada01_attempt_2026-03-01-22-10-11.txt": FORM.format(name="Ada Lovelace", user="ada01"),
            "Week 1_ada01_attempt_2026-03-01-22-10-11_linear.py": WORK,
            "Week 1_ada01_attempt_2026-03-01-22-10-11_dropout.py": WORK,
            "Week 1_bob_attempt_2026-03-01-23-10-11.txt": FORM.format(name="Bob Roe", user="bob"),
        },
        {
            "Week 1_ada01_attempt_2026-03-01-22-10-11": ["dropout.py", "linear.py"],
            "Week 1_bob_attempt_2026-03-01-23-10-11": [],
        },
    ),
    "Brightspace": (
        {
            "index.html": "<html>",
            "397063-2557369 - Mary-Ann Smith - Sep 24, 2026 926 PM/linear.py": WORK,
            "397063-2557370 - John Doe - Sep 24, 2026 927 PM/linear.py": WORK,
        },
        {
            "Mary-Ann Smith - Sep 24, 2026 926 PM": ["linear.py"],
            "John Doe - Sep 24, 2026 927 PM": ["linear.py"],
        },
    ),
    "Brightspace by a clock of 24 hours": (
        {
            "128-2301 - Mary-Ann Smith - 24 septembre, 2026 2126 - linear.py": WORK,
            "129-2301 - John Doe - 24 septembre, 2026 2127 - linear.py": WORK,
        },
        {
            "Mary-Ann Smith - 24 septembre, 2026 2126": ["linear.py"],
            "John Doe - 24 septembre, 2026 2127": ["linear.py"],
        },
    ),
    "Sakai": (
        {
            "grades.csv": "x",
            "Lovelace, Ada(ada01)/timestamp.txt": "20260301120000500",
            "Lovelace, Ada(ada01)/comments.txt": "",
            "Lovelace, Ada(ada01)/Submission attachment(s)/linear.py": WORK,
            "Lovelace, Ada(ada01)/Feedback Attachment(s)/linear.py": "# better so",
            "Roe, Bob(bob)/timestamp.txt": "20260301120000500",
            "Roe, Bob(bob)/Roe, Bob(bob)_submissionText.html": "see my mail",
        },
        {"Lovelace, Ada(ada01)": ["linear.py"], "Roe, Bob(bob)": []},
    ),
    "Autolab": (
        {
            "ada@example.edu_1_linear.py": "# old",
            "ada@example.edu_10_linear.py": WORK,
            "ada@example.edu_9_linear.py": "# old",
            "b_r@cs.example.edu_2_linear.py": WORK,
        },
        {"ada@example.edu_10": ["linear.py"], "b_r@cs.example.edu_2": ["linear.py"]},
    ),
    "nbgrader's exchange": (
        {
            "ada+week1+2026-03-01 10:00:00 UTC/linear.ipynb": "{}",
            "ada+week1+2026-03-02 10:00:00 UTC+x1/linear.ipynb": "{}",
            "bob+week1+2026-03-01 10:00:00 UTC/linear.ipynb": "{}",
        },
        {
            "ada+week1+2026-03-02 10:00:00 UTC+x1": ["linear.ipynb"],
            "bob+week1+2026-03-01 10:00:00 UTC": ["linear.ipynb"],
        },
    ),
    "Moodle with what was given back": (
        {
            "Ada Lovelace_12345_assignsubmission_file/linear.py": WORK,
            "Ada Lovelace_12345_assignfeedback_file/report.html": "<html>",
            "Bob Roe_12346_assignsubmission_file/linear.py": WORK,
        },
        {"Ada Lovelace_12345": ["linear.py"], "Bob Roe_12346": ["linear.py"]},
    ),
    "Drive in parts": (
        {
            "Week 1-20260301T120000Z-001/Week 1/Ada Lovelace/linear.py": WORK,
            "Week 1-20260301T120000Z-001/Week 1/Bob Roe/linear.py": WORK,
            "Week 1-20260301T120000Z-002/Week 1/Ada Lovelace/dropout.py": WORK,
        },
        {"Ada Lovelace": ["dropout.py", "linear.py"], "Bob Roe": ["linear.py"]},
    ),
    "Teams": (
        {
            "Submitted files/Ada Lovelace/Week 1/Version 1/linear.py": "# old",
            "Submitted files/Ada Lovelace/Week 1/Version 2/linear.py": WORK,
            "Submitted files/Bob Roe/Week 1/linear.py": WORK,
            "Working files/Ada Lovelace/Week 1/linear.py": "# not yet",
            "Working files/Bob Roe/Week 1/linear.py": "# not yet",
        },
        {"Ada Lovelace": ["linear.py"], "Bob Roe": ["linear.py"]},
    ),
    "ILIAS": (
        {
            "Lovelace_Ada_ada01_1234/20260301120000_linear.py": "# old",
            "Lovelace_Ada_ada01_1234/20260302120000_linear.py": WORK,
            "Lovelace_Ada_ada01_1234/20260301120000_dropout.py": WORK,
            "Roe_Bob_bob_1235/20260301120000_linear.py": WORK,
        },
        {"Lovelace_Ada_ada01_1234": ["dropout.py", "linear.py"], "Roe_Bob_bob_1235": ["linear.py"]},
    ),
    "Submitty": (
        {
            "ada/1/linear.py": "# old",
            "ada/2/linear.py": WORK,
            "ada/10/dropout.py": "# not chosen",
            "ada/user_assignment_settings.json": '{"active_version": 2, "history": []}',
            "bob/9/linear.py": "# old",
            "bob/10/linear.py": WORK,
            "bob/9/dropout.py": WORK,
        },
        {"ada": ["linear.py"], "bob": ["10/linear.py", "9/dropout.py"]},
    ),
    "times of submissions": (
        {
            "Ada Lovelace 12 ada@example.edu/2026-03-01-10-00-00/linear.py": "# old",
            "Ada Lovelace 12 ada@example.edu/2026-03-02-10-00-00/linear.py": WORK,
            "Ada Lovelace 12 ada@example.edu/2026-03-02-10-00-00.ceg/execution.txt": "",
            "Bob Roe 13 bob@example.edu/deadline-2026-03-03/delivery-001/linear.py": "# old",
            "Bob Roe 13 bob@example.edu/deadline-2026-03-03/delivery-002/linear.py": WORK,
        },
        {"Ada Lovelace 12 ada@example.edu": ["linear.py"], "Bob Roe 13 bob@example.edu": ["linear.py"]},
    ),
    "a folder for each assignment": (
        {
            "linear/ada/linear.py": WORK,
            "linear/bob/linear.py": WORK,
            "2 dropout/ada/dropout.py": WORK,
            "2 dropout/cyd/dropout.py": WORK,
        },
        {"ada": ["dropout.py", "linear.py"], "linear/bob": ["linear.py"], "2 dropout/cyd": ["dropout.py"]},
    ),
    "a file for each assignment": (
        {
            "Ada Lovelace - linear.py": WORK,
            "Ada Lovelace - dropout.py": WORK,
            "bob_linear.py": WORK,
            "cyd_linear.py": WORK,
            "cyd_linear (1).py": WORK,
        },
        {
            "Ada Lovelace": ["dropout.py", "linear.py"],
            **{name: [name] for name in ("bob_linear.py", "cyd_linear.py", "cyd_linear (1).py")},
        },
    ),
    "folders": (
        {
            "ada/linear.py": WORK,
            "bob/hw/linear.py": WORK,
            "bob/hw/dropout.py": WORK,
            "max/linear.py": WORK,
            "Neuer Ordner/essay.pdf": "%PDF",
            "dan/": "",
            ".DS_Store": "",
            "__MACOSX/ada/._linear.py": "",
        },
        {"ada": ["linear.py"], "bob": ["dropout.py", "linear.py"], "max": ["linear.py"], "Neuer Ordner": [], "dan": []},
    ),
    "files": (
        {"ada.py": WORK, "bob roe.py": WORK, "Copy of cyd.ipynb": "{}", "dan.py.txt": WORK, "eve.pdf": "%PDF"},
        {name: [name] for name in ("ada.py", "bob roe.py", "Copy of cyd.ipynb")} | {"dan.py.txt": [], "eve.pdf": []},
    ),
    "files of Google Classroom": (
        {"Ada Lovelace - linear.py": WORK, "Bob Roe - linear.py": WORK, "Copy of linear.py": WORK},
        {
            name: [name]
            for name in ("Ada Lovelace - linear.py", "Bob Roe - linear.py", "Copy of linear.py")
        },
    ),
}  # fmt: skip


def write_folder(path: Path, files: Paths) -> Path:
    for name, content in files.items():
        file = path / name
        if name.endswith("/"):
            file.mkdir(parents=True, exist_ok=True)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
    return path


def write_zip(path: Path, files: Paths) -> Path:
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path.with_suffix(".zip")


def write_tar(path: Path, files: Paths) -> Path:
    target = path.with_suffix(".tar.gz")
    with tarfile.open(target, "w:gz") as archive:
        archive.add(write_folder(path.with_name("unpacked"), files), ".")
    return target


def collect(path: Path) -> Found:
    return discover(open_tree(path), words=WORDS)


def rows_of(found: Found) -> dict[str, list[str]]:
    return {entry.name: sorted(read_entry(entry).submission.files) for entry in found.entries}


def problem_of(found: Found, name: str) -> str | None:
    return read_entry(entry_of(found, name)).problem


def entry_of(found: Found, name: str) -> Entry:
    return next(entry for entry in found.entries if entry.name == name)


@pytest.mark.parametrize("write", [write_folder, write_zip, write_tar])
@pytest.mark.parametrize("around", ["", "week1/", "downloads/week1 (2)/", "a/b/c/d/"])
@pytest.mark.parametrize("download", DOWNLOADS)
def test_a_download_is_the_same_in_any_folders_on_disk_and_in_an_archive(tmp_path, download, around, write):
    files, rows = DOWNLOADS[download]
    found = collect(write(tmp_path / "class", {around + name: content for name, content in files.items()}))
    assert rows_of(found) == rows


@pytest.mark.parametrize("download", DOWNLOADS)
def test_of_several_versions_none_but_the_newest_counts(tmp_path, download):
    found = collect(write_folder(tmp_path / "class", DOWNLOADS[download][0]))
    taken = [content for entry in found.entries for content in read_entry(entry).submission.files.values()]
    assert not {b"# old", b"# not yet", b"# not chosen", b"# better so"}.intersection(taken)


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("Ada Lovelace - linear.py", "Ada Lovelace"),
        ("dropout_Ada.ipynb", "Ada"),
        ("Lovelace_Ada_hw1.zip", "Lovelace_Ada"),
        ("Ada Lovelace (ada01) - 2026-03-01T10_00_00", "Ada Lovelace"),
        ("Lovelace_Ada_ada01_1234", "Lovelace, Ada"),
        ("ada (1).py", ""),
        ("student_2.py", ""),
        ("ada", ""),
    ],
)
def test_a_name_tells_a_person_without_what_kind_of_work_it_is(name, who):
    assert WORDS.who(name.partition(".")[0]).name == who


def test_a_single_file_named_as_a_system_names_them_is_not_believed(tmp_path):
    files = dict.fromkeys(("ada.py", "bob.py", "cyd.py", "ada@example.edu_99_linear.py"), WORK)
    found = collect(write_folder(tmp_path, files))
    assert {entry.system for entry in found.entries} == {"a folder of submissions"}
    assert len(found.entries) == 4


def test_two_of_one_name_are_never_attempts_of_one(tmp_path):
    files = {
        "128-2301 - John Doe - Sep 24, 2026 926 PM/linear.py": WORK,
        "129-2301 - John Doe - Sep 25, 2026 926 PM/linear.py": WORK,
        "129-2301 - John Doe - Sep 26, 2026 1226 AM/linear.py": WORK,
    }
    rows = rows_of(collect(write_folder(tmp_path, files)))
    assert set(rows) == {"John Doe - Sep 24, 2026 926 PM", "John Doe - Sep 26, 2026 1226 AM"}


@pytest.mark.parametrize("files", [{"v1/a.py": WORK, "b.py": WORK}, {"week1/a.py": WORK, "week2/a.py": WORK}])
def test_what_are_no_versions_is_taken_as_a_whole(tmp_path, files):
    folder = write_folder(tmp_path / "class", {"bob/linear.py": WORK, **{f"ada/{name}": files[name] for name in files}})
    assert rows_of(collect(folder))["ada"] == sorted(files)


@pytest.mark.parametrize("download", DOWNLOADS)
def test_a_download_in_an_archive_in_an_archive_is_the_same(tmp_path, download):
    files, rows = DOWNLOADS[download]
    inner = write_zip(tmp_path / "inner", {f"week1/{name}": content for name, content in files.items()})
    (tmp_path / "class").mkdir()
    with zipfile.ZipFile(tmp_path / "class" / "outer.zip", "w") as archive:
        archive.write(inner, "to grade/inner.zip")
    assert rows_of(collect(tmp_path / "class")) == rows


def test_several_systems_beside_one_another_are_told_apart(tmp_path):
    names = ("Canvas", "Moodle", "Gradescope", "GitHub Classroom", "Blackboard")
    files = {f"{system}/{name}": content for system in names for name, content in DOWNLOADS[system][0].items()}
    found = collect(write_folder(tmp_path, files))
    expected = {name: row for system in names for name, row in DOWNLOADS[system][1].items()}
    expected["Gradescope/submission_1003"] = expected.pop("submission_1003")  # whose name is in no list
    assert rows_of(found) == expected
    assert next(describe(found)).startswith("15 submissions, laid out as ")
    assert {entry.system for entry in found.entries} == {*names, "a folder of submissions"}  # submission_1003


def test_several_systems_in_one_folder_are_told_apart(tmp_path):
    names = ("Canvas", "Moodle", "Gradescope")
    files = {f"both/{name}": content for system in names for name, content in DOWNLOADS[system][0].items()}
    found = collect(write_folder(tmp_path, files))
    assert rows_of(found) == {name: row for system in names for name, row in DOWNLOADS[system][1].items()}


@pytest.mark.slow
def test_what_is_said_before_grading_is_what_is_graded(tmp_path, small_course_folder, run_grade):
    solution = (small_course_folder / "solutions" / "linear.py").read_text()
    systems = ("Canvas", "Moodle of before 4.1", "Gradescope", "GitHub Classroom", "Blackboard")
    files = {
        f"to grade/{system}/{name}": solution if content == WORK else content
        for system in systems
        for name, content in DOWNLOADS[system][0].items()
        if "dropout" not in name
    }
    command = ["batch", write_tar(tmp_path / "all", files), "--out", tmp_path / "out", "--course", small_course_folder]
    foretold = run_grade(*command, "--dry-run").stdout
    done = run_grade(*command)
    with (tmp_path / "out" / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["submission"]: row for row in csv.DictReader(file)}
    assert {name for name, row in rows.items() if row["score"] == "5"} == {
        "lovelaceada_12345",
        "Ada Lovelace_12345",
        "Participant_12346",
        "submission_1001",
        "Gradescope/submission_1003",
        "backprop-ada",
        "backprop-bob-roe",
        "Week 1_ada01_attempt_2026-03-01-22-10-11",
    }
    assert {row["max_score"] for row in rows.values()} == {"10"}
    assert all(f"  {name}: " in foretold and row["problem"] in foretold for name, row in rows.items() if name != EMPTY)
    assert "nothing was handed in but linear, and the maximum is of the whole course: add --only linear?" in done.stdout


def test_sections_of_a_class_keep_their_people_apart(tmp_path):
    files = {
        "A/ada/linear.py": WORK,
        "A/bob/linear.py": WORK,
        "B/cyd/linear.py": WORK,
        "B/bob/dropout.py": WORK,
        "C.zip/": "",
    }
    (tmp_path / "class").mkdir()
    write_folder(tmp_path / "class", {name: content for name, content in files.items() if name != "C.zip/"})
    write_zip(tmp_path / "class" / "C", {"dan/linear.py": WORK, "eve/linear.py": WORK})
    found = collect(tmp_path / "class")
    assert set(rows_of(found)) == {"A/ada", "A/bob", "B/cyd", "B/bob", "C.zip/dan", "C.zip/eve"}


@pytest.mark.parametrize(
    ("files", "name", "row"),
    [
        ({"ada/linear.py": WORK, "ada/dropout.py": WORK}, "ada", ["dropout.py", "linear.py"]),
        ({"class/ada/linear/linear.py": WORK, "class/ada/dropout/dropout.py": WORK}, "ada", None),
        ({"ada/week1/linear.py": WORK, "ada/week2/linear.py": WORK}, "ada", None),
        ({"ada/hw1.py": WORK, "ada/utils.py": "x = 1"}, "ada", ["hw1.py", "utils.py"]),
        ({"ada/hw1.py": "import secrets_of_mine", "ada/secrets_of_mine.py": WORK}, "ada", None),
        ({"ada/src/linear.py": WORK, "ada/old/linear.py": WORK, "ada/plots/loss.png": ""}, "ada", None),
        ({"linear.py": WORK, "dropout.py": WORK}, "class", ["dropout.py", "linear.py"]),
    ],
)
def test_one_persons_folder_is_one_row(tmp_path, files, name, row):
    rows = rows_of(collect(write_folder(tmp_path / "class", files)))
    assert list(rows) == [name]
    assert row is None or rows[name] == row


@pytest.mark.parametrize(
    "names",
    [
        ["ada/linear.py", "bob/dropout.py"],
        ["ada/linear.py", "max/linear.py", "bob/"],
        ["ada.py", "bob.py"],
        ["linear.py", "linear (1).py", "linear (2).py"],
        ["s1/linear.py", "s2/linear.py"],
        ["1/linear.py", "2/linear.py"],
        ["20261234/linear.py", "20261235/linear.py"],
        ["李雷/linear.py", "韩梅梅/linear.py"],
        ["ada_linear.py", "bob_linear.py"],
        ["ada/linear.py", "bob.py", "cyd.zip"],
        ["ada.zip", "bob.zip"],
        ["a.b/ada/dropout.py", "a.b/b c/linear.py"],
    ],
)
def test_two_students_in_one_folder_are_never_one(tmp_path, names):
    inner = write_zip(tmp_path / "inner", {"linear.py": WORK}).read_bytes()
    folder = write_folder(tmp_path / "class", {f"week1/all/{name}": WORK for name in names})
    for name in names:
        if name.endswith(".zip"):
            (folder / "week1" / "all" / name).write_bytes(inner)
    assert len(collect(folder).entries) == len(names)


def test_what_a_single_student_made_to_look_like_a_class_is_split_and_not_believed(tmp_path):
    forged = DOWNLOADS["Moodle"][0]
    folder = write_folder(tmp_path / "class", {"ada/linear.py": WORK, "bob/linear.py": WORK})
    write_zip(folder / "eve", forged)
    found = collect(folder)
    assert {"ada", "bob"} < set(rows_of(found))
    assert len(found.entries) == 2 + len(DOWNLOADS["Moodle"][1])
    assert not [
        entry for entry in found.entries if entry.system == "Moodle" or "12345" in entry.people[0].key.split("/")
    ]
    assert any("eve.zip lies beside single submissions and looks like Moodle with 4" in note for note in found.notes)


@pytest.mark.parametrize("folder", ["submission_1001/", ""])
def test_one_submission_alone_does_not_say_whose_it_is(tmp_path, folder):
    files = {"ada/submission_metadata.yml": GRADESCOPE.partition("submission_1002")[0], f"ada/{folder}linear.py": WORK}
    found = collect(write_folder(tmp_path / "class", files))
    assert [(entry.name, entry.people[0].key) for entry in found.entries] == [("ada", "ada")]


def test_an_export_of_one_submission_is_believed_where_it_is_one(tmp_path):
    files = {"submission_metadata.yml": GRADESCOPE.partition("submission_1002")[0], "submission_1001/linear.py": WORK}
    for around in ("", "assignment_99_export/"):
        found = collect(
            write_folder(tmp_path / f"class{len(around)}", {around + name: each for name, each in files.items()})
        )
        assert [person.id for person in found.entries[0].people] == ["3030", "3031"]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("ada.pdf", b"%PDF-1.7", "only ada.pdf (a PDF)"),
        ("ada.py.txt", b"", "only ada.py.txt (rename it to ada.py)"),
        ("ada.ipynb.json", b"{}", "only ada.ipynb.json (rename it to ada.ipynb)"),
        ("ada/hw.json", b"{}", "only hw.json (if it holds the functions, let its name end in .py or .ipynb)"),
        ("ada.zip.001", b"PK", "only ada.zip.001 (a part of an archive; hand in one zip that is whole)"),
        ("ada.docx", b"PK", "only ada.docx (a Word document)"),
        ("ada.rar", b"Rar!", "ada.rar could not be read: a RAR archive, which is not opened here; hand in a zip"),
        ("ada.zip", b"PK\3\4 not really", "ada.zip could not be read: the archive is broken: File is not a zip file"),
        ("ada.zip", b"", "ada.zip could not be read: neither a zip nor a tar archive; hand in a zip"),
        ("ada/", b"", ""),
        ("ada/hw/a.txt", b"", "only hw/a.txt (if it holds the functions, let its name end in .py or .ipynb)"),
    ],
)  # fmt: skip
def test_what_cannot_be_graded_has_a_row_and_a_true_sentence(tmp_path, name, content, problem):
    folder = write_folder(tmp_path / "class", {"bob/linear.py": WORK, "cyd.py": WORK})
    if name.endswith("/"):
        (folder / name).mkdir()
    else:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    found = collect(folder)
    row = name.split("/")[0]
    assert set(rows_of(found)) == {"bob", "cyd.py", row}
    start = "no Python file, notebook or archive in it"
    expected = {"": start}.get(problem, f"{start}, {problem}" if problem.startswith("only") else problem)
    assert problem_of(found, row) == expected


def test_an_ending_in_capitals_is_an_ending(tmp_path):
    folder = write_folder(tmp_path / "class", {"ada/LINEAR.PY": WORK, "bob.IPYNB": "{}", "cyd/Hw.Py": WORK})
    write_zip(folder / "dan", {"HW/LINEAR.PY": WORK})
    assert rows_of(collect(folder)) == {
        "ada": ["LINEAR.py"],
        "bob.ipynb": ["bob.ipynb"],
        "cyd": ["Hw.py"],
        "dan.zip": ["LINEAR.py"],
    }


@pytest.mark.parametrize("system", ["folders", "Moodle"])
def test_a_name_that_is_no_text_is_one_row_and_costs_no_other(tmp_path, system):
    end = {"folders": "", "Moodle": "_9_assignsubmission_file"}[system]
    for name in (b"Jos\xe9", b"Ren\x82", b"\xff\xfe\x1b[31m", "Zoë".encode(), b"ada"):
        folder = tmp_path / os.fsdecode(name + end.encode())
        folder.mkdir()
        (folder / "linear.py").write_text(WORK)
    found = collect(tmp_path)
    assert len(rows_of(found)) == 5
    assert all(files == ["linear.py"] for files in rows_of(found).values())
    texts = [text for entry in found.entries for text in (entry.name, entry.people[0].key, entry.people[0].name)]
    assert all(text.encode("utf-8").isascii() or "\x1b" not in text for text in texts)
    assert {"José", "René", "Zoë", "ada"} < {text.partition("_9")[0] for text in texts}


def test_a_path_that_is_longer_than_the_system_likes_costs_its_owner_only_that(tmp_path):
    write_folder(tmp_path, {"ada/linear.py": WORK, "bob/linear.py": WORK})
    deep = os.open(tmp_path / "ada", os.O_RDONLY)
    for _ in range(40):
        os.mkdir("x" * 200, dir_fd=deep)
        below = os.open("x" * 200, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = below
    os.close(deep)
    found = collect(tmp_path)
    try:
        assert rows_of(found) == {"ada": ["linear.py"], "bob": ["linear.py"]}
        assert list(entry_of(found, "ada").refused.values()) == ["its path is longer than 3500 bytes"]
    finally:
        shutil.rmtree(tmp_path / "ada")


def test_a_control_character_in_an_id_goes_no_further(tmp_path):
    listed = GRADESCOPE.replace("'3030'", '"30\\e[31m30"')
    found = collect(write_folder(tmp_path, {"submission_metadata.yml": listed, "submission_1001/linear.py": WORK}))
    assert entry_of(found, "submission_1001").people[0].id == "3030"


def test_the_same_number_of_two_systems_is_two_people(tmp_path):
    files = {
        "canvas/lovelaceada_12345_67890_linear.py": WORK,
        "canvas/roebob_12346_67891_linear.py": WORK,
        "moodle/Cyd Coe_12345_assignsubmission_file/linear.py": WORK,
    }
    found = collect(write_folder(tmp_path, files))
    assert len(found.entries) == 3
    assert not any("same student" in note for note in found.notes)


def test_attempts_and_groups_are_the_same_in_folders_of_folders(tmp_path):
    files = {f"x/y/{name}": content for name, content in DOWNLOADS["Gradescope"][0].items()}
    newer = (
        GRADESCOPE.partition("submission_1002")[0]
        .removeprefix("---\n")
        .replace("1001", "1009")
        .replace("03-01", "03-02")
    )
    files |= {"x/y/submission_metadata.yml": GRADESCOPE + newer, "x/y/submission_1009/dropout.py": WORK}
    found = collect(write_folder(tmp_path, files))
    assert set(rows_of(found)) == {"submission_1009", "submission_1002", "submission_1003"}
    assert [person.name for person in entry_of(found, "submission_1009").people] == ["Ada Lovelace", "Bob Roe"]
    assert "submission_1009 counts, not submission_1001 of the same student" in found.notes


NAMES = st.sampled_from(
    ["ada", "max", "José", "Jose\u0301", "李雷", "Ann-Marie O'Brien", "x" * 120, "s1", "s2", "20261234", "b c", "Z"]
) | st.text("abcdefgh äöü", min_size=3, max_size=12).map(str.strip).filter(lambda name: bool(WORDS.personal(name)))
JUNK = st.dictionaries(
    st.sampled_from(
        [".DS_Store", "__MACOSX/x", "Thumbs.db", "README.md", "grades.csv", ".git/HEAD", "venv/pyvenv.cfg"]
    ),
    st.just("junk"),
    max_size=3,
)
WORKS = st.sets(st.sampled_from(["linear.py", "dropout.py", "linear.ipynb"]), min_size=1)
AROUND = st.lists(st.sampled_from(["week1", "hw", "class", "Neuer Ordner", "a.b", "zip"]), max_size=3)
LAYOUTS = ("folders", "archives", "Canvas", "Moodle")


def hand_in(layout: str, number: int, name: str, works: set[str], junk: Paths) -> dict[str, str | bytes]:
    """Return what one student's work is in a download; each file says whose it is."""
    files = dict.fromkeys(works, f"# {name}")
    match layout:
        case "Canvas":
            return {
                f"{name}_{10_000 + number}_{20_000 + n}_{work}": files[work] for n, work in enumerate(sorted(works))
            }
        case "Moodle":
            return {f"{name}_{10_000 + number}_assignsubmission_file/{work}": files[work] for work in works}
        case "folders":
            return {f"{name}/{path}": content for path, content in {**junk, **files}.items()}
        case _:
            return {f"{name}.zip": zipped({**junk, **files})}


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def read_all(files: Mapping[str, str | bytes]) -> dict[str, set[bytes]]:
    """Return what each row of a download holds."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder, "class", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        found = collect(Path(folder, "class"))
        return {entry.name: set(read_entry(entry).submission.files.values()) for entry in found.entries}


@settings(max_examples=60)
@given(
    layout=st.sampled_from(LAYOUTS),
    people=st.lists(st.tuples(NAMES, WORKS), min_size=2, max_size=6, unique_by=lambda each: each[0].casefold()),
    junk=JUNK,
    around=AROUND,
    is_packed=st.booleans(),
)
def test_there_are_as_many_rows_as_people_and_nobody_has_anothers_files(layout, people, junk, around, is_packed):
    one_by_one = [hand_in(layout, number, name, works, junk) for number, (name, works) in enumerate(people)]

    def download(some: list[dict[str, str | bytes]]) -> dict[str, set[bytes]]:
        files = {"/".join([*around, path]): content for each in some for path, content in each.items()}
        return read_all({"download.zip": zipped(files)} if is_packed else files)

    rows = download(one_by_one)
    assert sorted(rows.values(), key=str) == sorted(({f"# {name}".encode()} for name, _ in people), key=str)
    # Without the last one, all others have what they had.
    assert sorted(download(one_by_one[:-1]).values(), key=str) == sorted(
        ({f"# {name}".encode()} for name, _ in people[:-1]), key=str
    )


PARTS = st.sampled_from(
    [
        "a",
        "ada",
        "linear.py",
        "x.zip",
        "submission_metadata.yml",
        "submission_1",
        ".git",
        "1_2_3_4.py",
        "é\n",
        "..",
        "C:",
        "hw.tar.gz",
        "\x1b[31m",
        "�",
        "Bob_1_assignsubmission_file_",
        "HW_a_attempt_2026-01-01-00-00-00_x.py",
    ]
)
CONTENT = st.sampled_from(
    [b"", b"x = 1", b"PK\3\4", b"\x1f\x8b\x08", b"a: [", b"submission_1: {}", zipped({"x.py": ""})]
)


@settings(max_examples=60)
@given(st.dictionaries(st.lists(PARTS, min_size=1, max_size=4).map("/".join), CONTENT, max_size=8), st.integers(0, 2))
def test_whatever_is_in_a_download_there_is_a_list_or_a_message(files, depth):
    content = zipped({name.encode(errors="replace").decode(): each for name, each in files.items()})
    for _ in range(depth):
        content = zipped({"week1/inner.zip": content})
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "class.zip").write_bytes(content)
        with contextlib.suppress(GraderError):
            found = collect(Path(folder, "class.zip"))
            names = [entry.name for entry in found.entries]
            assert len(set(names)) == len(names)
            for entry in found.entries:
                task = read_entry(entry)
                assert bool(task.submission.files) is (task.problem is None)
                assert str((entry.name, entry.people, task.problem)).isprintable()


@pytest.mark.parametrize(
    "files",
    [
        {"ada.py": "\n" * 1_000_000, "bob.py": WORK},
        {"ada.py": " " * 1_000_000, "bob.py": WORK},
        {"ada.py": "def " * 250_000, "bob.py": "import\n" * 100_000},
        {f"HW_{user}_attempt_2026-03-01-22-10-11.txt": "Name:" + " " * 2_000 for user in ("ada", "bob")},
        {f"HW_{user}_attempt_2026-03-01-22-10-11.txt": "Name:" + "(" * 2_000 for user in ("ada", "bob")},
    ],
)
def test_a_text_that_is_made_to_take_long_takes_no_time(tmp_path, files):
    started = time.process_time()
    assert len(collect(write_folder(tmp_path / "class", files)).entries) == 2
    assert time.process_time() - started < 5


PART_NAMES = (
    "a",
    "1",
    "_",
    "-",
    " - ",
    ".",
    "@",
    "(",
    ")",
    "+",
    "attempt",
    "2026-03-01-10-00-00",
    "Sep 1, 2026 1",
    " ",
)


@pytest.mark.parametrize("part", PART_NAMES)
def test_a_name_that_is_made_to_take_long_takes_no_time(part):
    folder = Folder("class", {f"{end}{part * (490 // len(part))}{end}": Folder("") for end in "_1ax"})
    started = time.process_time()
    recognise(folder)
    for name in folder.folders:
        WORDS.who(name)
    assert time.process_time() - started < 2
