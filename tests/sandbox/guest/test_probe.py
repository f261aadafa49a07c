"""Hooks find a gradient wherever it is kept, and put a probe in its place where it is complete."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch

from grader.sandbox.guest.call import Callee
from grader.sandbox.guest.files import Modules
from grader.sandbox.guest.guard import Watch
from grader.sandbox.guest.inputs import Call, Form
from grader.sandbox.guest.probe import Prober, Run, copy_function, describe

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
PROBES = {"dprobs": X + 0.25, "dcounts": X * 10, "dx": X * 100}


class Unguarded:
    """Watches nothing: what replaces autograd would do so for all tests of this process."""

    def __init__(self) -> None:
        self.inference = torch.inference_mode()

    @contextlib.contextmanager
    def watch(self, files: Any) -> Iterator[Watch]:
        yield Watch(files)


def probe(files: dict[str, str], file: str = "steps.py") -> list[Run]:
    """Return the runs of `backward(x)` of a submission: a trial, and those with probes."""
    before = list(sys.meta_path)
    modules = Modules({name: text.encode() for name, text in files.items()}, ["backward"])
    try:
        modules.load(file)
        function = modules.function(file, "backward")
        callee = Callee(function, Form(["x"]), ["dprobs", "dcounts", "dx"], modules.sources)
        copy = partial(copy_function, modules, callee.gradients, file, "backward")
        prober = Prober(callee, copy, Unguarded())  # type: ignore[arg-type]
        return list(prober.probe(Call({"x": X}), PROBES, {"dprobs", "dcounts"}))
    finally:
        sys.meta_path[:] = before
        for name in files:
            sys.modules.pop(name.removesuffix(".py"), None)


HEAD = "import torch\nfrom types import SimpleNamespace\n\n"
# Each makes dprobs = 2x, dcounts = dprobs + 1 and dx = dcounts * 3.
WAYS = {
    "names": """
dprobs = 2 * x
dcounts = dprobs + 1
dx = dcounts * 3
return dprobs, dcounts, dx""",
    "two targets": """
dprobs = g = 2 * x
dcounts = h = g + 1
dx = h * 3
return dprobs, dcounts, dx""",
    "a tuple": """
dprobs, n = 2 * x, 3
dcounts, dx = (c := dprobs + 1), None
dx = dcounts * n
return dprobs, dcounts, dx""",
    "walrus": """
dx = ((dcounts := (dprobs := 2 * x) + 1)) * 3
return dprobs, dcounts, dx""",
    "annotated and augmented": """
dprobs: object = x.clone()
dprobs *= 2
dcounts = dprobs.clone()
dcounts += 1
dx = dcounts * 3
return dprobs, dcounts, dx""",
    "filled in place": """
dprobs = torch.zeros_like(x)
dprobs[0] = 2 * x[0]
dprobs[1:] += 2 * x[1:]
dcounts = torch.ones_like(x)
dcounts.add_(dprobs)
dx = torch.empty_like(x)
torch.mul(dcounts, 3, out=dx)
return dprobs, dcounts, dx""",
    "out of a call": """
dprobs = torch.empty_like(x)
torch.mul(x, 2, out=dprobs)
dcounts = dprobs + 1
dx = dcounts * 3
return dprobs, dcounts, dx""",
    "items": """
g = {}
g["dprobs"] = 2 * x
g["dcounts"] = g["dprobs"] + 1
g["dx"] = g["dcounts"] * 3
return g""",
    "items by a name that the run shows": """
g = {}
for name, step in {"probs": lambda: 2 * x, "counts": lambda: g["dprobs"] + 1, "x": lambda: g["dcounts"] * 3}.items():
    key = "d" + name
    g[key] = step()
return g""",
    "a dict in one": """
g = {"dprobs": 2 * x}
g.update(dcounts=g["dprobs"] + 1)
return dict(**g, dx=g["dcounts"] * 3)""",
    "attributes": """
g = SimpleNamespace()
g.dprobs = 2 * x
g.dcounts = g.dprobs + 1
return g.dprobs, g.dcounts, g.dcounts * 3""",
    "a running variable": """
d = 2 * x
dprobs = d
d = d + 1
dcounts = d
return dprobs, dcounts, d * 3""",
    "names of one's own": """
a = 2 * x
b = a + 1
return a, b, b * 3""",
    "a block": """
with torch.no_grad():
    if len(x):
        for _ in range(2):
            dprobs = 2 * x
        try:
            dcounts = dprobs + 1
        except ValueError:
            dcounts = None
dx = dcounts * 3
return dprobs, dcounts, dx""",
    "a sum in a loop": """
dprobs = 0 * x
for _ in range(2):
    dprobs = dprobs + x
dcounts = 0 * x
for row in range(2):
    dcounts[row] = dprobs[row] + 1
dx = dcounts * 3
return dprobs, dcounts, dx""",
    "functions inside": """
def first():
    return 2 * x
def second(dprobs):
    return dprobs + 1
dprobs = first()
dcounts = second(dprobs)
return dprobs, dcounts, 3 * dcounts""",
    "collected at the end": """
