"""The bank of mistakes: what is one, what each misfit is told, and what a mistake is given."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from grader.course import load_course, load_rubric
from grader.course.cases import Reference
from grader.course.mistakes import load_bank
from grader.errors import CourseError

RUBRIC = """\
format: 1
title: Two steps
exercises:
  steps_backward:
    forward: steps
    given: [dout, cache]
    gradients:
      dh: {points: 1}
      dx: {points: 1}
    cases:
      - {name: only, N: 3}
  plain_backward:
    forward: steps
    given: [dout, h]
    gradients:
      dx: {points: 1}
    cases:
      - {name: only, N: 3}
"""
REFERENCE = """\
def steps_inputs(rng, N):
    return {"x": rng.normal(N)}


def steps(t):
    t.h = t.x.exp()
    t.out = t.h.sin()
"""
MISTAKES = '''\
"""Mistakes."""

from textwrap import dedent

import torch

FACTOR = 2


def _twice(tensor):
    return FACTOR * tensor


def steps_backward__dh__upstream_only(dout):
    """You returned
    the upstream gradient."""
    return dout


def steps_backward__dx__own_upstream(d, cache):
    """You went on twice."""
    return _twice(d.dh * cache.x.exp())


def plain_backward__dx__value__as__gradient(h):
    """You returned the value."""
    return h
'''
PLAIN = '''\
def steps_backward__dx__plain(dout):
    """You returned the upstream gradient."""
    return dout
'''

# A function of mistakes.py that does not fit, and what is said of it.
MISFITS = {
    "of no function": (
        'def step_backward__dh__a(dout):\n    """You."""',
        "the rubric has no function of that name; a mistake is called <function>__<gradient>__<mistake>",
    ),
    "a helper that is not private": (
        'def helper(dout):\n    """You."""',
        "the rubric has no function of that name; a mistake is called <function>__<gradient>__<mistake>",
    ),
    "of no gradient": ('def plain_backward__dh__a(dout):\n    """You."""', "plain_backward returns no dh"),
    "without a gradient": (
        'def plain_backward(dout):\n    """You."""',
        "plain_backward returns no gradient of that name",
    ),
    "without a name": (
        'def plain_backward__dx(dout):\n    """You."""',
        "the mistake itself has no name; it is called <function>__<gradient>__<mistake>",
    ),
    "without a sentence": (
        "def plain_backward__dx__a(dout):\n    return dout",
        "it has no docstring, which is what the student is told",
    ),
    "with a blank sentence": (
        'def plain_backward__dx__a(dout):\n    """ """',
        "it has no docstring, which is what the student is told",
    ),
    "with a parameter that is not given": (
        'def plain_backward__dx__a(dout, x):\n    """You."""',
        "plain_backward is not given x",
    ),
    "with a cache where there is none": (
        'def plain_backward__dx__a(cache):\n    """You."""',
        "plain_backward is not given cache",
    ),
    "with any parameters": (
        'def plain_backward__dx__a(*values):\n    """You."""',
        "plain_backward is not given values",
    ),
}

# A function of an assignment, what it takes under `mistakes_of`, and all that is said of it. {own} and {other} are the
# folders of its assignment and of the lender, {place} is where the loan stands.
LOANS = {
    "from a file that is not there": (
        "steps_backward",
        "absent.steps_backward: [dx]",
        "{place}: {absent}/mistakes.py is not there",
    ),
    "of a function that has none": (
        "steps_backward",
        "two.step_backward: [dx]",
        "{place}: {other}/mistakes.py has no mistake of step_backward",
    ),
    "for a gradient that has none": (
        "steps_backward",
        "two.plain_backward: [dh]",
        "{place}: {other}/mistakes.py has no mistake of plain_backward for dh; there are some for dx",
    ),
    "that reads what is not given": (
        "plain_backward",
        "two.steps_backward: [dx]",
        "{place}: steps_backward__dx__own_upstream: plain_backward is not given cache",
    ),
    "that is named twice": (
        "plain_backward",
        "steps_backward: [dx, dx]",
        "{place}: plain_backward__dx__plain is there already, from {own}/mistakes.py:1; take one out",
    ),
    "that the function has itself": (
        "steps_backward",
        "two.steps_backward: [dx]",
        "{own}/mistakes.py:1: steps_backward__dx__plain is there already, from {other}/mistakes.py:30; take one out",
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An assignment with three mistakes."""
    (tmp_path / "rubric.yaml").write_text(RUBRIC)
    (tmp_path / "reference.py").write_text(REFERENCE)
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    return tmp_path


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two assignments that differ in their mistakes only, the other one and an own one."""
    other, own = tmp_path / "assignments" / "two", tmp_path / "assignments" / "whole"
    for folder in (other, own):
        folder.mkdir(parents=True)
        (folder / "rubric.yaml").write_text(RUBRIC)
        (folder / "reference.py").write_text(REFERENCE)
    (other / "mistakes.py").write_text(f"{MISTAKES}\n\n{PLAIN}")
    (own / "mistakes.py").write_text(PLAIN)
    return other, own


def borrow(own: Path, function: str, loan: str) -> str:
    """Write a loan into the rubric, under a function, and return its place."""
    head, tail = RUBRIC.split(f"  {function}:\n")
    (own / "rubric.yaml").write_text(f"{head}  {function}:\n    mistakes_of:\n      {loan}\n{tail}")
    return f"{own}/rubric.yaml:{len(head.splitlines()) + 3}:7"


def bank_and_case(folder: Path, number: int = 0):
    rubric = load_rubric(folder)
    exercise = rubric.exercises[number]
    (case,) = Reference(rubric).make_cases(exercise, 0)
    return {f"{mistake.gradient} {mistake.name}": mistake for mistake in load_bank(rubric)}, case


def test_a_mistake_is_named_by_its_function(folder):
    assert [(mistake.function, mistake.gradient, mistake.name) for mistake in load_bank(load_rubric(folder))] == [
        ("steps_backward", "dh", "upstream_only"),
        ("steps_backward", "dx", "own_upstream"),
        ("plain_backward", "dx", "value__as__gradient"),
    ]


def test_the_sentence_is_the_docstring_on_one_line(folder):
    assert load_bank(load_rubric(folder))[0].sentence == "You returned the upstream gradient."


@pytest.mark.parametrize(("source", "said"), MISFITS.values(), ids=MISFITS)
def test_each_misfit_is_told_with_its_line(folder, source, said):
    (folder / "mistakes.py").write_text(f"{MISTAKES}\n\n{source}\n")
    line = len(MISTAKES.splitlines()) + 3
    name = source.partition("(")[0].removeprefix("def ")

    with pytest.raises(CourseError) as caught:
        load_bank(load_rubric(folder))

    assert caught.value.problems == (f"{folder}/mistakes.py:{line}: {name}: {said}",)


def test_all_misfits_are_told_at_once(folder):
    (folder / "mistakes.py").write_text("\n\n".join(source for source, _ in MISFITS.values()))

    with pytest.raises(CourseError) as caught:
        load_bank(load_rubric(folder))

    # Three of them have one name, and the last of a name is the one that Python keeps.
    assert len(caught.value.problems) == len({source.partition("(")[0] for source, _ in MISFITS.values()})


def test_a_missing_bank_is_an_empty_one(folder):
    (folder / "mistakes.py").unlink()

    assert load_bank(load_rubric(folder)) == ()


@pytest.mark.parametrize(("function", "loan", "said"), LOANS.values(), ids=LOANS)
def test_each_loan_that_cannot_be_is_told_with_its_line(two, function, loan, said):
    other, own = two
    place = borrow(own, function, loan)

    with pytest.raises(CourseError) as caught:
        load_bank(load_rubric(own))

    said = said.format(own=own, other=other, absent=own.parent / "absent", place=place)
    assert caught.value.problems == (said,)


def test_a_mistake_on_loan_is_one_of_the_function_that_takes_it_and_comes_before_its_own(two):
    other, own = two
    borrow(own, "steps_backward", "two.steps_backward: [dh]")

    first, second = load_bank(load_rubric(own))

    assert (first.function, first.gradient, first.name) == ("steps_backward", "dh", "upstream_only")
    assert first.sentence == "You returned the upstream gradient."
    assert (first.path, first.line) == (other / "mistakes.py", 14)
    assert (second.path, second.name) == (own / "mistakes.py", "plain")


def test_a_mistake_on_loan_is_evaluated_in_the_case_of_the_function_that_takes_it(two):
    _, own = two
    borrow(own, "steps_backward", "two.steps_backward: [dx]")
    (own / "mistakes.py").unlink()
    bank, case = bank_and_case(own)

    found = bank["dx own_upstream"].evaluate(case, {})

    torch.testing.assert_close(found, 2 * case.expected["x"], rtol=1e-14, atol=0)


def test_a_function_takes_mistakes_of_another_one_of_its_assignment(two):
    _, own = two
    borrow(own, "plain_backward", "steps_backward: [dx]")

    found = [(mistake.function, mistake.name) for mistake in load_bank(load_rubric(own))]

    assert found == [("plain_backward", "plain"), ("steps_backward", "plain")]


def test_mistakes_are_taken_from_assignments_of_the_course_only(two):
    # Students would not get any other.
    _, own = two
    place = borrow(own, "steps_backward", "two.steps_backward: [dx]")
    (own.parent / "course.yaml").write_text("format: 1\ntitle: A\nassignments: [whole]\n")

    with pytest.raises(CourseError) as caught:
        load_course(own.parents[1])

    assert caught.value.problems == (f"{place}: 'two' is no assignment of the course; there are whole",)


def test_a_mistake_gets_the_arguments_of_the_student(folder):
    bank, case = bank_and_case(folder, 1)

    assert torch.equal(bank["dx value__as__gradient"].evaluate(case, {}), case.forward.values["h"])


def test_d_holds_what_autograd_says_of_the_gradients_that_were_not_returned(folder):
    bank, case = bank_and_case(folder)

    found = bank["dx own_upstream"].evaluate(case, {})

    torch.testing.assert_close(found, 2 * case.expected["x"], rtol=1e-14, atol=0)


def test_d_holds_the_students_own_gradient_where_it_was_returned(folder):
    bank, case = bank_and_case(folder)
    own = torch.arange(3, dtype=torch.float64)

    found = bank["dx own_upstream"].evaluate(case, {"dh": own})

    torch.testing.assert_close(found, 2 * own * case.forward.values["x"].exp(), rtol=1e-14, atol=0)


def test_a_mistake_changes_nothing_of_the_case_or_of_the_student(folder):
    source = (
        '\n\ndef steps_backward__dx__in_place(dout, cache, d):\n    """You."""\n'
        "    dout.zero_(), cache.x.zero_(), d.dh.zero_(), d.dx.zero_()\n    return dout\n"
    )
    (folder / "mistakes.py").write_text(MISTAKES + source)
    bank, case = bank_and_case(folder)
    own = torch.ones(3, dtype=torch.float64)

    bank["dx in_place"].evaluate(case, {"dh": own})

    everything = [own, case.dout, case.forward.values["x"], case.expected["h"], case.expected["x"]]
    assert not any(bool((tensor == 0).any()) for tensor in everything)


def test_a_mistake_that_does_not_fit_the_shapes_is_none(folder):
    source = '\n\ndef steps_backward__dx__misfit(dout):\n    """You."""\n    return dout @ torch.ones(2, 2)\n'
    (folder / "mistakes.py").write_text(MISTAKES + source)
    bank, case = bank_and_case(folder)

    assert bank["dx misfit"].evaluate(case, {}) is None


def test_every_mistake_of_the_course_is_a_sentence_to_the_student(course):
    for rubric in course.rubrics:
        for mistake in load_bank(rubric):
            assert mistake.sentence.endswith((".", "?")), mistake
