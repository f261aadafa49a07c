"""Exercises made ready: what cannot be asked of a submission is said before one is graded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.course import load_course
from grader.errors import CourseError
from grader.grading import Grader


@pytest.mark.slow
def test_inputs_that_cannot_be_handed_over_are_a_fault_of_the_rubric(small_course_folder: Path, tmp_path: Path):
    course = shutil.copytree(small_course_folder, tmp_path / "course")
    rubric = course / "assignments" / "linear" / "rubric.yaml"
    text = rubric.read_text(encoding="utf-8")
    large = text.replace("    cases:\n", "    cases:\n      - {name: a huge one, N: 3000000, D: 3, M: 3}\n", 1)
    assert large != text
    rubric.write_text(large, encoding="utf-8")

    with pytest.raises(CourseError) as caught:
        Grader(load_course(course))

    (problem,) = caught.value.problems
    assert problem.startswith(f"{rubric}:")
    assert problem.endswith("the inputs of its cases are 411 MB, and 128 MB can be handed over; make them smaller")