dprobs = 2 * x
dcounts = dprobs + 1
dx = dcounts * 3
print(dprobs, end="")
found = {"dprobs": dprobs.clone(), "dcounts": dcounts, "dx": dx}
found["dprobs"] = dprobs
return found""",
}


def _function(body: str) -> str:
    return "def backward(x):" + body.replace("\n", "\n    ")


@pytest.mark.parametrize("body", WAYS.values(), ids=WAYS)
def test_a_gradient_is_found_wherever_it_is_kept(body: str):
    _, run = probe({"steps.py": HEAD + _function(body)})

    assert set(run.made) == {"dprobs", "dcounts"}
    assert torch.equal(run.made["dprobs"], 2 * X)
    assert torch.equal(run.made["dcounts"], PROBES["dprobs"] + 1)
    assert {name: torch.equal(run.returned[name], PROBES[name]) for name in run.made} == dict.fromkeys(run.made, True)
    assert torch.equal(run.returned["dx"], PROBES["dcounts"] * 3)


def test_methods_and_other_files_are_found_as_well():
    method = """
class Steps:
    def run(self, x):
        self.dprobs = 2 * x
        self.dcounts = self.dprobs + 1
        return self
"""
    main = "from other import Steps\n" + _function("\ns = Steps().run(x)\nreturn s.dprobs, s.dcounts, s.dcounts")

    _, run = probe({"steps.py": main, "other.py": method})

    assert torch.equal(run.made["dcounts"], PROBES["dprobs"] + 1)


def test_a_statement_that_raises_is_noted_and_the_call_goes_on():
    body = "\ndprobs = x @ x[0, :1]\ndcounts = dprobs + 1\nreturn dprobs, dcounts, 3 * dcounts"

    _, run = probe({"steps.py": _function(body)})

    assert (run.made["dprobs"], run.is_complete) == (None, True)
    assert torch.equal(run.made["dcounts"], PROBES["dprobs"] + 1)


def test_a_local_that_raises_stops_only_what_reads_it():
    body = "\nmean = x @ x[0, :1]\ndprobs = x - mean\ndcounts = dprobs + 1\nreturn dprobs, dcounts, x"

    _, run = probe({"steps.py": _function(body)})

    assert (run.made["dprobs"], run.is_complete) == (None, True)
    assert torch.equal(run.made["dcounts"], PROBES["dprobs"] + 1)


def test_one_that_is_none_is_probed():
    _, run = probe({"steps.py": _function("\ndprobs = None\ndcounts = dprobs + 1\nreturn dprobs, dcounts, x")})

    assert run.made["dprobs"] is None
    assert torch.equal(run.made["dcounts"], PROBES["dprobs"] + 1)


def test_a_shape_that_the_next_line_counts_on_is_tried_as_well():
    source = "def backward(x):\n    dprobs = (2 * x)[None]\n    dcounts = dprobs[0] + 1\n    return dprobs, dcounts, x"

    _, run, reshaped = probe({"steps.py": source})

    assert run.made["dcounts"].shape != X.shape
    assert torch.equal(reshaped.made["dcounts"], PROBES["dprobs"] + 1)


@pytest.mark.parametrize("returned", ["2 * dprobs, dcounts, x", "dcounts, dprobs, x", "dprobs.float(), dcounts, x"])
def test_what_is_not_returned_in_its_place_is_not_probed(returned: str):
    source = f"def backward(x):\n    dprobs = 2 * x\n    dcounts = dprobs + 1\n    return {returned}"

    _, run = probe({"steps.py": source})

    assert "dprobs" not in run.made


def test_pieces_that_a_loop_makes_in_turn_are_not_probed():
    source = """
def backward(x):
    dprobs, dcounts = 0 * x, 0 * x
    for row in range(2):
        dprobs[row] = 2 * x[row]
        dcounts[row] = dprobs[row] + 1
    return dprobs, dcounts, x
"""

    _, run = probe({"steps.py": source})

    assert "dprobs" not in run.made
    assert torch.equal(run.returned["dprobs"], 2 * X)


def test_a_name_of_an_outer_function_stays_one():
    source = """
def backward(x):
    dprobs = 0 * x
    def fill():
        dprobs[0] += 2 * x[0]
        dprobs[1] += 2 * x[1]
    fill()
    dcounts = dprobs + 1
    return dprobs, dcounts, x
"""

    _, run = probe({"steps.py": source})

    assert run.is_complete
    assert torch.equal(run.returned["dprobs"], 2 * X)


def test_what_is_told_of_a_run_is_what_the_students_statements_made():
    _, run = probe({"steps.py": HEAD + _function(WAYS["names"])})

    said, data = describe(run)

    assert said["placed"] == ["dcounts", "dprobs"]
    assert [name for name, _, _ in said["tensors"]] == ["dprobs", "dcounts", "dx"]
    assert len(data) == said["length"]


WRITTEN = """def backward(x):
    dprobs = 2 * x
    dcounts = dprobs + 1
    dx = dcounts * 3
    return dprobs, dcounts, dx"""
STUB = "def backward(x):\n    raise NotImplementedError"
# The cells of a notebook, in which the written function is the one that is called.
CELLS = {
    "the stub comes again behind it": [WRITTEN, STUB],
    "the stub comes before it": [STUB, WRITTEN],
    "both are in one cell": [f"{WRITTEN}\n\n{STUB}"],
    "one that is decorated": [f"def same(f):\n    return f\n\n@same\n{WRITTEN}", STUB],
    "a helper is defined twice": [
        "def twice(x):\n    return x",
        "def twice(x):\n    return 2 * x",
        WRITTEN.replace("2 * x", "twice(x)"),
    ],
}


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_function_that_is_probed_is_the_one_that_is_called(cells: list[str]):
    found = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    notebook = json.dumps({"cells": found, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})

    trial, run, *_ = probe({"hw.ipynb": notebook}, "hw.ipynb")

    assert trial.is_complete
    assert torch.equal(run.made["dprobs"], 2 * X)
    assert torch.equal(run.made["dcounts"], PROBES["dprobs"] + 1)
