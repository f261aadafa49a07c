"""What is nearest to a tolerance, which cases are needed, and which mistakes look alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from grader.authoring.check import margins_table, summary
from grader.authoring.margins import Margin, Nearest, Proof, indistinct, measure_margins, needed_cases, powers
from grader.authoring.trials import Tried
from grader.course import CaseSpec, Exercise, Gradient, Place
from grader.course.mistakes import Mistake

PLACE = Place("rubric.yaml", 1, 1)


def exercise(*cases: str) -> Exercise:
    gradient = Gradient(name="dx", points=2.0, place=PLACE)
    specs = tuple(CaseSpec(name=name, sizes={}, place=PLACE) for name in cases)
    return Exercise(
        function="f_backward",
        forward="f",
        reference=Path("reference.py"),
        given=("dout",),
        gradients=(gradient,),
        cases=specs,
        place=PLACE,
    )


def trial(name: str, **excess: float) -> Tried:
    return Tried("dx", name, excess, {})


def mistake(name: str, values: Mapping[str, Tensor] | None = None, **excess: float) -> Tried:
    return Tried("dx", name, excess, values or {}, Mistake("f_backward", "dx", name, "A slip.", lambda dout: dout))


def test_the_nearest_wrong_answers_over_all_seeds_are_those_that_come_closest_on_their_best_case():
    first = [trial("zeros", a=1e6, b=1e2), trial("twice", a=1e5, b=3e5), mistake("slip", a=1e9)]
    second = [trial("zeros", a=1e7), trial("twice", a=1e8), mistake("slip", a=1e8)]

    (margin,) = measure_margins(exercise("a", "b"), [first, second], {"dx": Nearest("solution", 1e-3)})

    expected = Margin("f_backward", "dx", 2.0, Nearest("solution", 1e-3), Nearest("twice", 3e5), Nearest("slip", 1e8))
    assert expected == margin
    assert margin.wrong == Nearest("twice", 3e5)


def test_a_gradient_without_any_answer_has_no_margin():
    (margin,) = measure_margins(exercise("a"), [[]], {})

    assert (margin.right, margin.trial, margin.mistake, margin.wrong) == (None, None, None, None)


POWERS = {1e3: "10^+3.0", 3.2e-3: "10^-2.5", 1.0: "10^+0.0", 0.0: "exact", math.inf: "misfit", None: "-"}


@pytest.mark.parametrize(("excess", "expected"), POWERS.items())
def test_an_excess_is_shown_as_a_power_of_ten(excess, expected):
    assert powers(excess) == expected


# What each wrong gradient is beyond the tolerance in each case, and the cases that are needed.
NEEDED = {
    "one sees all": ([{"a": 0.0, "b": 5.0}, {"a": 3.0, "b": 2.0}], ["b"]),
    "each sees one": ([{"a": 0.0, "b": 5.0}, {"a": 3.0, "b": 0.0}], ["a", "b"]),
    "any will do, so the first": ([{"a": 1.0, "b": 1.0, "c": 1.0}], ["a"]),
    "what passes everywhere needs none": ([{"a": 0.0, "b": 0.0}], []),
    "in the order of the rubric": (
        [{"a": 0.0, "c": 1.0}, {"a": 1.0, "c": 0.0}, {"a": 0.0, "b": 0.0, "c": 1.0}],
        ["a", "c"],
    ),
}


@pytest.mark.parametrize(("excess", "expected"), NEEDED.values(), ids=NEEDED)
def test_the_cases_that_reject_everything_are_found(excess, expected):
    tried = [trial(f"number {number}", **each) for number, each in enumerate(excess)]

    assert needed_cases(exercise("a", "b", "c"), tried) == expected


def test_mistakes_with_the_same_values_in_every_case_are_not_told_apart():
    one, other = torch.tensor([1.0, 2.0]).double(), torch.tensor([1.0, 3.0]).double()
    tried = [
        mistake("first", {"a": one, "b": one}, a=1.0),
        mistake("second", {"a": one.clone(), "b": one + 1e-16}, a=1.0),
        mistake("differs in one case", {"a": one, "b": other}, a=1.0),
        mistake("of another shape", {"a": one, "b": one[None]}, a=1.0),
        mistake("of another dtype", {"a": one, "b": one.float()}, a=1.0),
        mistake("raises in one case", {"a": one}, a=1.0),
        Tried("dx", "a trial", {"a": 1.0}, {"a": one, "b": one}),
    ]

    assert indistinct(tried) == [("dx", "first", "second")]


def test_mistakes_that_raise_everywhere_are_no_pair():
    assert indistinct([mistake("first", a=math.inf), mistake("second", a=math.inf)]) == []


PROOF = Proof(
    "thing",
    margins=[
        Margin("f_backward", "dx", 2.0, Nearest("solution", 0.0), Nearest("float32", 1e3), Nearest("slip", 1e10)),
        Margin("f_backward", "db", 0.0, Nearest("f_backward__loop", 1e-4), None, Nearest("not_summed", math.inf)),
        Margin("longer_backward", "dW", 0.5, None, Nearest("central difference", 50.0), None),
    ],
    mistakes=2,
)


def test_the_table_has_a_line_for_each_function_and_each_gradient():
    assert list(margins_table(PROOF)) == [
        "    gradient  points    right    trial                       mistake",
        "  f_backward",
        "    dx             2    exact  10^+3.0  float32             10^+10.0  slip",
        "    db             0  10^-4.0        -                        misfit  not_summed",
        "  longer_backward",
        "    dW           0.5        -  10^+1.7  central difference         -",
    ]


def test_a_proof_without_margins_has_no_table():
    assert list(margins_table(Proof("thing"))) == []


def test_the_summary_names_what_is_nearest_on_each_side_of_all_assignments():
    nearer = Margin("g_backward", "dy", 1.0, Nearest("solution", 0.5), Nearest("half", 1e9), Nearest("slip", 1e8))

    assert list(summary([PROOF, Proof("other", margins=[nearer], mistakes=1)])) == [
        "3 mistakes and 4 gradients in 2 assignments, each on ten seeds.",
        "nearest right answer  10^-0.3 of the tolerance: solution, for dy of g_backward in other",
        "nearest wrong answer  10^+1.7 of the tolerance: central difference, for dW of longer_backward in thing",
        "nearest mistake       10^+8.0 of the tolerance: slip, for dy of g_backward in other",
    ]


def test_a_wrong_answer_within_the_tolerance_is_said_to_pass():
    loose = Margin("f_backward", "dx", 1.0, Nearest("solution", 0.0), Nearest("float32", 0.0), Nearest("slip", 1e8))
    proof = Proof("thing", margins=[loose], mistakes=1)

    assert list(margins_table(proof))[-1].split() == ["dx", "1", "exact", "passes", "float32", "10^+8.0", "slip"]
    assert list(summary([proof]))[1:3] == [
        "nearest right answer  exact: solution, for dx of f_backward in thing",
        "nearest wrong answer  passes: float32, for dx of f_backward in thing",
    ]
