"""What is said of a word that names nothing: what was probably meant, with the command to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course import Course
from grader.course.meant import explain_function, explain_path

COMMANDS = ["batch", "case", "check", "start"]
PATHS = {
    "linear_backward": "linear_backward is no file or folder here; it is a function of the course: "
    "`grade --only linear_backward`",
    "mlp": "mlp is no file or folder here; it is an assignment of the course: `grade --only mlp`",
    "dlogit_maxes": "dlogit_maxes is no file or folder here, but a gradient of cross_entropy_steps_backward: "
    "`grade --only cross_entropy_steps_backward`",
    "linear.py": "linear.py is not there; `grade start` writes it, and a folder with your files is graded by "
    "`grade FOLDER`",
    "homewrok.py": "homewrok.py is not there; did you mean `grade homework.py`?",
    "chek": "chek is not there; did you mean `grade check`?",
    "linear_bakward": "linear_bakward is not there; did you mean `grade --only linear_backward`?",
    "work/homwork.py": "work/homwork.py is not there; give the folder or the file with your functions",
    "something": "something is not there; give the folder or the file with your functions",
}


@pytest.mark.parametrize(("word", "said"), PATHS.items())
def test_a_path_that_is_not_there_is_told_with_what_was_meant(
    word: str, said: str, course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "homework.py").touch()
    monkeypatch.chdir(tmp_path)

    assert explain_path(course, Path(word), COMMANDS) == said


def test_a_file_beside_is_meant_in_another_folder_too(course: Course, tmp_path: Path):
    (tmp_path / "homework.ipynb").touch()

    said = explain_path(course, tmp_path / "homewok.ipynb", COMMANDS)

    assert said.endswith(f"did you mean `grade {tmp_path}/homework.ipynb`?")


FUNCTIONS = {
    "mlp": "mlp is an assignment; its function is mlp_backward: `grade case mlp_backward`",
    "linear.py": "linear.py is an assignment; its function is linear_backward: `grade case linear_backward`",
    "dropout": "dropout is an assignment; it has dropout_backward, tanh_dropout_backward: "
    "`grade case dropout_backward`",
    "dcontext": "dcontext is a gradient of cross_attention_backward: `grade case cross_attention_backward`",
    "linear_bakward": "linear_bakward is no function of the course; did you mean `grade case linear_backward`?",
}


@pytest.mark.parametrize(("word", "said"), FUNCTIONS.items())
def test_a_word_that_is_no_function_is_told_with_the_one_that_was_meant(word: str, said: str, course: Course):
    assert explain_function(course, word, "grade case") == said


def test_where_nothing_is_near_all_functions_are_listed(course: Course):
    assert explain_function(course, "xyz", "grade case").startswith(
        "xyz is no function of the course; there are add_backward, "
    )
