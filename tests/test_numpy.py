"""A course in numpy, in the style of layers.py: arrays in and out, a cache in an order, autograd as the truth."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.authoring.check import check_course
from grader.course import load_course
from grader.grading import Grader
from grader.report.words import gradient_line
from grader.results import ExerciseFeedback
from grader.sandbox.answer import Outcome
from grader.sandbox.warm import Warm
from grader.submission import Submission
from grader.verdict.compare import Verdict
from grader.verdict.follow import Basis
from grader.workbench.script import write_case

FOLDER = Path(__file__).parent / "courses" / "numpy_layers"
HEAD = "import numpy as np\nimport torch\n\n\n"
SOLUTION = (FOLDER / "solutions" / "layers.py").read_text(encoding="utf-8")
STUB = (FOLDER / "student_template" / "layers.py").read_text(encoding="utf-8")

AskFor = Callable[[str, str], ExerciseFeedback]


@pytest.fixture(scope="module")
def grader() -> Grader:
    """The course in numpy, ready to grade."""
    return Grader(load_course(FOLDER))


@pytest.fixture(scope="module")
def ask_for(grader: Grader, warm: Warm) -> AskFor:
    """Grade a text handed in as layers.py, and return what is said of one function."""

    def ask_for(function: str, source: str) -> ExerciseFeedback:
        report = grader.grade(Submission("student", {"layers.py": source.encode()}, {}), warm)
        return next(each for each in report.selected[0].exercises if each.function == function)

    return ask_for


def affine(**changed: str) -> str:
    """Return a right affine_backward in which what makes some gradients is changed."""
    right = {"dx": "(dout @ w.T).reshape(x.shape)", "dw": "x.reshape(len(x), -1).T @ dout", "db": "dout.sum(axis=0)"}
    lines = [f"    {name} = {made}" for name, made in {**right, **changed}.items()]
    return HEAD + "\n".join(
        ["def affine_backward(dout, cache):", "    x, w, b = cache", *lines, "    return dx, dw, db"]
    )


def steps(**changed: str) -> str:
    """Return a right batchnorm_steps_backward in which the statements of some gradients are changed."""
    right = {
        "dx_hat": "dx_hat = dout * gamma",
        "dvar": "dvar = -0.5 * (dx_hat * (x - mean)).sum(axis=0) * (var + eps) ** -1.5",
        "dmean": "dmean = -dx_hat.sum(axis=0) / np.sqrt(var + eps)",
        "dx": "dx = dx_hat / np.sqrt(var + eps) + (2 * (x - mean) * dvar + dmean) / len(x)",
    }
    lines = [f"    {line}" for made in {**right, **changed}.values() for line in made.splitlines()]
    start = "def batchnorm_steps_backward(dout, cache):\n    x, mean, var, x_hat, gamma, eps = cache\n"
    return HEAD + start + "\n".join(lines) + "\n    return dx_hat, dvar, dmean, dx\n"


@pytest.mark.slow
def test_the_course_holds(warm: Warm):
    assert [finding for proof in check_course(load_course(FOLDER), (), warm) for finding in proof.findings] == []


def test_the_solution_is_right_and_the_stub_is_not_written(grader: Grader, warm: Warm):
    def grade(source: str) -> list[tuple[float | None, str]]:
        report = grader.grade(Submission("student", {"layers.py": source.encode()}, {}), warm)
        return [(each.score, each.outcome) for each in report.selected[0].exercises]

    assert grade(SOLUTION) == [(points, Outcome.RETURNED) for points in (5, 2, 6, 7, 2)]
    assert grade(STUB) == [(0, Outcome.NOT_WRITTEN)] * 5


def test_a_notebook_is_graded_as_a_file_is(grader: Grader, warm: Warm):
    cells = [{"cell_type": "code", "metadata": {}, "source": part} for part in re.split(r"(?m)^(?=def )", SOLUTION)]
    notebook = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})

    report = grader.grade(Submission("student", {"layers.ipynb": notebook.encode()}, {}), warm)

    assert report.score == report.max_score == 22


# A way to make db, or all of an array, that is another in memory and the same in numbers.
SAME = {
    "negative strides": {"dx": "(dout @ w.T).reshape(x.shape)[::-1].copy()[::-1]"},
    "columns first": {"dw": "np.asfortranarray(x.reshape(len(x), -1).T @ dout)"},
    "the other order of bytes": {"db": "dout.sum(axis=0).astype('>f8')"},
    "not to be written to": {"db": "np.frombuffer(dout.sum(axis=0).tobytes())"},
    "computed by torch's operators": {"db": "torch.from_numpy(dout).sum(0).numpy()"},
}


@pytest.mark.parametrize("changed", SAME.values(), ids=SAME.keys())
def test_an_array_counts_however_it_lies_in_memory(changed: dict[str, str], ask_for: AskFor):
    assert ask_for("affine_backward", affine(**changed)).score == 5


# What is returned as db, the verdict on it, and what is said.
OTHER = {
    "float32": ("dout.sum(axis=0).astype(np.float32)", Verdict.WRONG_DTYPE, "float32, expected float64"),
    "objects": ("dout.sum(axis=0).astype(object)", Verdict.WRONG_DTYPE, "object, expected float64"),
    "a complex array": ("dout.sum(axis=0) + 0j", Verdict.WRONG_DTYPE, "complex128, expected float64"),
    "a number of numpy's": ("dout.sum()", Verdict.WRONG_SHAPE, "shape (), expected (5,)"),
    "no axes": ("np.array(2.0)", Verdict.WRONG_SHAPE, "shape (), expected (5,)"),
    "a much larger one": ("np.zeros((100, 100))", Verdict.WRONG_SHAPE, "shape (100, 100), expected (5,)"),
    "a number": ("2.0", Verdict.NOT_RETURNED, "it is a number (float), not a numpy array"),
    "a list": ("dout.sum(axis=0).tolist()", Verdict.NOT_RETURNED, "it is a list, not a numpy array"),
    "a tensor": ("torch.zeros(5)", Verdict.NOT_RETURNED, "it is a torch tensor, not a numpy array"),
    "a matrix": ("np.matrix(dout)", Verdict.NOT_RETURNED, "it is a numpy matrix, not a plain numpy array"),
    "a masked array": ("np.ma.array(dout)", Verdict.NOT_RETURNED, "it is a masked array, not a plain numpy array"),
    "a class of its own": (
        "dout.sum(axis=0).view(np.recarray)",
        Verdict.NOT_RETURNED,
        "it is a recarray, not a plain numpy array",
    ),
    "nothing": ("None", Verdict.NOT_RETURNED, "None, or not there"),
    "nan": ("dout.sum(axis=0) * np.nan", Verdict.NOT_FINITE, "nan at [0], expected"),
}


@pytest.mark.parametrize(("made", "verdict", "said"), OTHER.values(), ids=OTHER.keys())
def test_what_is_no_right_array_is_told_by_its_name(made: str, verdict: Verdict, said: str, ask_for: AskFor):
    found = ask_for("affine_backward", affine(db=made))

    assert found.score == 4
    assert found.gradients[2].verdict is verdict
    assert gradient_line(found.gradients[2]).startswith(said)


def test_a_view_that_pretends_to_hold_terabytes_is_refused_by_its_size(ask_for: AskFor):
    found = ask_for("affine_backward", affine(db="np.broadcast_to(1.0, (10**6, 10**6))"))

    assert found.outcome is Outcome.BAD_RETURN
    assert found.message.startswith("db is an array of shape (1000000, 1000000), 8000000000000 bytes")


def test_one_array_for_several_gradients_is_told(ask_for: AskFor):
    found = ask_for("affine_backward", HEAD + "def affine_backward(dout, cache):\n    return dout\n")

    assert found.message == "returned one numpy array, expected 3 gradients: dx, dw, db"


def test_what_a_call_does_to_its_inputs_disturbs_no_other_call(ask_for: AskFor):
    found = ask_for("affine_backward", affine(db="dout.sum(axis=0)\n    dout *= 0\n    x[:] = 7\n    w -= 1"))

    assert found.score == 5
    assert [(flag.kind, flag.detail) for flag in found.flags] == [
        ("mutated_input", f"{name} was changed in place") for name in ("dout", "cache.x", "cache.w")
    ]


def test_the_settings_in_a_cache_are_each_calls_own(ask_for: AskFor):
    changed = SOLUTION.replace("dropout_param, mask = cache", "dropout_param, mask = cache\n    p = dropout_param['p']")
    emptied = changed.replace('dropout_param["p"])', "p)\n    dropout_param.clear()")

    assert emptied.count("clear") == 1
    assert ask_for("dropout_backward", emptied).score == 2


def test_the_gradient_may_be_an_input_that_was_changed(ask_for: AskFor):
    source = HEAD + "def relu_backward(dout, x):\n    dout[x <= 0] = 0\n    return dout\n"

    assert ask_for("relu_backward", source.replace("x)", "cache)").replace("[x", "[cache")).score == 2


def test_autograd_is_refused_in_numpy_as_well(ask_for: AskFor):
    body = """def relu_backward(dout, cache):
    x = torch.tensor(cache, requires_grad=True)
    (x.relu() * torch.from_numpy(dout)).sum().backward()
    return x.grad.numpy()
