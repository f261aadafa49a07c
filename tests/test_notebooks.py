"""Notebooks and several files as they are handed in: what is graded of them, and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from grader.errors import SubmissionError
from grader.grading import Grader
from grader.results import ExerciseFeedback
from grader.sandbox.warm import Warm
from grader.submission import Submission

RIGHT = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
WRONG = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(1)\n"
STUB = "def linear_backward(dout, x, W):\n    dx = None  # (N, D)\n    dW = db = None\n    return dx, dW, db\n"
RAISES = "def linear_backward(dout, x, W):\n    raise NotImplementedError\n"
DROPOUT = "def dropout_backward(dout, mask, p):\n    return dout * mask / (1 - p)\n"

Graded = Callable[[Mapping[str, str]], dict[str, ExerciseFeedback]]


def notebook(*cells: str, **metadata: object) -> str:
    made = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in cells]
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture(scope="module")
def grade_files(small_grader: Grader, warm: Warm) -> Graded:
    """Grade files by their names; returns the feedback by function."""

    def grade_files(files: Mapping[str, str]) -> dict[str, ExerciseFeedback]:
        submission = Submission("ada", {name: text.encode() for name, text in files.items()}, {})
        report = small_grader.grade(submission, warm)
        return {each.function: each for part in report.assignments for each in part.exercises}

    return grade_files


# What stands before or around a function in a notebook that runs elsewhere, and is no reason to lose it here.
AROUND = {
    "a library that is not here": ["import matplotlib.pyplot as plt\nimport seaborn as sns\nplt.style.use('x')", RIGHT],
    "and the function under it": [f"import matplotlib.pyplot as plt\n{RIGHT}"],
    "a download": ["import urllib.request\nurllib.request.urlretrieve('http://example.org/a', 'a')", RIGHT],
    "shell and magics": ["%matplotlib inline\n!pip install -q torch \\\n  torchvision\n!wget x", RIGHT],
    "a drive": ["from google.colab import drive\ndrive.mount('/content/drive')\n%cd /content/drive/MyDrive", RIGHT],
    "a file that is not here": ["words = open('names.txt').read().splitlines()", RIGHT],
    "training without end": ["import torch\nW1 = torch.randn(3)\nwhile True:\n    W1 += 1", RIGHT],
    "a question": ["name = input('Your name?')", RIGHT],
    "the end of a kernel": ["import sys\nsys.exit()", RIGHT, "exit()"],
    "another language": ["%%bash\nfor i in 1 2; do echo $i; done", RIGHT, "%%html\n<b>x</b>"],
    "a cell that is not finished": ["def half(:\n    pass", RIGHT, "x = ("],
    "a plot below": [RIGHT, "import matplotlib.pyplot as plt\nplt.imshow(x)\nassert cmp(1, 2)"],
    "the function twice, and the stub last": [RIGHT, RAISES],
    "the function twice, and the stub first": [STUB, RIGHT],
    "a first try": [WRONG, RIGHT],
    "annotations of a library that is not here": [
        "from jaxtyping import Float\nfrom torch import Tensor\nfrom cs231n.layers import *",
        "def linear_backward(dout: Float[Tensor, 'n m'], x, W) -> Float:\n"
        "    return dout @ W.T, x.T @ dout, dout.sum(0)",
    ],
    "a check that takes the function": [
        f"{RIGHT}\ndef check(f):\n    while True:\n        f(1, 2, 3)",
        "check(linear_backward)\nlinear_backward(1, 2, 3)",
    ],
    "names of another Python": [
        "from past.builtins import xrange\nfrom builtins import range\nfrom six.moves import xrange as more",
        "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, sum(dout[i] for i in xrange(len(dout)))",
    ],
    "a graphics card": ["import torch\ndevice = torch.device('cuda')\ntorch.set_default_device('cuda')", RIGHT],
}


@pytest.mark.parametrize("cells", AROUND.values(), ids=AROUND)
def test_what_a_function_does_not_need_does_not_run(cells: list[str], grade_files: Graded):
    graded = grade_files({"hw.ipynb": notebook(*cells)})["linear_backward"]

    assert (graded.outcome.value, graded.score, graded.message) == ("returned", 5, "")


# What a function rests on, at the top of a notebook: it runs, in order, and with what it rests on itself.
NEEDED = {
    "an import": [
        "import torch as T",
        "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, T.sum(dout, 0)",
    ],
    "a constant from a constant": [
        "AXES = {'rows': 0}\nAXES['db'] = AXES['rows']",
        "ROWS = AXES['db']\ndef linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(ROWS)",
    ],
    "a helper in a later cell": [
        "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, over_rows(dout)",
        "def over_rows(t):\n    return t.sum(ROWS)",
        "ROWS = 0",
    ],
    "a list that is filled": [
        "axes = []\nfor axis in range(1):\n    axes.append(axis)",
        "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(axes)",
    ],
    "a decorator": [
        "import torch\nfrom functools import wraps\ndef quiet(f):\n    @wraps(f)\n    def g(*a, **k):\n"
        "        with torch.no_grad():\n            return f(*a, **k)\n    return g",
        f"@quiet\n{RIGHT}",
    ],
    "a star": [
        "from torch import *",
        "def linear_backward(dout, x, W):\n    return matmul(dout, W.T), x.T @ dout, sum(dout, 0)",
    ],
    "a class": [
        "class Linear:\n    def backward(self, dout, x, W):\n        return dout @ W.T, x.T @ dout, dout.sum(0)",
        "layer = Linear()\ndef linear_backward(dout, x, W):\n    return layer.backward(dout, x, W)",
    ],
    "another name": ["def back(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)", "linear_backward = back"],
    "a call that makes it": [
        "def make():\n    global linear_backward\n    def linear_backward(dout, x, W):\n"
        "        return dout @ W.T, x.T @ dout, dout.sum(0)",
        "make()",
    ],
}


@pytest.mark.parametrize("cells", NEEDED.values(), ids=NEEDED)
def test_what_a_function_needs_runs(cells: list[str], grade_files: Graded):
    graded = grade_files({"hw.ipynb": notebook("%matplotlib inline", *cells)})["linear_backward"]

    assert (graded.outcome.value, graded.score, graded.message) == ("returned", 5, "")


# What is said of one function, where something failed: of the statement in its cell, and of those above and below.
FAILED = {
    "what a function needs": (
        [DROPOUT, "x = 1\nstoi = open('names.txt')", "def linear_backward(dout, x, W):\n    return stoi"],
        "NameError: name 'stoi' is not defined; hw.ipynb cell 2 line 2, which makes stoi, failed: FileNotFoundError",
    ),
    "where a function is defined": (
        [DROPOUT, f"@checked\n{RIGHT}"],
        "hw.ipynb cell 2 stopped at line 1, before linear_backward was defined: NameError: name 'checked' is not "
        "defined; functions above it were graded, and those below",
    ),
    "the text of the cell": (
        [DROPOUT, "def linear_backward(dout, x, W):\n    return dout @\n"],
        "hw.ipynb cell 2 stopped at line 2, before linear_backward was defined: SyntaxError: invalid syntax; "
        "functions above it were graded, and those below",
    ),
}


@pytest.mark.parametrize(("cells", "said"), FAILED.values(), ids=FAILED)
def test_a_cell_that_failed_is_told_with_its_line_and_costs_no_other_function(
    cells: list[str], said: str, grade_files: Graded
):
    graded = grade_files({"hw.ipynb": notebook(*cells)})

    assert (graded["linear_backward"].outcome.value, graded["linear_backward"].score) == ("raised", 0)
    assert said in graded["linear_backward"].message
    assert graded["dropout_backward"].outcome.value == "returned"
    assert graded["dropout_backward"].score == graded["dropout_backward"].max_score


def test_the_end_of_a_file_is_told_with_what_stands_above(grade_files: Graded):
    graded = grade_files({"both.py": f"{RIGHT}\nimport sys\nsys.exit()\n{DROPOUT}"})

    assert graded["linear_backward"].score == 5
    assert graded["linear_backward"].message == (
        "both.py stopped at line 5: SystemExit; functions above were graded, those below did not run"
    )
    assert graded["dropout_backward"].score == 0


EDITED = notebook(f"%%writefile linear.py\n{RIGHT}")
# Files in which the same function stands, the score, and what is said of it.
TWICE = {
    "an edited cell that did not run": (
        {"linear.py": WRONG, "hw.ipynb": EDITED},
        3.5,
        "linear_backward is written in linear.py and otherwise in hw.ipynb cell 1 (which writes linear.py): linear.py "
        "was graded; run that cell to make them one",
    ),
    "an edited cell beside the template": (
        {"linear.py": STUB, "hw.ipynb": EDITED},
        5,
        "linear_backward is not written in linear.py, but in hw.ipynb cell 1 (which writes linear.py): that was graded",
    ),
    "a cell that ran": ({"linear.py": RIGHT + "\n", "hw.ipynb": EDITED}, 5, ""),
    "a comment more": ({"linear.py": f"# mine\n{RIGHT}", "hw.ipynb": EDITED}, 5, ""),
    "the template's notebook beside the work": (
        {"linear.py": RIGHT, "backprop.ipynb": notebook(f"%%writefile linear.py\n{STUB}")},
        5,
        "",
    ),
    "a second version beside the template": (
        {"linear.py": RAISES, "linear_v2.py": RIGHT},
        5,
        "linear_backward is not written in linear.py, but in linear_v2.py: that was graded",
    ),
    "a second version beside a first": (
        {"linear.py": WRONG, "linear_v2.py": RIGHT},
        3.5,
        "linear_backward is written in linear.py and otherwise in linear_v2.py: linear.py was graded",
    ),
    "two files of other names": (
        {"a.py": STUB, "b.py": RIGHT},
        5,
        "linear_backward is not written in a.py, but in b.py: that was graded",
    ),
    "a file that cannot be read": ({"linear.py": "def linear_backward(:", "old.py": RIGHT}, 5, ""),
    "a file that imports it": ({"linear.py": "from work import linear_backward", "work.py": RIGHT}, 5, ""),
    "a notebook beside the template": (
        {"linear.py": STUB, "hw.ipynb": notebook(RIGHT)},
        5,
        "linear_backward is not written in linear.py, but in hw.ipynb: that was graded",
    ),
}


@pytest.mark.parametrize(("files", "score", "said"), TWICE.values(), ids=TWICE)
def test_of_several_files_the_written_one_is_graded_and_it_is_said(
    files: Mapping[str, str], score: float, said: str, grade_files: Graded
):
    graded = grade_files(files)["linear_backward"]

    assert (graded.outcome.value, graded.score) == ("returned", score), graded.message
    assert said == graded.message or (said and said in graded.message)


def test_annotations_of_a_library_that_is_not_here_cost_nothing_in_a_file_either(grade_files: Graded):
    typed = RIGHT.replace("dout,", "dout: Float,", 1)

    graded = grade_files({"linear.py": f"from jaxtyping import Float\n\n{typed}"})["linear_backward"]

    assert (graded.outcome.value, graded.score, graded.message) == ("returned", 5, "")


def test_a_function_that_is_nowhere_is_told_with_the_notebook_that_could_not_be_read(grade_files: Graded):
    graded = grade_files({"linear.py": RIGHT, "hw.ipynb": ""})["dropout_backward"]

    assert (graded.outcome.value, graded.message) == (
        "missing",
        "dropout_backward is defined in no file of the submission; hw.ipynb: it is empty; save the notebook and hand "
        "it in again",
    )


def test_stubs_in_two_files_are_not_written(grade_files: Graded):
    graded = grade_files({"linear.py": STUB, "linear_v2.py": RAISES})["linear_backward"]

    assert graded.outcome.value == "not_written"
    assert "graded" not in graded.message


EXPORT = f'''# -*- coding: utf-8 -*-
"""Automatically generated by Colab."""

!wget -q http://example.org/names.txt
# Commented out IPython magic to ensure Python compatibility.
# %matplotlib inline
import matplotlib.pyplot as plt

{RIGHT}
while True:
    pass
'''


def test_a_script_that_was_exported_is_read_as_the_notebook_it_was(grade_files: Graded):
    graded = grade_files({"hw.py": EXPORT})["linear_backward"]

    assert (graded.outcome.value, graded.score, graded.message) == ("returned", 5, "")


NOTHING = {
    "an empty notebook": ({"hw.ipynb": ""}, "hw.ipynb: it is empty; save the notebook and hand it in again"),
    "another language": (
        {"hw.ipynb": notebook("f <- function(a) a", kernelspec={"name": "ir", "display_name": "R", "language": "R"})},
        "hw.ipynb: a notebook in R, not in Python; the course's functions are Python functions",
    ),
    "statements of the lesson": (
        {"hw.ipynb": notebook("dx = 1\ndW = dx\ndb = 2", "dx=3\ndout = 4\ndh = 1")},
        "no function of the course is defined in ada (looked for linear_backward, dropout_backward, "
        "tanh_dropout_backward); `grade start` makes a folder with a file for each assignment",
    ),
    "a misspelt function": (
        {"hw.py": "def linear_bakward(dout, x, W):\n    pass\n"},
        "no function of the course is defined in ada (looked for linear_backward, dropout_backward, "
        "tanh_dropout_backward); is linear_bakward meant to be linear_backward?",
    ),
}


@pytest.mark.parametrize(("files", "said"), NOTHING.values(), ids=NOTHING)
def test_where_there_is_nothing_to_grade_the_way_on_is_said(files: Mapping[str, str], said: str, grade_files: Graded):
    with pytest.raises(SubmissionError) as caught:
        grade_files(files)

    assert str(caught.value) == said
