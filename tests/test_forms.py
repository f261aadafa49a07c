"""What a reference, a rubric and a solution may be made of, from a course on disk to the grades of its answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grader.authoring.template import start_work, write_templates
from grader.course import load_course
from grader.course.cases import Reference
from grader.grading import Grader
from grader.submission import read_submission
from grader.verdict.compare import Verdict
from grader.workbench.script import write_case

# One step of a memory: what it keeps, and what it shows of it. Each has an upstream gradient.
CELL = {
    "rubric": """\
format: 1
title: A memory of one step
exercises:
  cell_backward:
    forward: cell
    outputs: [h, c]
    given: [dh, dc, cache]
    gradients:
      dx: {points: 1}
      dc_prev: {points: 1}
    cases:
      - {name: several, N: 3}
      - {name: one, N: 1}
    invariants:
      - {name: linear in both, kind: linear}
      - {name: a step lowers it, kind: descent, of: [dx, dc_prev]}
""",
    "reference": """\
def cell_inputs(rng, N):
    return {"x": rng.normal(N), "c_prev": rng.normal(N)}


def cell(t):
    t.c = 0.5 * t.c_prev + t.x.sin()
    t.h = t.c.tanh()
""",
    "solution": '''\
"""A memory."""


def cell_backward(dh, dc, cache):
    """Find dx and dc_prev."""
    # BEGIN SOLUTION
    both = dc + dh * (1 - cache.h**2)
    dx, dc_prev = both * cache.x.cos(), both / 2  # (N,), (N,)
    # END SOLUTION
    return dx, dc_prev
''',
    "mistakes": '''\
def cell_backward__dx__memory_forgotten(dh, cache):
    """You left out what the next step sends back to c."""
    return dh * (1 - cache.h**2) * cache.x.cos()
''',
}
# The cell again and again: its steps have names that depend on a length.
CHAIN = {
    "rubric": """\
format: 1
title: A memory of many steps
exercises:
  chain_backward:
    forward: chain
    given: [dout, cache]
    gradients:
      dx: {points: 1}
      dc0: {points: 1}
    cases:
      - {name: three steps, N: 2, T: 3}
      - {name: five steps, N: 4, T: 5}
""",
    "reference": """\
import torch
from assignments.cell.reference import cell

SCALE = 3


class Step:
    def __init__(self, t, k):
        self.__dict__.update(t=t, k=k)

    def __getattr__(self, name):
        if name == "x":
            return self.t.x[:, self.k]
        return getattr(self.t, f"c{self.k}" if name == "c_prev" else f"{name}{self.k + 1}")

    def __setattr__(self, name, value):
        setattr(self.t, f"{name}{self.k + 1}", value)


def chain_inputs(rng, N, T):
    return {"x": rng.normal(N, T), "c0": rng.normal(N)}


def chain(t):
    T = t.x.shape[1]
    for k in range(T):
        cell(Step(t, k))
    t.out = SCALE * torch.stack([getattr(t, f"h{k + 1}") for k in range(T)], dim=1)
""",
    "solution": '''\
"""A memory of many steps."""

from types import SimpleNamespace

import torch

from cell import cell_backward


def chain_backward(dout, cache):
    """Find dx and dc0."""
    T = cache.x.shape[1]
    # BEGIN SOLUTION
    dx = torch.zeros_like(cache.x)  # (N, T)
    dc0 = torch.zeros_like(cache.c0)  # (N,)
    for k in reversed(range(T)):
        own = SimpleNamespace(h=getattr(cache, f"h{k + 1}"), x=cache.x[:, k])
        dx[:, k], dc0 = cell_backward(3 * dout[:, k], dc0, own)
    # END SOLUTION
    return dx, dc0
''',
    "mistakes": '''\
def chain_backward__dx__averaged(d):
    """You took the mean over the steps."""
    return d.dx / d.dx.shape[1]
''',
}
# A mask of bools among the inputs and in the cache, minus infinity, and whole numbers as parameters.
MASKED = {
    "rubric": """\
format: 1
title: A softmax that does not see everything
exercises:
  masked_backward:
    forward: masked_softmax
    given: [dout, cache, visible, stride]
    gradients:
      dmasked: {points: 1}
      dx: {points: 1}
    cases:
      - {name: wide, N: 3, D: 5, stride: 2}
      - {name: square, N: 4, D: 4, stride: 1}
""",
    "reference": """\
def masked_softmax_inputs(rng, N, D, stride):
    visible = rng.uniform(N, D) < 0.6
    visible[:, 0] = True
    visible[0, 1:] = False
    return {"x": rng.normal(N, D), "visible": visible, "stride": stride}


def masked_softmax(t):
    t.masked = t.x.masked_fill(~t.visible, float("-inf"))
    t.weights = t.masked.softmax(dim=1)
    t.out = t.weights[:, :: t.stride]
