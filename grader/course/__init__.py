"""rubric.yaml and course.yaml as frozen data; the only place that knows their format."""

from grader.course.load import DEFAULT_TOLERANCE, default_course, load_course, load_rubric
from grader.course.model import (
    CaseSpec,
    Course,
    Exercise,
    Gradient,
    Invariant,
    InvariantKind,
    Limits,
    Loan,
    Place,
    Rubric,
    Timing,
    Tolerance,
)

__all__ = [
    "DEFAULT_TOLERANCE",
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
    "Timing",
    "Tolerance",
    "default_course",
    "load_course",
    "load_rubric",
]
