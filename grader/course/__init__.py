"""What a course asks for: course.yaml and the rubrics as frozen data, and the only place that knows their format."""

from grader.course.load import default_course, load_course, load_rubric
from grader.course.rubric import (
    DEFAULT_TOLERANCE,
    Arrays,
    CaseSpec,
    Course,
    Exercise,
    Gradient,
    Invariant,
    InvariantKind,
    Limits,
    Loan,
    Rubric,
    Style,
    Timing,
    Tolerance,
)
from grader.course.yaml import Place

__all__ = [
    "DEFAULT_TOLERANCE",
    "Arrays",
    "CaseSpec",
    "Course",
    "Exercise",
    "Gradient",
    "Invariant",
    "InvariantKind",
    "Limits",
    "Loan",
    "Place",
    "Rubric",
    "Style",
    "Timing",
    "Tolerance",
    "default_course",
    "load_course",
    "load_rubric",
]
