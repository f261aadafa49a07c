"""Course and seed to cases: the data of a case, and what is said of a rubric that its reference cannot serve."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from grader.course import load_course, load_rubric
from grader.course.cases import Case, Random, Reference
from grader.errors import CourseError
from grader.grading import Grader

RUBRIC = """\
format: 1
title: Scaling
exercises:
  scale_backward:
    forward: scale
    given: [dout, x, k]
    gradients:
      dx: {points: 1}
    cases:
      - {name: small, N: 2, D: 3}
      - {name: large, N: 4, D: 5}
  loss_backward:
    forward: loss
    given: [cache]
    gradients:
      dx: {points: 1}
      dh: {points: 1}
    cases:
      - {name: small, N: 2, D: 3}
"""
REFERENCE = """\
import torch


def scale_inputs(rng, N, D):
    return {"x": rng.normal(N, D), "k": 3, "Y": rng.integers(0, D, N)}


def scale(t):
    t.doubled = 2 * t.x
    t.out = t.doubled * t.k


def loss_inputs(rng, N, D):
    return {"x": rng.normal(N, D)}


def loss(t):
    t.h = t.x.tanh()
    t.loss = t.h.mean()
"""

# What stands in RUBRIC, what is put in its place, and what is said of it; {reference} is the path of reference.py.
UNSERVED = {
    "a gradient of no value": (
        "      dx: {points: 1}\n    cases",
        "      dz: {points: 1}\n    cases",
        "8:7: dz: the forward has no value 'z'; it has dx, ddoubled, dout",
    ),
    "a gradient of a constant": (
        "      dx: {points: 1}\n    cases",
        "      dY: {points: 1}\n    cases",
        "8:7: Y is a constant of the forward and has no gradient",
    ),
    "a parameter that is no value": (
        "given: [dout, x, k]",
        "given: [dout, x, mask]",
        "4:3: given names 'mask', which the forward scale does not have",
    ),
    "no upstream gradient for a tensor": (
        "given: [dout, x, k]",
        "given: [x, k]",
        "4:3: the output out of scale is no scalar, so `given` must name dout",
    ),
    "a cache of what is no value": (
        "given: [dout, x, k]",
        "given: [dout, cache]\n    cache: [x, w]",
        "4:3: cache names 'w', which the forward scale does not have; it has x, k, Y, doubled, out",
    ),
    "detached, and no value": (
        "    given: [dout, x, k]",
        "    detached: [maxes]\n    given: [dout, x, k]",
        "4:3: detached names 'maxes', which scale does not compute",
    ),
    "detached, and a constant": (
        "    given: [dout, x, k]",
        "    detached: [Y]\n    given: [dout, x, k]",
        "4:3: detached names 'Y', which scale does not compute",
    ),
    "a forward that is not there": ("forward: scale", "forward: scal", "4:3: {reference} has no function scal_inputs"),
    "a size too few": (
        "{name: large, N: 4, D: 5}",
        "{name: large, N: 4}",
        "11:9: scale_inputs takes N, D, not N (missing a required argument: 'D')",
    ),
    "a size too many": (
        "{name: large, N: 4, D: 5}",
        "{name: large, N: 4, D: 5, M: 6}",
        "11:9: scale_inputs takes N, D, not N, D, M (got an unexpected keyword argument 'M')",
    ),
    "a size called like the generator": (
        "{name: large, N: 4, D: 5}",
        "{name: large, N: 4, D: 5, rng: 1}",
        "11:9: scale_inputs takes N, D, not N, D, rng (multiple values for argument 'rng')",
    ),
}

# What stands in REFERENCE, what is put in its place, and what is said of it; {rubric} is the path of rubric.yaml.
BROKEN = {
    "an input maker that raises": (
        'rng.normal(N, D), "k": 3',
        'rng.normal(N, -D), "k": 3',
        "{reference}:5: raised ValueError: negative dimensions are not allowed",
    ),
    "an input maker that returns something else": (
        'return {"x": rng.normal(N, D), "k": 3, "Y": rng.integers(0, D, N)}',
        "return rng.normal(N, D)",
        "{rubric}:10:9: scale_inputs must return a dict of inputs by name",
    ),
    "no input maker": ("def scale_inputs", "def inputs", "{rubric}:4:3: {reference} has no function scale_inputs"),
    "an input in float32": (
        'rng.normal(N, D), "k": 3',
        'rng.normal(N, D).float(), "k": 3',
        "{reference}: t.x is torch.float32; the course computes in torch.float64",
    ),
    "a value that cannot be handed on": (
        "    t.h = t.x.tanh()",
        "    t.size = t.x.shape\n    t.h = t.x.tanh()",
        "{rubric}:12:3: loss has size as Size; only tensors, numbers, texts and dicts of these two can be given",
    ),
    "a forward that raises": (
        "t.doubled * t.k",
        "t.doubled @ t.doubled",
        "{reference}:10: the forward raised RuntimeError: mat1 and mat2 shapes cannot be multiplied",
    ),
    "a gradient that is not finite in one place": (
        "t.doubled = 2 * t.x",
        "t.doubled = (t.x - t.x[0, 0]).abs().sqrt()",
        "{rubric}:10:9: the expected dx is not finite in this case",
    ),
    "a slip in the Python": ("import torch", "import torch as", "{reference}:1: not Python: invalid syntax"),
    "an error at the top": ("import torch", "import torch\n1 / 0", "{reference}:2: raised ZeroDivisionError: "),
    "a missing module": ("import torch", "import tensorflux", "{reference}:1: raised ModuleNotFoundError: "),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An assignment of two functions."""
    folder = tmp_path / "assignments" / "scaling"
    folder.mkdir(parents=True)
    (folder / "rubric.yaml").write_text(RUBRIC)
    (folder / "reference.py").write_text(REFERENCE)
    (folder / "mistakes.py").write_text("")
    (folder.parent / "course.yaml").write_text("format: 1\ntitle: A\nassignments: [scaling]\n")
    return folder


