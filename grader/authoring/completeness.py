"""What an assignment still lacks that no proof asks for: mistakes, hints, formulas and a text worth reading."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.course import Exercise, Rubric, Style
from grader.course.mistakes import load_bank

# Goal, forward, rules and a worked number take some; the shortest of this course's own has twice as many.
ENOUGH_WORDS = 250
# How a text that was begun by `grade new` marks what only its author can write.
TO_WRITE = "To write:"


def check_completeness(rubric: Rubric) -> Iterator[str]:
    """Yield a line for whatever an author would still write; each gradient with points should have a mistake."""
    tried = {(mistake.function, mistake.gradient) for mistake in load_bank(rubric)}
    for exercise in rubric.exercises:
        for gradient in exercise.gradients:
            if gradient.points and (exercise.function, gradient.name) not in tried:
                text = f"{gradient.name} of {exercise.function} has no mistake in {rubric.folder / 'mistakes.py'}"
                yield f"{gradient.place}: {text}; what do people get wrong in it?"
        if not any(gradient.hints or gradient.shape_hints for gradient in exercise.gradients):
            text = f"no gradient of {exercise.function} has `hints`"
            yield f"{exercise.place}: {text}; write what you would ask a student"
        if not exercise.maths:
            yield f"{exercise.place}: {exercise.function} has no `maths`; write its forward as a line of TeX"
    yield from _thin_text(rubric)


def _thin_text(rubric: Rubric) -> Iterator[str]:
    path = rubric.folder / "README.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for number, line in enumerate(text.splitlines(), start=1):
        if f"<!-- {TO_WRITE}" in line:
            yield f"{path}:{number}: still to write: {line.partition(TO_WRITE)[2].removesuffix('-->').strip()}"
    words = {_without_number(word) for word in re.findall(r"\w+", text)}
    count = len(text.split())
    if count < ENOUGH_WORDS:
        wanted = f"the goal, the forward, a worked number and pitfalls take some {ENOUGH_WORDS}"
        yield f"{path}: the text has {count} words; {wanted}"
    for exercise in rubric.exercises:
        if missing := _unnamed(exercise, words):
            yield f"{path}: does not name {', '.join(missing)} of {exercise.function}; say each with its shape"


def _unnamed(exercise: Exercise, words: set[str]) -> list[str]:
    """Return the function and the gradients that a text does not name; a gradient may be there by its value."""
    gradients = [
        each.name for each in exercise.gradients if words.isdisjoint(map(_without_number, (each.name, each.value)))
    ]
    is_named = exercise.style is Style.STATEMENTS or exercise.function in words
    return gradients if is_named else [exercise.function, *gradients]


def _without_number(name: str) -> str:
    """Return a name without the number of its block or step: ln1_gain of ln1_gain_0."""
    return re.sub(r"_\d+$", "", name)
