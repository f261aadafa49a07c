"""How the share of the bank that is named without the bank is measured, on one small assignment."""

from __future__ import annotations

import dataclasses

import pytest
from benchmarks.diagnosis import DiagnosisReport, Naming, half_of, measure_diagnosis, render_diagnosis

from grader.course import Course
from grader.diagnose import Diagnosis

FOUND = Diagnosis("factor:2", "Twice.", "certain")


@pytest.fixture(scope="module")
def measured(course: Course) -> DiagnosisReport:
    small = [rubric for rubric in course.rubrics if rubric.name in ("linear", "dropout")]
    return measure_diagnosis(dataclasses.replace(course, rubrics=tuple(small)), seeds=[0, 1])


def test_every_mistake_is_named_with_the_bank(measured: DiagnosisReport):
    assert measured.share(with_bank=True) == 1.0


def test_the_bank_names_a_mistake_by_its_own_name(measured: DiagnosisReport):
    assert [n.mistake for n in measured.namings if n.with_bank is None or n.mistake not in n.with_bank.id] == []


def test_most_mistakes_are_named_without_the_bank(measured: DiagnosisReport):
    assert measured.share("B") >= 0.8


def test_a_mistake_that_raises_in_every_case_is_set_aside(measured: DiagnosisReport):
    assert "linear_backward__dx__weights_not_transposed" in measured.not_numeric


@pytest.mark.slow
def test_every_seed_is_measured(measured: DiagnosisReport):
    names = [naming.mistake for naming in measured.namings]

    assert names.count("linear_backward__db__averaged") == 2


def test_the_half_of_a_mistake_depends_on_its_name_alone():
    assert [half_of(name) for name in ("a", "b", "linear_backward__db__averaged")] == ["B", "B", "A"]


def test_the_share_of_nothing_is_zero():
    assert DiagnosisReport((), ()).share() == 0.0


def test_the_lines_say_shares_and_what_is_not_named():
    report = DiagnosisReport(
        (
            Naming("a", "f__dx__one", "A", "Twice.", FOUND, FOUND),
            Naming("a", "f__dx__two", "B", "Half.", None, FOUND),
        ),
        ("f__dx__three",),
    )

    assert list(render_diagnosis(report)) == [
        "half A        1 mistakes: 100.0% named without the bank, 100.0% with it",
        "half B        1 mistakes:   0.0% named without the bank, 100.0% with it",
        "together      2 mistakes:  50.0% named without the bank, 100.0% with it",
        "a: 1 of 2, 50.0%",
        "not named without the bank: f__dx__two",
        "raises in every case: f__dx__three",
    ]
