"""Exercises that are statements: how they are found in notebooks and scripts, and that nothing else runs."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from grader.course import Course
from grader.errors import SubmissionError
from grader.grading import Grader
from grader.results import ExerciseFeedback, Report
from grader.sandbox.answer import Outcome
from grader.sandbox.warm import Warm
from grader.submission import Submission
from grader.verdict.compare import Verdict

LOSS = """\
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0 / n
dprobs = dlogprobs / probs
dcounts_sum_inv = (dprobs * counts).sum(1, keepdim=True)
dcounts = dprobs * counts_sum_inv
dcounts_sum = -dcounts_sum_inv * counts_sum ** -2
dcounts += dcounts_sum
dnorm_logits = dcounts * counts
dlogit_maxes = -dnorm_logits.sum(1, keepdim=True)
dlogits = dnorm_logits.clone()
dlogits += F.one_hot(logits.max(1).indices, num_classes=27) * dlogit_maxes
"""
LAYER = """\
dh = dlogits @ W2.T
dW2 = h.T @ dlogits
db2 = dlogits.sum(0)
dhpreact = (1 - h ** 2) * dh
"""
NORM = """\
dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
dbnbias = dhpreact.sum(0, keepdim=True)
dbnraw = bngain * dhpreact
dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)
dbnvar = -0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv
dbndiff2 = torch.ones_like(bndiff2) * dbnvar / (n - 1)
dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2
dbnmeani = -dbndiff.sum(0, keepdim=True)
dhprebn = dbndiff + dbnmeani / n
"""
EMBED = """\
dembcat = dhprebn @ W1.T
dW1 = embcat.T @ dhprebn
db1 = dhprebn.sum(0)
demb = dembcat.view(emb.shape)
dC = torch.zeros_like(C)
for k in range(Xb.shape[0]):
    for j in range(Xb.shape[1]):
        ix = Xb[k, j]
        dC[ix] += demb[k, j]
"""
FIRST = LOSS + LAYER + NORM + EMBED
SECOND = "dlogits = F.softmax(logits, 1)\ndlogits[range(n), Yb] -= 1\ndlogits /= n\n"
THIRD = """\
dhprebn = bngain*bnvar_inv/n * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))
"""
# What stands around the exercises in the lesson's notebook, as far as something could go wrong with it here.
BEFORE = [
    "import matplotlib.pyplot as plt\nimport torch.nn.functional as F\nimport torch\n%matplotlib inline",
    "!wget https://example.org/names.txt\nwords = open('names.txt').read().splitlines()\nitos = {0: '.'}",
    "vocab_size = len(itos)\nn_embd, n_hidden = 10, 200\nbatch_size = 64\nn = batch_size",
    "ix = torch.randint(0, Xtr.shape[0], (batch_size,))\nXb, Yb = Xtr[ix], Ytr[ix]\nC = torch.randn(27, 10)",
    "def cmp(s, dt, t):\n    ex = torch.all(dt == t.grad).item()\n    print(s, ex)",
    "emb = C[Xb]\nembcat = emb.view(emb.shape[0], -1)\nlogits = embcat @ W1",
    "for t in [emb, logits]:\n    t.retain_grad()\nloss = logits.sum()\nloss.backward()\nprint('forward ran')",
]
TRAINING = """\
for i in range(200000):
    ix = torch.randint(0, Xtr.shape[0], (batch_size,))
    Xb, Yb = Xtr[ix], Ytr[ix]
    logits = C[Xb].view(32, -1) @ W1
    loss = F.cross_entropy(logits, Yb)
    loss.backward()
    dlogits = logits * 0
    dhprebn = dlogits * 0
    dC, dW1 = None, None
    grads = [dC, dW1]
    for p, grad in zip(parameters, grads):
        p.data += -0.1 * grad
