"""What feedback says in words; every sentence that a student reads stands in this package."""

from grader.report.words.advice import UNWRITTEN, command, find_next, grade_command, next_step
from grader.report.words.numbers import count, index, number, points, seconds, shape, times
from grader.report.words.outcomes import OUTCOMES, not_begun, outcome_line, state, where
from grader.report.words.page import PAGE
from grader.report.words.pictures import (
    LEVEL_WORDS,
    LEVELS,
    axes,
    how_many,
    picture_title,
    rows_in_numbers,
    worst_place,
)
from grader.report.words.verdicts import (
    GLYPHS,
    VERDICTS,
    absent_line,
    approx_word,
    exact_word,
    follows_line,
    gradient_line,
    group_followers,
    largest_difference,
    names,
)

__all__ = [
    "GLYPHS",
    "LEVELS",
    "LEVEL_WORDS",
    "OUTCOMES",
    "PAGE",
    "UNWRITTEN",
    "VERDICTS",
    "absent_line",
    "approx_word",
    "axes",
    "command",
    "count",
    "exact_word",
    "find_next",
    "follows_line",
    "grade_command",
    "gradient_line",
    "group_followers",
    "how_many",
    "index",
    "largest_difference",
    "names",
    "next_step",
    "not_begun",
    "number",
    "outcome_line",
    "picture_title",
    "points",
    "rows_in_numbers",
    "seconds",
    "shape",
    "state",
    "times",
    "where",
    "worst_place",
]
