"""The next hint: for the gradient that was asked for, or the first one that is open, one after the other."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from grader.course import Course
from grader.errors import UsageError
from grader.report.hints import ladder, say_right, say_state, which_slip
from grader.report.words import find_next, next_step
from grader.results import UNWRITTEN, ExerciseFeedback, GradientFeedback, Report
from grader.text import one_line
from grader.workbench.history import Given, History

NEXT = "The next one:"
NOT_REMEMBERED = "It could not be remembered that you had this one. All hints at once: grade --explain"
LAST = "This was the last hint."
LAST_AGAIN = "There are no more hints."


@dataclass(frozen=True)
class Hint:
    """What to say: `number` of `total`, 0 where there is nothing to hint at; `history` is what is known from now on.

    `is_repeated` if it was the last one already.
    """

    text: str
    title: str = ""
    number: int = 0
    total: int = 0
    function: str = ""
    asked: str = ""
    is_repeated: bool = False
    history: History | None = None

    def lines(self, *, is_remembered: bool) -> tuple[str, ...]:
        """Return what is said to a student; `is_remembered` if it could be written down that the hint was given."""
        if not self.total:
            return (self.text,)
        said = (f"{self.title} · hint {self.number} of {self.total}", self.text)
        if self.number < self.total:
            return (
                *said,
                f"{NEXT} {' '.join(filter(None, ('grade hint', self.asked)))}" if is_remembered else NOT_REMEMBERED,
            )
        last = LAST_AGAIN if self.is_repeated else LAST
        return (*said, f"{last} The lesson behind it: grade explain {self.function}")


def functions_of(course: Course, asked: str) -> tuple[str, ...]:
    """Return the functions to grade for a hint about an assignment, a function, a gradient or `function.gradient`.

    Raises UsageError for a name that the course does not have.
    """
    function, _, gradient = asked.partition(".")
    found = {
        exercise.function: exercise.gradient_names
        for rubric in course.rubrics
        for exercise in rubric.exercises
        if (not gradient and function in (rubric.name, exercise.function, *exercise.gradient_names))
        or (function == exercise.function and gradient in exercise.gradient_names)
    }
    if found:
        return tuple(found)
    every = [exercise for rubric in course.rubrics for exercise in rubric.exercises]
    known = [*course.functions, *(name for exercise in every for name in exercise.gradient_names)]
    near = difflib.get_close_matches(asked, list(dict.fromkeys(known)), n=1)
    advice = f"did you mean {near[0]}?" if near else "name one as your report does, such as dW or linear_backward.dW"
    raise UsageError(f"{one_line(asked, 100)} is no gradient and no function of the course; {advice}")


def next_hint(report: Report, asked: str, history: History) -> Hint:
    """Return the next hint for what was asked, or for what is open first if nothing was."""
    report = report.for_student
    exercise, gradient = _find(report, asked)
    if exercise is None or gradient is None:
        is_right = bool(asked) and all(each.is_full_marks for each in _exercises(report))
        return Hint(say_right(one_line(asked, 100)) if is_right else next_step(report))
    if not gradient.is_slip:
        return Hint(say_state(exercise, gradient))
    hints, place = ladder(exercise, gradient), f"{exercise.function}.{gradient.name}"
    before, slip = history.given.get(place), which_slip(gradient)
    given = before.hints if before is not None and before.slip == slip else 0
    number = min(max(given, 0) + 1, len(hints))
    return Hint(
        text=hints[number - 1],
        title=f"{gradient.name} of {exercise.function}",
        number=number,
        total=len(hints),
        function=exercise.function,
        asked=asked,
        is_repeated=given >= len(hints),
        history=history.with_hint(place, Given(slip, number)),
    )


def _find(report: Report, asked: str) -> tuple[ExerciseFeedback | None, GradientFeedback | None]:
    """Return the function and the gradient that a hint is for: of what was asked, the first that is open."""
    if not asked:
        following = find_next(report)
        open_ones = [each for each in _exercises(report) if each.slips]
        exercise = following or next(iter(open_ones), None)
        return exercise, exercise.slips[0] if exercise is not None and exercise.slips else None
    name = asked.partition(".")[2] or asked
    # Of two functions that have the gradient, it is probably about the one that is begun.
    exercises = sorted(_exercises(report), key=lambda each: each.outcome in UNWRITTEN)
    named = [(each, one) for each in exercises for one in each.gradients if one.name == name]
    slips = [(each, one) for each in exercises for one in each.slips if not named]
    open_first = sorted(named, key=lambda pair: (pair[0].outcome in UNWRITTEN, not pair[1].is_slip))
    return next(iter([*slips, *open_first]), (None, None))


def _exercises(report: Report) -> Iterator[ExerciseFeedback]:
    for assignment in report.selected:
        yield from assignment.exercises