def cases_of(folder: Path, number: int = 0, seed: int = 0) -> tuple[Case, ...]:
    rubric = load_rubric(folder)
    return Reference(rubric).make_cases(rubric.exercises[number], seed)


def values_of(case: Case) -> list[Tensor]:
    return [value for value in case.forward.values.values() if isinstance(value, Tensor)]


def said_of(folder: Path) -> list[str]:
    """Return what the grader says of a course that it cannot use."""
    with pytest.raises(CourseError) as caught:
        Grader(load_course(folder.parents[1]))
    return list(caught.value.problems)


def test_the_same_seed_gives_the_same_data(folder):
    for first, second in zip(cases_of(folder, seed=7), cases_of(folder, seed=7), strict=True):
        assert torch.equal(first.dout, second.dout)
        assert all(map(torch.equal, values_of(first), values_of(second)))


def test_another_seed_gives_other_data(folder):
    first, second = cases_of(folder, seed=7)[0], cases_of(folder, seed=8)[0]

    assert not torch.equal(first.forward.values["x"], second.forward.values["x"])
    assert not torch.equal(first.dout, second.dout)


@pytest.mark.parametrize(
    ("old", "new"),
    [("name: small", "name: tiny"), ("scale_backward", "stretch_backward")],
    ids=["another case", "another function"],
)
def test_another_name_in_the_rubric_gives_other_data(folder, old, new):
    before = cases_of(folder)[0]
    (folder / "rubric.yaml").write_text(RUBRIC.replace(old, new, 1))

    assert not torch.equal(before.forward.values["x"], cases_of(folder)[0].forward.values["x"])


def test_another_assignment_gives_other_data(folder):
    before = cases_of(folder)[0]

    after = cases_of(folder.rename(folder.parent / "stretching"))[0]

    assert not torch.equal(before.forward.values["x"], after.forward.values["x"])