"""

GradeCells = Callable[..., Report]


def notebook(cells: Sequence[str]) -> bytes:
    """Return a notebook with these code cells."""
    made = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": text} for text in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.fixture(scope="module")
def grader(course: Course) -> Grader:
    return Grader(course, 0, ["makemore"])


@pytest.fixture(scope="module")
def grade_files(grader: Grader, warm: Warm) -> Callable[[Mapping[str, bytes]], Report]:
    return lambda files: grader.grade(Submission("student", files, {}, single=len(files) == 1), warm)


@pytest.fixture(scope="module")
def grade_cells(grade_files) -> GradeCells:
    return lambda *cells: grade_files({"lesson.ipynb": notebook(cells)})


def exercise(report: Report, number: int) -> ExerciseFeedback:
    return next(part for part in report.assignments if part.name == "makemore").exercises[number - 1]


def not_right(report: Report, number: int = 1) -> dict[str, Verdict]:
    return {
        each.name: each.verdict for each in exercise(report, number).gradients if each.verdict is not Verdict.CORRECT
    }


def lines(text: str) -> list[str]:
    """Return the statements of a text, each as a cell."""
    return [ast.unparse(node) for node in ast.parse(text).body]


def indented(text: str) -> str:
    return textwrap.indent(text, "    ")


# What a student calls the values from the first layer to the tanh.
OWN_NAMES = {
    "Xb": "inputs", "Yb": "targets", "embcat": "flat", "emb": "vectors", "hprebn": "pre", "bnmeani": "mu",
    "bndiff2": "squares", "bndiff": "centred", "bnvar_inv": "scale", "bnvar": "spread", "bnraw": "xhat",
    "hpreact": "act", "bngain": "gain", "bnbias": "shift",
}  # fmt: skip


def _in_own_names(text: str) -> str:
    for name, own in OWN_NAMES.items():
        text = re.sub(rf"\b(d?){name}\b", rf"\g<1>{own}", text)
    return text


def _of_a_class(text: str) -> str:
    """Return statements with logits_grad for dlogits, and with parameters that are attributes."""
    text = re.sub(r"\b(C|W1|W2|bngain)\b", r"self.\1", text)
    return re.sub(r"\bd(?!im|type)([a-zA-Z]\w*)\b", r"\1_grad", text)


CMP = "cmp('logits', dlogits, logits)\nassert cmp('C', dC, C)\n"
WAYS = {
    "one cell": [FIRST, SECOND, THIRD],
    "one statement for each cell": [*lines(FIRST), *lines(SECOND), THIRD],
    "with the whole lesson around it": [*BEFORE, FIRST + CMP, SECOND + CMP, THIRD, TRAINING],
    "comparisons between": [
        "\n".join(f"{line}\ncmp('x', dlogprobs, logprobs)" for line in lines(FIRST)), SECOND, THIRD
    ],
    "completed some cells later": [
        LOSS.replace("dcounts += dcounts_sum\n", "").partition("dnorm_logits")[0],
        "print(dcounts.shape)",
        "dcounts += dcounts_sum",
        "dnorm_logits" + LOSS.partition("\ndnorm_logits")[2],
        LAYER + NORM + EMBED,
        SECOND,
        THIRD,
    ],
    "two attempts": [FIRST.replace("-0.5 *", "0.5 *").replace("/ (n - 1)", "/ n"), FIRST, SECOND, THIRD],
    "a gradient tried again below": [
        FIRST.replace("dlogits += F.one_hot", "dlogits += 3 * dprobs + F.one_hot"),
        "dlogits = dnorm_logits.clone()\ndlogits += F.one_hot(logits.max(1).indices, num_classes=27) * dlogit_maxes",
        SECOND,
        THIRD,
    ],
    "inside functions": [
        f"def exercise1():\n{indented(FIRST)}    return dC\n\nexercise1()",
        f"def fast():\n{indented(SECOND)}    return dlogits\n\ndlogits = fast()",
        f"def fused():\n{indented(THIRD)}    cmp('hprebn', dhprebn, hprebn)\n\nfused()",
    ],
    "inside no_grad": [*(f"with torch.no_grad():\n{indented(text)}" for text in (FIRST, SECOND)), THIRD],
    "under a main": [f"if __name__ == '__main__':\n{indented(FIRST + SECOND + THIRD)}"],
    "timed cells": [f"%%time\n{FIRST}", f"%%timeit\n{SECOND}", f"%time pass\n{THIRD}"],
    "own constants and helpers": [
        "B, T = 32, 3\ndef onehot(t, size):\n    return torch.eye(size)[t]",
        FIRST.replace("-1.0 / n", "-1.0 / B").replace("F.one_hot(logits.max(1).indices, num_classes=27)", "mask"),
        SECOND,
        THIRD,
        "mask = onehot(logits.argmax(1), vocab_size)",
    ],
    "own imports": [
        "import numpy as np\nfrom torch import zeros_like as empty",
        FIRST.replace("torch.zeros_like", "empty"),
        SECOND,
        THIRD.replace("n/(n-1)", "np.float64(n/(n-1))"),
    ],
    "a misspelt gradient": [FIRST.replace("dlogit_maxes", "dlogits_maxes"), SECOND, THIRD],
    "gradients with underscores": [
        FIRST.replace("dhpreact", "d_hpreact").replace("dcounts_sum_inv", "d_counts_sum_inv"),
        SECOND,
        THIRD.replace("dhpreact", "d_hpreact"),
    ],
    "a renamed value of the forward": [
        "bndiffsquarred = bndiff ** 2\nbnvar = 1/(n-1)*(bndiffsquarred).sum(0, keepdim=True)",
        FIRST.replace("bndiff2", "bndiffsquarred"),
        SECOND,
        THIRD,
    ],
    "another name for the batch": [
        "X_batch, Y_batch = Xtr[ix], Ytr[ix]\nemb = C[X_batch]",
        FIRST.replace("Xb", "X_batch").replace("Yb", "Y_batch"),
        SECOND.replace("Yb", "Y_batch"),
        THIRD,
    ],
    "all names with underscores": [
        "bn_gain = torch.randn((1, 200))\nh_prebn = embcat @ W1 + B1\nbnmean = 1/n*h_prebn.sum(0, keepdim=True)",
        *(
            text.replace("bngain", "bn_gain").replace("hprebn", "h_prebn").replace("bnmeani", "bnmean")
            .replace("b1", "B1")
            for text in (FIRST, SECOND, THIRD)
        ),
    ],
    "the short ways under names of their own": [
        FIRST, SECOND.replace("dlogits", "dlogits_fast"), THIRD.replace("dhprebn", "dhprebn_fused")
    ],
    "beginning with dloss": [
        "dloss = 1.0\n" + FIRST.replace("-1.0 / n", "-1.0 / n * dloss"), SECOND, THIRD
    ],
    "the last step written first": [
        "import torch", "dC = torch.zeros_like(C)\nfor k in range(32):\n    dC[k] += demb[k]",
        "demb = torch.zeros_like(emb)", FIRST, SECOND, THIRD
    ],
    "another name for a gradient, changed when that one is done": [
        FIRST.replace("dhprebn = dbndiff + dbnmeani / n", "dhprebn = dbndiff\ndhprebn += dbnmeani / n"), SECOND, THIRD
    ],
    "an attempt in comments": ["# dlogits = nonsense(\n" + FIRST, "'''\ndlogits = 1\n'''\n" + SECOND, THIRD],
    "a cell that is not Python": ["this is no Python at all", FIRST, "dlogits = (", SECOND, THIRD],
    "by views": [
        FIRST.partition("demb =")[0] + "demb = torch.zeros_like(emb)\ndemb.view(32, -1).copy_(dembcat)\n"
        "dC = torch.zeros_like(C)\nrows = dC.view(-1, 10)\nrows.index_add_(0, Xb.view(-1), demb.view(-1, 10))\n",
        SECOND,
        THIRD,
    ],
    "an alias that is changed": [FIRST.replace("dnorm_logits.clone()", "dnorm_logits"), SECOND, THIRD],
    "with a scatter": [
        FIRST.partition("dC =")[0] + "dC = torch.zeros_like(C)\nindex = Xb.view(-1, 1).expand(-1, 10)\n"
        "dC.scatter_add_(0, index, demb.view(-1, 10))",
        SECOND,
        THIRD,
    ],
    "exercise two before one": [SECOND, FIRST, THIRD],
    "sizes from data that are not here": [
        "try:\n    from model import load\nexcept ImportError:\n    from .model import load\nvoc, emb = load().sizes",
        "C = torch.randn((voc, width))\nb1 = torch.randn(hidden) * 0.1",
        FIRST.replace("=27", "=voc").replace("emb.shape", "-1, 3, width").replace("h.T @", "h.view(-1, hidden).T @"),
        SECOND,
        THIRD,
    ],
    "the size of the batch from a file": [
        "m = torch.load('state.pt')['m']\nloss = -logprobs[range(m), Yb].mean()",
        *(re.sub(r"\bn\b", "m", text) for text in (FIRST, SECOND)),
        THIRD,
    ],
    "a class, with another word for a gradient": [
        f"class Net:\n    def __init__(self):\n        self.W1 = draw()\n\n    def step(self, inputs, rate):\n"
        f"{textwrap.indent(_of_a_class(FIRST), ' ' * 8)}        self.update(rate)\n",
        SECOND.replace("dlogits", "dlogits_fast"),
        THIRD.replace("dhprebn", "dhprebn_fast").replace("dhpreact", "hpreact_grad"),
    ],
    "a helper with a parameter of another name": [
        "def onehot(y_batch, size):\n    return torch.eye(size)[y_batch]",
        FIRST.replace("Yb", "y_batch"),
        SECOND.replace("dlogits[range(n), Yb] -= 1", "dlogits -= onehot(y_batch=y_batch, size=27)"),
        THIRD,
    ],
    "constants in capitals": [
        "N, N_EMBD = load_config()",
        FIRST.replace("/ n", "/ N").replace("n - 1", "N - 1").replace("range(n)", "range(N)"),
        SECOND.replace("/= n", "/= N").replace("range(n)", "range(N)"),
        THIRD,
    ],
    "in a function that is given a forward pass of another form": [
        f"def by_hand(x, y, weights, steps):\n    C, n = weights['C'], x.shape[0]\n    logits = steps['logits']\n"
        f"{indented(FIRST)}    return {{'C': dC}}\n\n\nfor name, made in by_hand(*prepare()).items():\n    print(name)",
        SECOND,
        THIRD,
    ],
    "a function for each step, in any order": [
        LOSS,
        f"def norm(dhpreact):\n{indented(NORM)}    return dhprebn\n\n\n"
        f"def layer(dlogits, W2, h):\n{indented(LAYER)}    return dh\n",
        EMBED,
        SECOND,
        THIRD,
    ],
    "all of it in the training loop": [
        f"for i in range(200000):\n    Xb = Xtr[i]\n    logits = C[Xb] @ W1\n    loss.backward()\n"
        f"{indented(FIRST + SECOND.replace('dlogits', 'dlogits_fast') + THIRD.replace('dhprebn', 'dhprebn_fast'))}"
        "    if i > 3:\n        break\n    lossi.append(loss.item())"
    ],
    "a training loop under a condition": [
        f"def main():\n{indented(FIRST + SECOND + THIRD)}"
        f"    if max_steps > 0:\n        with torch.no_grad():\n{textwrap.indent(TRAINING, ' ' * 12)}",
    ],
    "cells of marimo": [
        "import marimo\napp = marimo.App()",
        *(
            f"@app.cell\ndef _(torch, parameters, compare):\n{indented(text)}    return\n"
            for text in (LOSS, LAYER, NORM, EMBED, SECOND, THIRD)
        ),
    ],
    "a forward pass in names of one's own": [
        "inputs, targets = batch()\nvectors = C[inputs]\nflat = vectors.view(vectors.shape[0], -1)\n"
        "pre = flat @ W1 + b1\nmu = pre.mean(0, keepdim=True)\ncentred = pre - mu\nsquares = centred**2\n"
        "spread = pre.var(0, keepdim=True)\nscale = (spread + 1e-5)**-0.5\nxhat = centred * scale\n"
        "act = gain * xhat + shift\nh = torch.tanh(act)\nloss = -logprobs[range(n), targets].mean()",
        *(_in_own_names(text) for text in (FIRST, SECOND, THIRD)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("cells", WAYS.values(), ids=WAYS)
def test_however_it_is_written_it_is_found(cells: Sequence[str], grade_cells: GradeCells) -> None:
    report = grade_cells(*cells)
    assert [not_right(report, number) for number in (1, 2, 3)] == [{}, {}, {}]
    assert (report.score, report.max_score) == (20.0, 20.0)


@pytest.mark.parametrize(
    "text",
    [FIRST + SECOND + THIRD, f"\ufeff{FIRST}{SECOND}{THIRD}", f"# %%\n{FIRST}\n# %% two\n{SECOND}\n# %%\n{THIRD}"],
)
def test_a_script_is_graded_as_well(text: str, grade_files) -> None:
    assert grade_files({"lesson.py": text.encode()}).score == 20.0


def test_a_lesson_in_numpy_is_given_arrays(grade_cells: GradeCells) -> None:
    text = FIRST.replace("torch.zeros_like", "np.zeros_like").replace("torch.ones_like", "np.ones_like")
    text = text.replace("keepdim=", "keepdims=").replace(".clone()", ".copy()").replace(".view(", ".reshape(")
    text = text.replace("F.one_hot(logits.max(1).indices, num_classes=27)", "np.eye(27)[logits.argmax(1)]")
    assert not_right(grade_cells("import numpy as np", text)) == {}
    wrong = grade_cells("import numpy as np", text.replace("(1 - h ** 2)", "(1 - h)"))
    assert [each.name for each in exercise(wrong, 1).slips] == ["dhpreact"]


def test_nothing_else_runs(grade_cells: GradeCells) -> None:
    loud = "print('this ran')\nopen('names.txt')\nraise SystemExit"
    report = grade_cells(*BEFORE, loud, FIRST, loud, SECOND, THIRD, "import os\nos._exit(0)", TRAINING)
    assert report.score == 20.0
    assert [each.printed for each in report.selected[0].exercises] == ["", "", ""]
    assert [each.flags for each in report.selected[0].exercises] == [(), (), ()]


def test_it_says_where_it_was_found(grade_cells: GradeCells) -> None:
    report = grade_cells("import torch", *lines(FIRST), "print(1)", SECOND, THIRD)
    count = len(lines(FIRST))
    assert exercise(report, 1).message == f"found in cells 2 to {count + 1}"
    assert exercise(report, 2).message == f"found in cell {count + 3}"


def test_a_near_name_is_said(grade_cells: GradeCells) -> None:
    report = grade_cells(FIRST.replace("dlogit_maxes", "dlogits_maxes"))
    assert exercise(report, 1).message == "found in cell 1; dlogits_maxes is read as dlogit_maxes"


def test_a_slip_costs_its_own_gradient(grade_cells: GradeCells) -> None:
    report = grade_cells(FIRST.replace("dbnvar / (n - 1)", "dbnvar / n"), SECOND, THIRD)
    feedback = exercise(report, 1)
    assert [each.name for each in feedback.slips] == ["dbndiff2"]
    assert feedback.score == pytest.approx(13 - 13 / 24)
    assert not_right(report)["dC"] is Verdict.FOLLOWS
    assert "n - 1" in feedback.slips[0].diagnosis.message
    assert (feedback.slips[0].code.file, feedback.slips[0].code.line) == ("lesson.ipynb cell 1", 21)


def test_a_statement_that_raises_costs_what_it_makes_and_the_rest_runs(grade_cells: GradeCells) -> None:
    report = grade_cells("x = 1", FIRST.replace("dbnvar = -0.5", "dbnvar = oops * -0.5"), SECOND, THIRD)
    feedback = exercise(report, 1)
    assert feedback.outcome is Outcome.RAISED
    assert feedback.message == "NameError: name 'oops' is not defined"
    assert (feedback.file, feedback.line) == ("lesson.ipynb cell 2", 20)
    assert [each.name for each in feedback.slips] == ["dbnvar"]
    assert exercise(report, 3).score == 4.0


def test_a_step_that_was_left_out_costs_itself(grade_cells: GradeCells) -> None:
    report = grade_cells(FIRST.replace("dbnraw = bngain * dhpreact\n", ""))
    feedback = exercise(report, 1)
    assert feedback.message == "NameError: name 'dbnraw' is not defined"
    assert [each.name for each in feedback.slips] == ["dbnraw"]


def test_an_exercise_that_is_not_there_is_missing(grade_cells: GradeCells) -> None:
    report = grade_cells(FIRST)
    assert [exercise(report, number).outcome for number in (2, 3)] == [Outcome.MISSING] * 2
    assert report.score == 13.0


def test_what_is_none_is_not_written(grade_cells: GradeCells) -> None:
    report = grade_cells("dlogits = None # TODO. my solution is 3 lines", "dhprebn = None", TRAINING)
    assert [exercise(report, number).outcome for number in (2, 3)] == [Outcome.NOT_WRITTEN] * 2
    assert report.score == 0.0


@pytest.mark.parametrize("cell", ["# YOUR CODE HERE :)\n# cmp('logprobs', dlogprobs, logprobs)", "cmp('h', dh, h)"])
def test_a_cell_that_only_names_what_is_to_be_written_is_not_written(cell: str, grade_cells: GradeCells) -> None:
    report = grade_cells(cell, "dlogits = None # TODO. my solution is 3 lines", "dhprebn = None")
    assert [exercise(report, number).outcome for number in (1, 2, 3)] == [Outcome.NOT_WRITTEN] * 3


def test_exercise_1_keeps_its_own_where_the_others_are_not_written(grade_cells: GradeCells) -> None:
    report = grade_cells(FIRST, "dlogits = None", "dhprebn = None")
    assert not_right(report) == {}


@pytest.mark.parametrize(
    ("cells", "number"), [([LOSS], 2), ([LOSS, LAYER, NORM], 3)], ids=["dlogits step by step", "dhprebn step by step"]
)
def test_the_long_way_is_not_the_short_one(cells: Sequence[str], number: int, grade_cells: GradeCells) -> None:
    assert exercise(grade_cells(*cells), number).outcome is Outcome.MISSING


def test_an_axis_of_size_one_counts_with_a_note(grade_cells: GradeCells) -> None:
    report = grade_cells(FIRST.replace("dbnmeani = -dbndiff.sum(0, keepdim=True)", "dbnmeani = (-dbndiff).sum(0)"))
    feedback = next(each for each in exercise(report, 1).gradients if each.name == "dbnmeani")
    assert feedback.verdict is Verdict.CORRECT
    assert feedback.note == "its shape is (64,), and (1, 64) is meant"


def test_a_dtype_in_the_way_has_it_run_in_float32(grade_cells: GradeCells) -> None:
    text = FIRST.partition("dC =")[0] + "dC = F.one_hot(Xb.view(-1), 27).float().T @ demb.view(-1, 10)\n"
    report = grade_cells(text, SECOND, THIRD)
    feedback = {each.name: each for each in exercise(report, 1).gradients}
    assert not_right(report) == {}
    assert feedback["dC"].note == "compared as approximate, for it is right in float32 only"
    assert feedback["demb"].note == ""


def test_float32_does_not_let_a_slip_pass(grade_cells: GradeCells) -> None:
    text = FIRST.partition("dC =")[0] + "dC = 2 * F.one_hot(Xb.view(-1), 27).float().T @ demb.view(-1, 10)\n"
    assert not_right(grade_cells(text)) == {"dC": Verdict.WRONG_VALUES}


def test_a_return_in_a_branch_ends_nothing(grade_cells: GradeCells) -> None:
    text = (
        f"def exercise1():\n{indented(LOSS)}    if dlogits is None:\n        return\n{indented(LAYER + NORM + EMBED)}"
    )
    assert not_right(grade_cells(text)) == {}


def test_other_files_of_the_submission_can_be_imported(grade_files) -> None:
    files = {
        "lesson.ipynb": notebook(["from helpers import onehot", FIRST, SECOND.replace("-= 1", "-= onehot()"), THIRD]),
        "helpers.py": b"def onehot():\n    return 1.0\n",
    }
    assert grade_files(files).score == 20.0


def test_the_template_is_started_alone_and_scores_nothing(run_grade, tmp_path: Path) -> None:
    run_grade("start", "work", "--only", "makemore")
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["makemore.ipynb", "makemore.md"]
    done = run_grade("makemore.ipynb", "--json", "result.json", cwd=tmp_path / "work")
    result = json.loads((tmp_path / "work" / "result.json").read_text())
    part = next(each for each in result["assignments"] if each["name"] == "makemore")
    assert (done.returncode, result["score"], result["max_score"], part["optional"]) == (1, 0.0, 20.0, True)
    assert [each["function"] for each in part["exercises"]] == ["exercise_1", "exercise_2", "exercise_3"]
    assert [each["outcome"] for each in part["exercises"]] == ["not_written"] * 3
    free = [each["name"] for each in part["exercises"][0]["gradients"] if each["max_score"] == 0]
    assert free == ["dlogit_maxes", "db1"]


def test_a_case_is_a_script_to_paste_statements_into(run_grade, tmp_path: Path) -> None:
    run_grade("case", "exercise_3")
    script = tmp_path / "case_exercise_3_1.py"
    mark = "# YOUR STATEMENTS: copy them from your notebook to here.\n"
    assert mark in script.read_text()
    script.write_text(script.read_text().replace(mark, THIRD))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert re.search(r"dhprebn +\| exact: \w+ +\| approximate: True", done.stdout), done.stderr


def test_autograd_in_the_statements_earns_nothing(grade_cells: GradeCells) -> None:
    report = grade_cells("x = logits.clone().requires_grad_()\nF.cross_entropy(x, Yb).backward()\ndlogits = x.grad")
    assert exercise(report, 2).score == 0.0


def test_a_gradient_of_autograds_is_none_here(grade_cells: GradeCells) -> None:
    assert exercise(grade_cells("dlogits = logits.grad"), 2).outcome is Outcome.NOT_WRITTEN


def test_a_library_that_is_not_here_is_told_by_its_import(grade_cells: GradeCells) -> None:
    found = exercise(grade_cells("import jax.numpy as jnp", FIRST.replace("torch.zeros_like", "jnp.zeros_like")), 1)
    assert found.message.startswith(
        "NameError: name 'jnp' is not defined; lesson.ipynb cell 1 line 1, which makes jnp, failed: "
        "ModuleNotFoundError: No module named 'jax'; there are torch, numpy, "
    )


def test_a_training_loop_with_the_short_formulas_is_no_exercise(grade_files) -> None:
    body = SECOND + LAYER + THIRD + "dbnbias = dhpreact.sum(0)\ndbngain = (bnraw * dhpreact).sum(0)\n" + EMBED
    loop = f"for i in range(200000):\n    Xb = Xtr[i]\n    logits = C[Xb] @ W1\n{indented(body)}"
    with pytest.raises(SubmissionError, match="stand where none are looked for"):
        grade_files({"lesson.py": loop.encode()})


def test_where_statements_were_looked_for_the_same_command_is_not_advised(grade_files) -> None:
    cells = "def fill(made, cache):\n    dlogprobs = 1\n    dprobs = 2\n    dcounts = 3\n    dlogits = 4\n"
    with pytest.raises(SubmissionError, match="write them as statements, in a notebook's cells"):
        grade_files({"lesson.py": cells.encode()})


def test_a_function_with_parameters_of_its_own_is_no_statements(grade_files) -> None:
    source = f"def cross_entropy_steps_backward(cache):\n{indented(LOSS)}    return dlogits\n"
    with pytest.raises(SubmissionError, match="no function of the course"):
        grade_files({"softmax_cross_entropy.py": source.encode()})


def test_it_needs_no_option_on_the_command_line(run_grade, tmp_path: Path) -> None:
    (tmp_path / "lesson.ipynb").write_bytes(notebook([*BEFORE, FIRST, SECOND, THIRD, TRAINING]))
    done = run_grade("lesson.ipynb")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "found in cell 8" in done.stdout
