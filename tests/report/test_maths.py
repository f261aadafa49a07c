"""An author's TeX as MathML."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from grader.course import Course
from grader.report.maths import MathsError, to_mathml


def test_a_name_of_several_letters_is_one_identifier():
    assert "<mi>out</mi>" in to_mathml(r"\mathrm{out}_{nm}")


def test_the_tex_is_there_for_those_who_cannot_see_the_formula():
    assert ElementTree.fromstring(to_mathml("a < b")).get("alttext") == "a < b"


@pytest.mark.parametrize("tex", [r"\frac", r"\nosuchcommand{x}", r"a & b", "{"])
def test_what_cannot_be_shown_is_refused(tex: str):
    with pytest.raises(MathsError):
        to_mathml(tex)


@pytest.mark.parametrize("tex", [r"\href{javascript:alert(1)}{x}", r"\style{color:red}{x}", r"\color{red}{x}"])
def test_no_link_and_no_style_comes_through(tex: str):
    assert not {"href", "style", "mathcolor"} & set(str(to_mathml(tex)).split('alttext="')[1].split('"')[1:])
    assert "href=" not in to_mathml(tex)
    assert " style=" not in to_mathml(tex)


def test_every_formula_of_the_course_can_be_shown(course: Course):
    lines = [line for rubric in course.rubrics for exercise in rubric.exercises for line in exercise.maths]

    assert all(to_mathml(line).startswith("<math") for line in lines)
    assert lines


def test_every_exercise_of_the_course_shows_its_forward_and_no_raw_tex(course: Course):
    for rubric in course.rubrics:
        for exercise in rubric.exercises:
            shown = [ElementTree.fromstring(to_mathml(line)) for line in exercise.maths]

            assert shown, exercise.function
            assert not any("\\" in text for formula in shown for text in formula.itertext()), exercise.function