def test_another_number_gives_other_data_of_the_same_sizes(folder):
    rubric = load_rubric(folder)
    exercise = rubric.exercises[0]

    first, second = (Reference(rubric).make_case(exercise, exercise.cases[0], 0, number) for number in (0, 1))

    assert first.dout.shape == second.dout.shape
    assert not torch.equal(first.dout, second.dout)


def test_a_case_does_not_depend_on_those_before_it(folder):
    before = cases_of(folder)[1]
    (folder / "rubric.yaml").write_text(RUBRIC.replace("      - {name: small, N: 2, D: 3}\n", "", 1))

    assert torch.equal(before.dout, cases_of(folder)[0].dout)


def test_the_global_generator_plays_no_part_and_is_left_alone(folder):
    torch.manual_seed(1)
    first = cases_of(folder)[0]
    state = torch.random.get_rng_state()
    torch.manual_seed(2)

    second = cases_of(folder)[0]

    torch.manual_seed(1)
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(first.dout, second.dout)


def test_the_upstream_gradient_is_random_where_it_is_given(folder):
    for case in cases_of(folder):
        assert case.dout.shape == case.forward.values["out"].shape
        assert case.dout.dtype == torch.float64
        assert len(case.dout.unique()) == case.dout.numel()


def test_the_upstream_gradient_is_one_where_it_is_not_given(folder):
    (case,) = cases_of(folder, number=1)

    assert torch.equal(case.dout, torch.ones((), dtype=torch.float64))


def test_the_expected_gradients_are_those_of_autograd(folder):
    for case in cases_of(folder):
        x = case.forward.values["x"].clone().requires_grad_()
        ((2 * x * 3) * case.dout).sum().backward()

        assert torch.equal(x.grad, case.expected["x"])


def test_the_arguments_are_what_the_rubric_gives_in_its_order(folder):
    case = cases_of(folder)[0]

    assert list(case.arguments) == ["dout", "x", "k"]
    assert case.arguments["dout"] is case.dout
    assert case.arguments["k"] == 3


def test_a_cache_holds_every_value_of_the_forward(folder):
    (case,) = cases_of(folder, number=1)

    assert list(case.arguments["cache"]) == ["x", "h", "loss"]


def test_what_is_given_holds_no_expected_gradient(folder):
    for case in (*cases_of(folder), *cases_of(folder, number=1)):
        given = [value for value in case.arguments.values() if isinstance(value, Tensor) and value is not case.dout]
        given += [value for value in dict(case.arguments.get("cache", {})).values() if isinstance(value, Tensor)]
        for value in given:
            assert not value.requires_grad
            assert value.grad_fn is None
            assert not any(value.shape == each.shape and torch.equal(value, each) for each in case.expected.values())


@pytest.mark.parametrize(("old", "new", "said"), UNSERVED.values(), ids=UNSERVED)
def test_a_name_that_the_reference_does_not_have_is_a_rubric_error(folder, old, new, said):
    assert old in RUBRIC
    (folder / "rubric.yaml").write_text(RUBRIC.replace(old, new, 1))

    assert said_of(folder) == [f"{folder}/rubric.yaml:{said}".replace("{reference}", f"{folder}/reference.py")]


@pytest.mark.parametrize(("old", "new", "said"), BROKEN.values(), ids=BROKEN)
def test_a_reference_that_cannot_be_used_is_said_with_its_line(folder, old, new, said):
    assert old in REFERENCE
    (folder / "reference.py").write_text(REFERENCE.replace(old, new, 1))

    (problem,) = said_of(folder)

    said = said.replace("{reference}", f"{folder}/reference.py").replace("{rubric}", f"{folder}/rubric.yaml")
    assert problem.startswith(said)


