"""What instructors download is understood without a setting, and what cannot be understood is said."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from grader.batch.collect import describe, discover, parse_time
from grader.batch.contents import read_entry
from grader.batch.entry import Entry
from grader.batch.store import name_all, safe_file_name
from grader.batch.tree import open_tree
from grader.errors import SubmissionError, UsageError

GRADESCOPE = """
submission_11:
  :submitters:
  - :name: José Ñandú
    :sid: '001'
    :email: jose@example.edu
  - :name: Ada
    :sid: '002'
  :created_at: 2026-03-01 10:00:00.5 -08:00
  :history:
  - :id: 1
  - :id: 2
submission_12:
  :submitters:
  - :name: Bob
    :sid: '003'
    :email: bob@example.edu
  :created_at: 2026-03-02 10:00:00 UTC
submission_13:
  :submitters:
  - :name: Bob
    :sid: '003'
    :email: bob@example.edu
  :created_at: 2026-03-03 10:00:00 UTC
"""


def lay_out(folder: Path, *paths: str, content: str = "x = 1\n") -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return folder


def zip_of(*names: str, content: str = "x = 1\n") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


def by_name(folder: Path, before: str | None = None) -> dict[str, Entry]:
    found = discover(open_tree(folder), parse_time(before) if before else None)
    return {entry.name: entry for entry in found.entries}


def system(folder: Path) -> str:
    return discover(open_tree(folder)).system


def test_folders_files_notebooks_and_archives_are_submissions(tmp_path):
    lay_out(tmp_path, "ada/linear.py", "bob.py", "cyd.ipynb", "notes.txt", ".hidden.py")
    (tmp_path / "eve.zip").write_bytes(zip_of("linear.py"))
    (tmp_path / "empty").mkdir()
    assert list(by_name(tmp_path)) == ["ada", "bob.py", "cyd.ipynb", "empty", "eve.zip"]


def test_canvas_files_of_one_user_are_one_submission(tmp_path):
    lay_out(tmp_path, "adalovelace_101_2001_linear.py", "adalovelace_101_2002_dropout-2.py", "bob_LATE_102_2003_hw.zip")
    entries = by_name(tmp_path)
    assert system(tmp_path) == "Canvas"
    assert [name for name, _ in entries["adalovelace_101"].files] == ["linear.py", "dropout.py"]
    assert [entries[name].is_late for name in ("adalovelace_101", "bob_102")] == [False, True]
    assert entries["bob_102"].people[0].id == "102"
    assert entries["bob_102"].label == "bob_LATE_102_2003"


def test_canvas_without_names_and_without_files_is_understood(tmp_path):
    entries = by_name(lay_out(tmp_path, "anon_a1B2c_2001_linear.py", "bob_102_text.html", "cyd_LATE_103_link.html"))
    assert entries["anon_a1B2c"].people[0].name == ""
    assert [entries[name].problem for name in ("bob_102", "cyd_103")] == [
        "text typed into the page, and no file",
        "a link, and no file",
    ]


def test_moodle_folders_give_participant_and_name(tmp_path):
    lay_out(tmp_path, "Ada Lovelace_7_assignsubmission_file/linear.py", "José Ñ_8_assignsubmission_file_/hw/linear.py")
    entries = by_name(tmp_path)
    assert system(tmp_path) == "Moodle"
    assert [(entry.people[0].name, entry.people[0].id) for entry in entries.values()] == [
        ("Ada Lovelace", "7"),
        ("José Ñ", "8"),
    ]


def test_moodle_flat_files_and_typed_text_are_understood(tmp_path):
    lay_out(
        tmp_path,
        "Ada_7_assignsubmission_file_linear.py",
        "Ada_7_assignsubmission_file_dropout.py",
        "Bob_8_assignsubmission_onlinetext/onlinetext.html",
    )
    entries = by_name(tmp_path)
    assert [name for name, _ in entries["Ada_7"].files] == ["dropout.py", "linear.py"]
    assert entries["Bob_8"].problem == "text typed into the page, and no file"


def test_a_moodle_name_may_hold_anything_before_the_participant(tmp_path):
    lay_out(tmp_path, "s12_Van_der_Berg_9_assignsubmission_file/linear.py")
    assert by_name(tmp_path)["s12_Van_der_Berg_9"].people[0].id == "9"


def test_gradescope_groups_times_and_attempts_come_from_its_metadata(tmp_path):
    folder = lay_out(tmp_path, *(f"assignment_1_export/submission_{number}/linear.py" for number in (11, 12, 13)))
    (folder / "assignment_1_export" / "submission_metadata.yml").write_text(GRADESCOPE)
    entries = by_name(folder)
    assert system(folder) == "Gradescope"
    assert [person.name for person in entries["submission_11"].people] == ["José Ñandú", "Ada"]
    assert entries["submission_11"].attempt == 3
    assert entries["submission_11"].submitted_at == "2026-03-01 10:00:00.5 -08:00"


def test_the_newest_attempt_of_a_student_counts(tmp_path):
    folder = lay_out(tmp_path, *(f"submission_{number}/linear.py" for number in (11, 12, 13)))
    (folder / "submission_metadata.yml").write_text(GRADESCOPE)
    found = discover(open_tree(folder))
    assert [entry.name for entry in found.entries] == ["submission_11", "submission_13"]
    assert "submission_13 counts, not submission_12 of the same student" in found.notes


def test_before_picks_the_attempt_and_says_who_handed_in_nothing_by_then(tmp_path):
    folder = lay_out(tmp_path, *(f"submission_{number}/linear.py" for number in (11, 12, 13)))
    (folder / "submission_metadata.yml").write_text(GRADESCOPE)
    assert set(by_name(folder, before="2026-03-03T00:00")) == {"submission_11", "submission_12"}
    early = by_name(folder, before="2026-03-02T00:00+00:00")
    assert early["submission_13"].problem == "nothing was handed in before 2026-03-02T00:00:00+00:00"


@pytest.mark.parametrize("text", ["- {", "submission_11: [", "&a [*a, *a]", "text", ""])
def test_metadata_that_is_not_what_gradescope_writes_harms_nothing(tmp_path, text):
    (lay_out(tmp_path, "submission_11/linear.py") / "submission_metadata.yml").write_text(text)
    assert list(by_name(tmp_path)) == ["submission_11"]


@pytest.mark.parametrize("text", ["[" * 1_000_000, "- " * 100_000, "a: " * 100_000, "? " * 100_000, "!" * 100_000])
def test_metadata_that_is_nested_without_end_ends_nothing(tmp_path, text):
    (lay_out(tmp_path, "submission_11/linear.py") / "submission_metadata.yml").write_text(text)
    found = discover(open_tree(tmp_path))
    assert [entry.name for entry in found.entries] == ["submission_11"]
    assert any(note.startswith("submission_metadata.yml") for note in found.notes)


def test_of_large_metadata_the_results_are_cut_out_first(tmp_path):
    folder = lay_out(tmp_path, *(f"submission_{number}/linear.py" for number in (11, 12, 13)))
    results = "  :results:\n    tests:\n    - output: |\n" + "        :submitters: x\n" * 100_000
    large = GRADESCOPE.replace("  :history:\n", f"{results}  :history:\n")
    (folder / "submission_metadata.yml").write_text(large)
    entries = by_name(folder)
    assert [person.name for person in entries["submission_11"].people] == ["José Ñandú", "Ada"]
    assert (entries["submission_11"].attempt, set(entries)) == (3, {"submission_11", "submission_13"})


def test_classroom_clones_are_named_after_their_users(tmp_path):
    lay_out(
        tmp_path,
        *(
            f"backprop-submissions/backprop-{user}/{file}"
            for user in ("ada", "bob-b")
            for file in (".git/HEAD", "linear.py")
        ),
    )
    entries = by_name(tmp_path)
    assert system(tmp_path) == "GitHub Classroom"
    assert [entry.people[0].id for entry in entries.values()] == ["ada", "bob-b"]
    assert [name for name, _ in entries["backprop-ada"].files] == ["linear.py"]


def test_a_download_is_read_as_the_zip_it_came_in(tmp_path):
    names = [f"{name}_{number}_assignsubmission_file/linear.py" for number, name in enumerate(("Ada", "Bob"), start=1)]
    (tmp_path / "all.zip").write_bytes(zip_of(*names))
    assert list(by_name(tmp_path / "all.zip")) == ["Ada_1", "Bob_2"]


def test_attempts_can_be_named_by_number_or_time(tmp_path):
    lay_out(tmp_path, "ada_attempt_1/linear.py", "ada_attempt_10/linear.py", "ada_attempt_9/linear.py")
    lay_out(tmp_path, "bob_attempt_2026-03-01-10-00-00_linear.py", "bob_attempt_2026-03-02-10-00-00_linear.py")
    entries = by_name(tmp_path)
    assert list(entries) == ["ada_attempt_10", "bob_attempt_2026-03-02-10-00-00"]
    assert entries["bob_attempt_2026-03-02-10-00-00"].files[0][0] == "linear.py"


def test_the_same_student_twice_without_a_time_gets_two_rows_and_a_note(tmp_path):
    lay_out(tmp_path, "ada/linear.py", "ada.py")
    found = discover(open_tree(tmp_path))
    assert [entry.name for entry in found.entries] == ["ada", "ada.py"]
    assert "the same student, and no telling which is newer: ada, ada.py" in found.notes


def test_what_was_understood_is_said(tmp_path):
    lines = list(
        describe(discover(open_tree(lay_out(tmp_path, "ada_1_2_linear.py", "bob_LATE_2_3_linear.py", "x.txt"))))
    )
    assert lines == [
        "2 submissions, laid out as Canvas, 1 late",
        "left aside, not named as a submission: x.txt",
    ]


def test_a_folder_without_submissions_is_an_error_that_says_what_one_is(tmp_path):
    with pytest.raises(SubmissionError, match=r"each is a folder, a \.py file, a notebook or an archive"):
        discover(open_tree(lay_out(tmp_path, "notes.txt")))


def test_a_path_that_is_neither_folder_nor_zip_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="not a folder of submissions"):
        open_tree(lay_out(tmp_path, "notes.txt") / "notes.txt")


def test_a_link_to_a_folder_is_not_followed(tmp_path):
    lay_out(tmp_path, "secret/linear.py", "class/ada/linear.py")
    (tmp_path / "class" / "eve").symlink_to(tmp_path / "secret")
    entry = by_name(tmp_path / "class")["eve"]
    assert read_entry(entry).problem == "eve could not be read: a link, which is not followed"


def test_a_link_or_a_pipe_in_a_submission_is_refused_without_a_wait(tmp_path):
    lay_out(tmp_path, "ada/dropout.py")
    (tmp_path / "ada" / "linear.py").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "ada" / "pipe.py")
    tree = open_tree(tmp_path)
    task = read_entry(discover(tree).entries[0])
    assert set(task.submission.files) == {"dropout.py"}
    assert set(task.submission.refused) == {"linear.py", "pipe.py"}


def test_a_handed_in_archive_is_opened_and_its_only_folder_taken_off(tmp_path):
    (tmp_path / "ada.zip").write_bytes(zip_of("hw/linear.py", "hw/notes.md", "__MACOSX/hw/._linear.py"))
    tree = open_tree(tmp_path)
    assert dict(read_entry(discover(tree).entries[0]).submission.files) == {"linear.py": b"x = 1\n"}


def test_a_package_keeps_its_folder(tmp_path):
    lay_out(tmp_path, "ada/work/__init__.py", "ada/work/linear.py")
    tree = open_tree(tmp_path)
    assert set(read_entry(discover(tree).entries[0]).submission.files) == {"work/__init__.py", "work/linear.py"}


def nested(depth: int, name: str = "linear.py") -> bytes:
    content, inner = b"x = 1\n", name
    for level in range(depth):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(inner, content)
        content, inner = file.getvalue(), f"level{level}.zip"
    return content


def test_archives_in_an_archive_are_opened_three_deep_and_no_deeper(tmp_path):
    for name, depth in (("ada", 3), ("bob", 8)):
        (tmp_path / f"{name}.zip").write_bytes(nested(depth))
    ada, bob = map(read_entry, discover(open_tree(tmp_path)).entries)
    assert list(ada.submission.files) == ["linear.py"]
    assert "archives inside one another are opened 3 deep; hand in one archive" in bob.problem


def test_archives_in_archives_without_number_are_not_all_looked_into(tmp_path):
    content = zip_of("linear.py")
    for _ in range(8):  # a hundred million in all
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(10):
                archive.writestr(f"s{number}.zip", content)
        content = file.getvalue()
    lay_out(tmp_path, "ada/linear.py", "bob/linear.py")
    (tmp_path / "eve.zip").write_bytes(content)
    assert list(by_name(tmp_path)) == ["ada", "bob", "eve.zip"]


def test_names_that_differ_only_in_case_get_different_files():
    names = name_all(["Ada", "ada"], {})
    assert len({name.file.lower() for name in names.values()}) == 2


@pytest.mark.parametrize(
    "name", ["a\nb", "../x", "x" * 300, "-rf", "CON", "nul.txt", "caf\udce9", "a/b", "", ".hidden", "x."]
)
def test_an_awkward_name_becomes_a_safe_file_with_a_hash(name):
    safe = safe_file_name(name)
    assert safe != name
    assert len(safe) < 100
    assert safe.isascii()
    assert not set(safe) & set("/\\\n:")
    assert safe[0] not in ".-"


def test_a_name_keeps_its_file_when_others_join():
    first = name_all(["ada"], {})
    assert name_all(["Ada", "ada"], first)["ada"] == first["ada"]


def test_names_that_look_the_same_are_told_apart():
    shown = [name.shown for name in name_all(["a\nb", "a b"], {}).values()]
    assert len(set(shown)) == 2


@pytest.mark.parametrize(
    "text", ["2026-03-01 10:00:00 UTC", "2026-03-01T10:00Z", "2026-03-01 11:00:00 +01:00", "2026-03-01T10:00"]
)
def test_times_are_read_as_people_and_systems_write_them(text):
    assert parse_time(text).timestamp() == 1772359200


def test_a_time_that_is_none_is_an_error_that_shows_how_to_write_one():
    with pytest.raises(UsageError, match="write it as 2026-03-01T23:59"):
        parse_time("tomorrow")