"""

    assert ask_for("relu_backward", HEAD + body).outcome is Outcome.AUTOGRAD_USED


# The function, its body, and what its message ends in.
CONFUSED = {
    "another order": (
        "affine_backward",
        "w, x, b = cache\n    return dout @ w.T, x, b",
        "; is the cache unpacked as x, w, b = cache?",
    ),
    "one too few": (
        "affine_backward",
        "x, w = cache",
        "ValueError: too many values to unpack (expected 2); is the cache unpacked as x, w, b = cache?",
    ),
    "a namespace": (
        "affine_backward",
        "return cache.x",
        "'tuple' object has no attribute 'x'; cache is the tuple of x, w, b: write x, w, b = cache",
    ),
    "a dict": (
        "affine_backward",
        "return cache['x']",
        "indices must be integers or slices, not str; cache is the tuple of x, w, b: write x, w, b = cache",
    ),
    "not unpacked": ("affine_backward", "return w", "NameError: name 'w' is not defined; write x, w, b = cache"),
    "of one value": (
        "relu_backward",
        "return cache.x",
        "'numpy.ndarray' object has no attribute 'x'; cache is x itself: write x = cache",
    ),
}


@pytest.mark.parametrize(("function", "body", "said"), CONFUSED.values(), ids=CONFUSED.keys())
def test_who_takes_the_cache_for_something_else_is_told_its_order(function: str, body: str, said: str, ask_for: AskFor):
    found = ask_for(function, f"{HEAD}def {function}(dout, cache):\n    {body}\n")

    assert found.outcome is Outcome.RAISED
    assert found.message.endswith(said)


def test_a_slip_of_the_bank_is_named_and_what_rests_on_it_follows(ask_for: AskFor):
    found = ask_for("batchnorm_steps_backward", steps(dvar=steps_without_the_half()))
    _, dvar, dmean, dx = found.gradients

    assert found.score == 5
    assert dvar.diagnosis is not None
    assert dvar.diagnosis.message == "You lost the 1/2 that the square root brings."
    assert dmean.verdict is Verdict.CORRECT
    assert (dx.verdict, dx.slips, dx.basis) == (Verdict.FOLLOWS, ("dvar",), Basis.OWN)


def steps_without_the_half() -> str:
    """Return the statement of dvar with a slip."""
    return "dvar = -(dx_hat * (x - mean)).sum(axis=0) * (var + eps) ** -1.5"


# How dx_hat went wrong, so that nothing behind it can be judged with the student's own numbers.
BEFORE = {
    "another dtype": "dx_hat = (dout * gamma).astype(np.float32)",
    "nan": "dx_hat = dout * np.nan",
    "zeros": "dx_hat = np.zeros_like(dout)",
    "it raises": "dx_hat = dout @ gamma @ dout",
    "not there": "dx_hat = None",
    "filled in a loop": "dx_hat = np.zeros_like(x)\nfor i in range(len(x)):\n    dx_hat[i] += dout[i] * gamma / 0",
    "filled by numpy": "dx_hat = np.empty_like(x)\nnp.multiply(dout, np.nan, out=dx_hat)",
}


@pytest.mark.parametrize("made", BEFORE.values(), ids=BEFORE.keys())
def test_steps_are_judged_with_random_arrays_where_nothing_came_before(made: str, ask_for: AskFor):
    found = ask_for("batchnorm_steps_backward", steps(dx_hat=made))

    assert found.score == 6
    assert [each.verdict for each in found.gradients[1:]] == [Verdict.FOLLOWS] * 3
    assert Basis.RANDOM in {each.basis for each in found.gradients[1:]}


def test_a_diagnosis_speaks_numpy(ask_for: AskFor):
    kept = ask_for("affine_backward", affine(db="dout.sum(axis=0, keepdims=True)")).gradients[2].diagnosis
    single = ask_for("affine_backward", affine(db="dout.sum(axis=0).astype(np.float32)")).gradients[2].diagnosis

    assert kept is not None
    assert single is not None
    assert kept.message.endswith("An axis of size 1 is left over; look for a keepdims.")
    assert single.message.endswith("Look for a float32, or for an array made with a dtype of its own.")


@pytest.mark.slow
def test_a_case_is_a_script_with_arrays_and_the_cache_in_its_order(tmp_path: Path):
    (tmp_path / "layers.py").write_text(SOLUTION.replace("dx = dout * mask", "dx = -dout * mask"), encoding="utf-8")
    path, _ = write_case(load_course(FOLDER), "dropout_backward", None, 0, tmp_path)

    done = subprocess.run([sys.executable, path.name], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert "cache = (values.dropout_param, values.mask)" in path.read_text(encoding="utf-8")
    assert re.fullmatch(r"dx +\| exact: False \| approximate: False \| maxdiff: \d\.\d+\n", done.stdout)


@pytest.mark.slow
def test_a_class_is_graded_by_the_command(run_grade, tmp_path: Path):
    folder = tmp_path / "class"
    handed_in = {
        "right": SOLUTION,
        "stub": STUB,
        "slip": SOLUTION.replace("db = dout.sum(axis=0)", "db = dout.mean(axis=0)"),
        "single": SOLUTION.replace("db = dout.sum(axis=0)", "db = dout.sum(axis=0).astype(np.float32)"),
        "order": SOLUTION.replace("x, w, b = cache", "w, x, b = cache"),
    }
    for name, source in handed_in.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "layers.py").write_text(source, encoding="utf-8")

    done = run_grade("batch", folder, "--out", tmp_path / "out", "--course", FOLDER, "--seed", 0, "--jobs", 1)
    alone = run_grade(folder / "slip", "--course", FOLDER, "--json", tmp_path / "slip.json")

    results = {name: json.loads((tmp_path / "out" / "results" / f"{name}.json").read_text()) for name in handed_in}
    assert done.returncode == 0
    assert {name: each["score"] for name, each in results.items()} == {
        "right": 22,
        "stub": 0,
        "slip": 21,
        "single": 21,
        "order": 18,  # db rests on nothing that is wrong
    }
    assert alone.returncode == 1
    assert "You averaged over the rows. b was added to each of them, so its gradient is their sum." in alone.stdout
    assert json.loads((tmp_path / "slip.json").read_text())["score"] == 21