def test_each_named_output_has_an_upstream_gradient_of_its_own(folder):
    text = RUBRIC.replace("given: [dout, x, k]", "outputs: [doubled, out]\n    given: [dout, ddoubled, x, k]")
    (folder / "rubric.yaml").write_text(text)

    case = cases_of(folder)[0]

    assert list(case.upstream) == ["doubled", "out"]
    assert case.arguments["ddoubled"] is case.upstream["doubled"]
    assert case.arguments["dout"] is case.upstream["out"]
    assert torch.allclose(case.expected["x"], 2 * (case.upstream["doubled"] + 3 * case.upstream["out"]))


# What `given` is beside the outputs [doubled, out], the gradient asked for, and what is said.
ASKED = {
    "one of the upstreams is missing": (
        "[dout, x, k]",
        "dx",
        "4:3: the output doubled of scale is no scalar, so `given` must name ddoubled",
    ),
    "an upstream is asked for": (
        "[dout, ddoubled, x, k]",
        "ddoubled",
        "6:15: ddoubled is the upstream gradient of an output, so it is given and cannot be asked for",
    ),
}


@pytest.mark.parametrize(("given", "gradient", "said"), ASKED.values(), ids=ASKED)
def test_an_upstream_of_an_output_is_given_and_not_asked_for(folder, given, gradient, said):
    text = RUBRIC.replace("given: [dout, x, k]", f"outputs: [doubled, out]\n    given: {given}")
    (folder / "rubric.yaml").write_text(text.replace("dx: {points", f"{gradient}: {{points", 1))

    assert said_of(folder) == [f"{folder}/rubric.yaml:{said}"]


def test_a_cache_in_an_order_holds_these_values_and_no_other(folder):
    text = RUBRIC.replace("given: [dout, x, k]", "given: [dout, cache]\n    cache: [k, x]")
    (folder / "rubric.yaml").write_text(text)

    (case, _) = cases_of(folder)

    assert list(case.arguments["cache"]) == ["k", "x"]


@pytest.fixture
def borrower(folder) -> Path:
    """An assignment with the forward of the other one, on inputs of its own."""
    borrower = folder.parent / "borrowing"
    borrower.mkdir()
    rubric = RUBRIC.partition("  loss_backward")[0].replace("scale_backward", "other_backward")
    (borrower / "rubric.yaml").write_text(rubric.replace("forward: scale", "forward: scaling.scale"))
    maker = 'def scale_inputs(rng, N, D):\n    return {"x": rng.uniform(N, D) + 7, "k": 3, "Y": 0}\n'
    (borrower / "reference.py").write_text(maker)
    (folder.parent / "course.yaml").write_text("format: 1\ntitle: A\nassignments: [scaling, borrowing]\n")
    return borrower


def test_a_forward_of_another_assignment_runs_on_inputs_of_its_own(folder, borrower):
    case = cases_of(borrower)[0]

    assert (case.forward.values["x"] >= 7).all()
    assert torch.equal(case.forward.values["out"], 2 * case.forward.values["x"] * 3)
    (exercise,) = load_rubric(borrower).exercises
    assert (exercise.forward, exercise.reference) == ("scale", folder / "reference.py")


def test_a_forward_that_another_assignment_does_not_have_is_said(folder, borrower):
    (folder / "reference.py").write_text(REFERENCE.replace("def scale(t)", "def stretch(t)"))

    said = f"{{}}/rubric.yaml:4:3: {folder}/reference.py has no function scale"
    assert said_of(folder) == [said.format(folder), said.format(borrower)]


def test_inputs_for_a_forward_of_another_assignment_that_are_missing_are_said(folder, borrower):
    (borrower / "reference.py").write_text("")

    assert said_of(folder) == [f"{borrower}/rubric.yaml:4:3: {borrower}/reference.py has no function scale_inputs"]


@pytest.mark.usefixtures("borrower")
def test_a_forward_of_another_assignment_that_raises_is_said_with_its_own_line(folder):
    (folder / "reference.py").write_text(REFERENCE.replace("t.doubled * t.k", "t.doubled @ t.doubled"))

    (problem,) = said_of(folder)  # once, though it stops both

    assert problem.startswith(f"{folder}/reference.py:10: the forward raised RuntimeError: ")


