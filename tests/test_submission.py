"""What is read of a folder or a file that a student handed in."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from pathlib import Path

import pytest

from grader import submission
from grader.errors import GraderError, SubmissionError, UsageError
from grader.submission import MAX_FILES, read_session, read_submission

NOT_REGULAR = "not a regular file (a link, a device or a pipe)"

# Folders that hold no work of the student's.
NOT_THEIRS = ["__pycache__", "__MACOSX", "node_modules", "site-packages", "venv", ".venv", ".git", ".ipynb_checkpoints"]


def write(folder: Path, *names: str, content: bytes = b"x = 1\n") -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_folder_is_its_python_files_and_notebooks_by_their_path_inside(tmp_path):
    write(tmp_path / "Ada", "linear.py", "mlp.ipynb", "parts/dropout.py", "parts/deep/er.py", "notes.txt", "linear.pyc")

    found = read_submission(tmp_path / "Ada")

    assert found.name == "Ada"
    assert dict(found.files) == dict.fromkeys(
        ["linear.py", "mlp.ipynb", "parts/dropout.py", "parts/deep/er.py"], b"x = 1\n"
    )
    assert dict(found.refused) == {}
    assert found.single is False


def test_a_file_is_itself_alone(tmp_path):
    write(tmp_path, "linear.py", "dropout.py")

    found = read_submission(tmp_path / "linear.py")

    assert (found.name, dict(found.files), found.single) == ("linear.py", {"linear.py": b"x = 1\n"}, True)


def test_the_bytes_are_kept_as_they_are(tmp_path):
    content = b"\xef\xbb\xbfx = '\xff\x00'\r\n"

    assert read_submission(write(tmp_path, "a.py", content=content)).files["a.py"] == content


def test_nothing_of_a_submission_can_be_changed(tmp_path):
    found = read_submission(write(tmp_path, "a.py"))

    with pytest.raises(TypeError, match="does not support item assignment"):
        found.files["b.py"] = b""


def test_the_folder_one_is_in_has_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(write(tmp_path / "été 1", "a.py"))

    assert read_submission(Path()).name == "été 1"


def test_a_name_that_would_move_the_cursor_is_cleaned(tmp_path):
    folder = write(tmp_path / "a\x1b[2Jb\n\u202ec", "a.py")

    assert read_submission(folder).name == "ab \\u202ec"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"\xff.py", "\\udcff.py"),
        (b"a\x1b[31m.py", "a.py"),
        (b"a\nb.py", "a b.py"),
        ("\u202eyp.py".encode(), "\\u202eyp.py"),
        ("my  été.py".encode(), "my  été.py"),
    ],
)
def test_the_name_of_a_file_is_text_that_can_be_shown(tmp_path, name, shown):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x = 1\n")

    assert list(read_submission(tmp_path).files) == [shown]


@pytest.mark.parametrize("folder", NOT_THEIRS)
def test_a_folder_that_holds_no_work_is_skipped(tmp_path, folder):
    write(tmp_path, "linear.py", f"{folder}/other.py", f"parts/{folder}/other.py")

    assert list(read_submission(tmp_path).files) == ["linear.py"]


def test_a_virtual_environment_is_known_by_its_file_and_not_by_its_name(tmp_path):
    write(tmp_path, "linear.py", "env311/pyvenv.cfg", "env311/lib/python3.11/torch.py", "envelope/mine.py")

    assert list(read_submission(tmp_path).files) == ["linear.py", "envelope/mine.py"]


def test_a_hidden_file_is_skipped(tmp_path):
    write(tmp_path, "linear.py", "._linear.py", ".hidden.py")

    assert list(read_submission(tmp_path).files) == ["linear.py"]


def test_a_folder_called_like_a_file_is_looked_into(tmp_path):
    assert list(read_submission(write(tmp_path, "linear.py/inner.py")).files) == ["linear.py/inner.py"]


def test_a_link_to_a_file_is_refused(tmp_path):
    secret = write(tmp_path, "secret.py") / "secret.py"
    folder = write(tmp_path / "Ada", "linear.py")
    (folder / "link.py").symlink_to(secret)

    found = read_submission(folder)

    assert list(found.files) == ["linear.py"]
    assert dict(found.refused) == {"link.py": NOT_REGULAR}


def test_a_link_to_a_folder_is_not_followed(tmp_path):
    write(tmp_path / "solutions", "linear.py")
    folder = write(tmp_path / "Ada", "own.py")
    (folder / "solutions").symlink_to(tmp_path / "solutions")
    (folder / "itself").symlink_to(folder)

    assert list(read_submission(folder).files) == ["own.py"]


def test_a_link_that_leads_nowhere_is_refused(tmp_path):
    (write(tmp_path, "a.py") / "b.py").symlink_to("nothing.py")

    assert dict(read_submission(tmp_path).refused) == {"b.py": NOT_REGULAR}


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(write(tmp_path, "a.py") / "pipe.py")

    assert dict(read_submission(tmp_path).refused) == {"pipe.py": NOT_REGULAR}


def test_a_pipe_handed_in_alone_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.py")

    found = read_submission(tmp_path / "pipe.py")

    assert (dict(found.files), dict(found.refused)) == ({}, {"pipe.py": NOT_REGULAR})


def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket may not be long
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.py")

        assert dict(read_submission(tmp_path).refused) == {"socket.py": NOT_REGULAR}


def test_a_file_that_may_not_be_read_is_refused():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (write(folder, "a.py") / "a.py").chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # root may read everything
        try:
            found = read_submission(folder)
        finally:
            os.seteuid(user)

    assert dict(found.refused) == {"a.py": "it could not be opened: Permission denied"}


def test_a_file_of_a_megabyte_is_the_largest(tmp_path):
    write(tmp_path, "large.py", content=b"#" * submission.MAX_FILE_BYTES)
    write(tmp_path, "larger.py", content=b"#" * (submission.MAX_FILE_BYTES + 1))

    found = read_submission(tmp_path)

    assert list(found.files) == ["large.py"]
    assert dict(found.refused) == {
        "larger.py": "larger than 1 MB; keep data out of the file with your functions, and hand in that"
    }


def test_a_notebook_may_be_larger_for_its_pictures(tmp_path):
    write(tmp_path, "large.ipynb", content=b" " * submission.MAX_NOTEBOOK_BYTES)
    write(tmp_path, "larger.ipynb", content=b" " * (submission.MAX_NOTEBOOK_BYTES + 1))

    found = read_submission(tmp_path)

    assert list(found.files) == ["large.ipynb"]
    assert dict(found.refused) == {"larger.ipynb": "larger than 16 MB; clear the outputs of all its cells and save it"}


def test_what_a_submission_holds_in_all_is_bounded(tmp_path):
    write(tmp_path, "1.ipynb", content=b" " * (submission.MAX_BYTES - submission.MAX_NOTEBOOK_BYTES))
    write(tmp_path, "2.ipynb", content=b" " * submission.MAX_NOTEBOOK_BYTES)
    write(tmp_path, "3.py", content=b"#")
    write(tmp_path, "4.py", content=b"")

    found = read_submission(tmp_path)

    assert list(found.files) == ["1.ipynb", "2.ipynb", "4.py"]
    assert dict(found.refused) == {"3.py": "the submission is larger than 24 MB in all"}


def test_two_hundred_files_are_the_most(tmp_path):
    write(tmp_path, *(f"{number}.py" for number in range(submission.MAX_FILES)))
    assert len(read_submission(tmp_path).files) == submission.MAX_FILES

    write(tmp_path, "one_more.py")
    with pytest.raises(SubmissionError) as caught:
        read_submission(tmp_path)

    said = f"{tmp_path} holds more than 200 Python files; give the folder with your functions only"
    assert str(caught.value) == said


def test_an_empty_folder_is_a_submission_without_files(tmp_path):
    assert dict(read_submission(tmp_path).files) == {}


@pytest.mark.parametrize("name", ["nothing", "nothing.py", "linear.py/nothing", "a\0b", "n" * 300])
def test_a_path_that_is_not_there_is_said_so(tmp_path, name):
    write(tmp_path, "linear.py")

    with pytest.raises(UsageError, match=r"is not there; give the folder or the file with your functions$"):
        read_submission(tmp_path / name)


def test_a_path_in_a_message_is_cleaned(tmp_path):
    with pytest.raises(GraderError) as caught:
        read_submission(tmp_path / "a\x1b[31mb")

    assert "\x1b" not in str(caught.value)
    assert "/ab is not there" in str(caught.value)


def test_the_files_stand_in_an_order_that_does_not_depend_on_the_disk(tmp_path):
    names = ["b.py", "a.py", "z/a.py", "c/b.py", "c/a.py"]

    assert list(read_submission(write(tmp_path, *names)).files) == ["a.py", "b.py", "c/a.py", "c/b.py", "z/a.py"]


# What people hand in beside Python files and notebooks, and what they are told.
DOWNLOAD = "give the notebook itself (in Jupyter: File, Download; in Colab: File, Download, Download .ipynb)"
STRANGERS = {
    "linear.py.txt": "linear.py.txt is not a Python file by its name; rename it to linear.py",
    "hw.ipynb.txt": "hw.ipynb.txt is not a notebook by its name; rename it to hw.ipynb",
    "hw.ipynb.json": "hw.ipynb.json is not a notebook by its name; rename it to hw.ipynb",
    "hw.ipynb (1)": "hw.ipynb (1) is not a notebook by its name; rename it to hw.ipynb",
    "LINEAR.PY": "LINEAR.PY is not a Python file by its name; rename it to LINEAR.py",
    "hw.html": f"hw.html is not a notebook but a page made from one; {DOWNLOAD}",
    "hw.docx": f"hw.docx is not a Python file but a document; give a .py file, or {DOWNLOAD}",
    "hw.pdf": f"hw.pdf is not a Python file but a document; give a .py file, or {DOWNLOAD}",
    "hw.zip": "hw.zip is not a Python file but an archive; unpack it and give the folder (of a class: `grade batch`)",
    "hw.txt": "hw.txt is not a Python file by its name; if it holds your functions, let its name end in .py or .ipynb",
    "linear": "linear is not a Python file by its name; if it holds your functions, let its name end in .py or .ipynb",
    "hw.cpp": "hw.cpp is not a Python file; give a .py file, a notebook or the folder that holds them",
}


@pytest.mark.parametrize(("name", "said"), STRANGERS.items())
def test_a_file_of_another_kind_is_told_how_to_become_one_that_is_read(name: str, said: str, tmp_path: Path):
    with pytest.raises(SubmissionError) as caught:
        read_submission(write(tmp_path, name) / name)

    assert str(caught.value) == said


def test_a_folder_with_a_file_that_was_meant_to_be_python_says_so(tmp_path: Path):
    with pytest.raises(SubmissionError) as caught:
        read_submission(write(tmp_path / "ada", "notes.csv", "linear.py.txt"))

    assert str(caught.value) == (
        "ada holds no Python file; linear.py.txt is not a Python file by its name; rename it to linear.py"
    )


def test_a_session_is_its_cells_by_their_number_and_the_python_files_beside_the_notebook(tmp_path):
    write(tmp_path, "linear.py", "parts/deep.py", "parts/other.py", "hw.ipynb", ".hidden.py", "notes.txt")
    cells = ["%load_ext grader", "%%writefile linear.py\nx = 2\n", "x = 3", "x = 4", "x = 3", "%grade"]

    found = read_session(tmp_path, "hw.ipynb", cells, ["parts/deep.py"])

    own = json.loads(found.files["hw.ipynb"])["cells"]
    assert [each["source"] for each in own] == ["%load_ext grader", "", "", "x = 4", "x = 3", "%grade"]
    assert sorted(found.files) == ["hw.ipynb", "linear.py", "parts/deep.py"]
    assert (found.name, found.single, found.first) == ("hw.ipynb", True, "hw.ipynb")


def test_in_a_folder_of_everything_a_session_has_what_it_imported(tmp_path):
    write(tmp_path, *(f"a{number}.py" for number in range(MAX_FILES + 10)), "z/own.py")

    found = read_session(tmp_path, "hw.ipynb", ["x = 1"], ["z/own.py"])

    assert len(found.files) == MAX_FILES
    assert "z/own.py" in found.files