""",
    "solution": '''\
"""A softmax that does not see everything."""

import torch


def masked_backward(dout, cache, visible, stride):
    """Find dmasked and dx."""
    # BEGIN SOLUTION
    assert visible.dtype == cache.visible.dtype == torch.bool
    assert type(stride) is int
    dweights = torch.zeros_like(cache.weights)
    dweights[:, ::stride] = dout
    dmasked = cache.weights * (dweights - (cache.weights * dweights).sum(1, keepdim=True))  # (N, D)
    dx = dmasked * visible  # (N, D)
    # END SOLUTION
    return dmasked, dx
''',
    "mistakes": '''\
def masked_backward__dx__mask_turned(visible, d):
    """You kept what is hidden."""
    return d.dmasked + ~visible
''',
}
ASSIGNMENTS = {"cell": CELL, "chain": CHAIN, "masked": MASKED}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("forms") / "course"
    for name, text in ASSIGNMENTS.items():
        own = folder / "assignments" / name
        own.mkdir(parents=True)
        (own / "rubric.yaml").write_text(text["rubric"])
        (own / "reference.py").write_text(text["reference"])
        (own / "mistakes.py").write_text(text["mistakes"])
        (own / "README.md").write_text(f"# {name}\n")
        (folder / "solutions").mkdir(exist_ok=True)
        (folder / "solutions" / f"{name}.py").write_text(text["solution"])
    (folder / "assignments" / "course.yaml").write_text("format: 1\ntitle: Forms\nassignments: [cell, chain, masked]\n")
    write_templates(load_course(folder))
    return folder


@pytest.fixture(scope="module")
def grader(folder) -> Grader:
    return Grader(load_course(folder))


def verdicts(report) -> dict[str, str]:
    exercises = [exercise for assignment in report.selected for exercise in assignment.exercises]
    return {gradient.name: gradient.verdict.value for exercise in exercises for gradient in exercise.gradients}


@pytest.fixture(scope="module")
def solved(folder, grader, warm):
    return grader.grade(read_submission(folder / "solutions"), warm)


@pytest.mark.parametrize("function", ["cell_backward", "chain_backward", "masked_backward"])
def test_a_right_answer_to_each_form_earns_all_points(solved, function):
    exercise = next(each for part in solved.selected for each in part.exercises if each.function == function)

    assert (exercise.outcome.value, exercise.message, exercise.score) == ("returned", "", 2)


def test_properties_are_looked_at_with_an_upstream_for_each_output(solved):
    (exercise,) = solved.assignments[0].exercises

    assert [invariant.held for invariant in exercise.invariants] == [True, True]


# A slip in one of the solutions, and the gradients that it is charged for.
SLIPS = {
    "an upstream forgotten": ("cell", "dc + dh", "dh", {"dx": "wrong_values", "dc_prev": "follows"}),
    "a slip in the steps": ("chain", "3 * dout", "2 * dout", {"dx": "wrong_values", "dc0": "follows"}),
    "a slip before a mask": ("masked", "(dweights - ", "(dweights + ", {"dmasked": "wrong_values", "dx": "follows"}),
    "a mask forgotten where it is not needed": ("masked", "dmasked * visible", "dmasked.clone()", {}),
}


@pytest.mark.parametrize(("name", "old", "new", "wrong"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_charged_to_its_gradients(folder, warm, grader, name, old, new, wrong):
    files = {path.name: path.read_text() for path in (folder / "solutions").glob("*.py")}
    assert old in files[f"{name}.py"]
    files[f"{name}.py"] = files[f"{name}.py"].replace(old, new)
    submission = read_submission(folder / "solutions")
    changed = type(submission)("student", {file: text.encode() for file, text in files.items()}, {})

    report = grader.grade(changed, warm)

    exercise = next(part for part in report.selected if part.name == name).exercises[0]
    found = {each.name: each.verdict.value for each in exercise.gradients if each.verdict is not Verdict.CORRECT}
    assert found == wrong


def test_a_course_of_these_forms_holds(folder, run_grade):
    finished = run_grade("check", "--course", folder)

    assert finished.stdout.splitlines()[-1] == "All hold.", finished.stdout
    assert finished.returncode == 0


def test_a_template_has_the_imports_of_its_solution(folder):
    template = (folder / "student_template" / "chain.py").read_text()

    assert "from cell import cell_backward\n" in template
    assert "    dx = None  # (N, T)\n    dc0 = None  # (N,)\n    return dx, dc0\n" in template


@pytest.mark.parametrize("function", ["cell_backward", "chain_backward", "masked_backward"])
def test_a_case_as_a_script_agrees_with_autograd(folder, tmp_path, function):
    for path in (folder / "solutions").glob("*.py"):
        (tmp_path / path.name).write_text(path.read_text())
    script, _ = write_case(load_course(folder), function, None, 0, tmp_path)

    finished = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert finished.stderr == ""
    assert finished.stdout.count("approximate: True") == 2


def test_names_that_depend_on_a_length_differ_by_case(folder):
    rubric = load_course(folder).rubrics[1]
    three, five = Reference(rubric).make_cases(rubric.exercises[0], seed=0)

    assert [name for name in three.forward.values if name.startswith("h")] == ["h1", "h2", "h3"]
    assert set(five.forward.values) - set(three.forward.values) == {"c4", "h4", "c5", "h5"}


def test_a_file_is_not_about_an_assignment_whose_function_it_imports(folder, grader, warm):
    report = grader.grade(read_submission(folder / "solutions" / "chain.py"), warm)

    (exercise,) = (exercise for assignment in report.selected for exercise in assignment.exercises)
    assert exercise.function == "chain_backward"
    assert exercise.message.endswith(
        "No module named 'cell'; there are torch, numpy, Python's own modules and what was handed in with it"
    )


def test_work_on_an_assignment_begins_with_the_files_that_it_imports(folder, tmp_path):
    written, _ = start_work(load_course(folder), tmp_path / "work", only=["chain"])

    assert sorted(path.name for path in written) == ["cell.md", "cell.py", "chain.md", "chain.py"]