def test_a_forward_is_that_of_an_assignment_of_the_course(folder, borrower):
    # Students would not get any other.
    (folder.parent / "course.yaml").write_text("format: 1\ntitle: A\nassignments: [borrowing]\n")

    said = f"{borrower}/rubric.yaml:4:3: 'scaling' is no assignment of the course; there are borrowing"
    assert said_of(folder) == [said]


def test_a_reference_takes_from_that_of_another_assignment(borrower):
    own = "\n\ndef twice(t):\n    scale(t)\n    t.twice = t.out + t.out\n\n\ntwice_inputs = scale_inputs\n"
    maker = (borrower / "reference.py").read_text()
    (borrower / "reference.py").write_text(f"from assignments.scaling.reference import scale\n\n\n{maker}{own}")
    rubric = (borrower / "rubric.yaml").read_text()
    (borrower / "rubric.yaml").write_text(rubric.replace("scaling.scale", "twice"))

    case = cases_of(borrower)[0]

    assert torch.equal(case.forward.values["twice"], 2 * (2 * case.forward.values["x"] * 3))


# The first line of a reference, and what is said of it.
IMPORTS = {
    "no such assignment": (
        "from assignments.scalling.reference import scale",
        "{0}/scalling/reference.py: the file is not there",
    ),
    "no such function": (
        "from assignments.scaling.reference import stretch",
        "{0}/borrowing/reference.py:1: raised ImportError: cannot import name 'stretch' from "
        "'course_scaling_reference' ({0}/scaling/reference.py)",
    ),
}


@pytest.mark.parametrize(("line", "said"), IMPORTS.values(), ids=IMPORTS)
def test_an_import_from_another_assignment_that_fails_is_said(borrower, line, said):
    (borrower / "reference.py").write_text(f"{line}\n")

    assert said_of(borrower) == [said.format(borrower.parent)]


def test_a_missing_reference_is_said(folder):
    (folder / "reference.py").unlink()

    assert said_of(folder) == [f"{folder}/reference.py: the file is not there"]


def test_the_names_of_all_exercises_are_checked_at_once(folder):
    text = RUBRIC.replace("dx: {points: 1}\n    cases", "dz: {points: 1}\n    cases")
    text = text.replace("given: [dout, x, k]", "given: [dout, x, mask]").replace("dh: {", "dw: {")
    (folder / "rubric.yaml").write_text(text)

    assert said_of(folder) == [
        f"{folder}/rubric.yaml:8:7: dz: the forward has no value 'z'; it has dx, ddoubled, dout",
        f"{folder}/rubric.yaml:4:3: given names 'mask', which the forward scale does not have",
        f"{folder}/rubric.yaml:17:7: dw: the forward has no value 'w'; it has dx, dh, dloss",
    ]


def test_random_tensors_have_the_dtype_shape_and_range_that_their_names_promise():
    random = Random(0, "a")

    normal, uniform, integers = random.normal(200, 3), random.uniform(200, 3), random.integers(2, 5, 200, 3)

    assert (normal.dtype, uniform.dtype, integers.dtype) == (torch.float64, torch.float64, torch.int64)
    assert normal.shape == uniform.shape == integers.shape == (200, 3)
    assert normal.min() < -1 < 1 < normal.max()
    assert 0 <= uniform.min() < 0.1 < 0.9 < uniform.max() < 1
    assert integers.unique().tolist() == [2, 3, 4]
    assert sorted(random.permutation(9).tolist()) == list(range(9))


def test_a_random_tensor_may_have_no_axes_or_no_elements():
    random = Random(0)

    assert random.normal().shape == random.uniform().shape == random.integers(0, 3).shape == ()
    assert random.normal(0, 3).shape == (0, 3)


def test_two_lists_of_names_that_read_alike_give_different_data():
    assert not torch.equal(Random(1, "ab", "c").normal(4), Random(1, "a", "bc").normal(4))
    assert not torch.equal(Random(1, "2").normal(4), Random(12).normal(4))
