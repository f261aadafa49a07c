"""The lesson behind a function: its forward pass, the maths, and the rule of each operation in words.

All of it is the author's own or holds for every course: no solution is read. It loads no torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from grader.course import Course, Exercise, Rubric
from grader.course.source import Source
from grader.report.screen import Screen
from grader.workbench.rules import find_rules

README = "README.md"


@dataclass(frozen=True)
class Lesson:
    """What is told of one function, or of the lines of it that are about one value.

    `forward` are lines of code, `maths` lines of TeX as plain text, and `rules` an operation with its backward each.
    """

    function: str
    title: str
    given: tuple[str, ...]
    gradients: tuple[str, ...]
    forward: tuple[str, ...]
    maths: tuple[str, ...]
    rules: tuple[tuple[str, str], ...]

    @property
    def call(self) -> str:
        """The function with its parameters."""
        return f"{self.function}({', '.join(self.given)})"


@dataclass(frozen=True)
class Lessons:
    """The lessons that a word asked for; `goal` is the author's first sentence if that is an assignment."""

    rubric: Rubric
    goal: str
    lessons: tuple[Lesson, ...]

    @property
    def text(self) -> str:
        """The name of the file with the whole text, as `grade start` writes it."""
        return f"{self.rubric.name}.md"


def find_lessons(course: Course, word: str) -> Lessons | None:
    """Return the lessons behind a function, an assignment, a gradient, or `function.gradient`; None if there is none.

    A gradient that several functions have is told of the first.
    """
    function, _, gradient = word.partition(".")
    for rubric in course.rubrics:
        if word == rubric.name:
            lessons = tuple(_lesson(rubric, exercise, "") for exercise in rubric.exercises)
            return Lessons(rubric, _goal(rubric.folder / README), lessons)
        for exercise in rubric.exercises:
            if word == exercise.function:
                return Lessons(rubric, "", (_lesson(rubric, exercise, ""),))
    for rubric in course.rubrics:
        for exercise in rubric.exercises:
            name = gradient if function == exercise.function else word
            if name in exercise.gradient_names:
                return Lessons(rubric, "", (_lesson(rubric, exercise, name[1:]),))
    return None


def _lesson(rubric: Rubric, exercise: Exercise, value: str) -> Lesson:
    source = Source(exercise.reference, exercise.forward).lesson
    lines = [line for line in source.splitlines() if line.strip()]
    maths = [plain_maths(tex) for tex in exercise.maths]
    if value:
        lines = [line for line in lines if _is_about(line, value)]
        maths = [line for line in maths if _is_about(line, value)]
    rules = tuple(find_rules("\n".join(lines), value))
    return Lesson(
        function=exercise.function,
        title=rubric.title,
        given=exercise.given,
        gradients=(f"d{value}, among others",) if value and len(exercise.gradients) > 1 else exercise.gradient_names,
        forward=tuple(lines),
        maths=tuple(maths),
        rules=rules,
    )


def _is_about(line: str, value: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(value)}(?![A-Za-z0-9]|_[A-Za-z])", line.split("#")[0]) is not None


def _goal(path: Path) -> str:
    """Return the first paragraph below the title of an assignment's text, in one line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    paragraphs = [part for part in re.split(r"\n\s*\n", text) if not part.lstrip().startswith("#")]
    return " ".join(paragraphs[0].replace("**", "").split()) if paragraphs else ""


def print_lessons(found: Lessons, screen: Screen) -> None:
    """Write lessons to a screen: of a function all there is, of an assignment its goal and the forward of each."""
    screen.say(0, Text.assemble((found.rubric.name, "bold"), f" · {found.rubric.title}"))
    if found.goal:
        screen.say(0, Text(found.goal))
    for lesson in found.lessons:
        screen.skip()
        screen.say(0, Text.assemble((lesson.call, "bold"), f" returns {', '.join(lesson.gradients)}"), hang=4)
        for line in lesson.forward:
            own = len(line) - len(line.lstrip())
            screen.say(4 + own, Text(line.lstrip()), hang=4)
        if found.goal:
            continue
        rules = [f"{operation}: {rule}." for operation, rule in lesson.rules]
        for heading, lines in (("The maths", lesson.maths), ("The rules", rules)):
            if lines:
                screen.say(0, Text(f"{heading}:", style="bold"))
            for line in lines:
                screen.say(4, Text(line), hang=4)
    screen.skip()
    screen.say(0, Text(f"The whole lesson, with a number worked out: {found.text} (`grade start` writes it)"))


_WORDS = re.compile(r"\\(mathrm|text|mathbf|operatorname)\{([^{}]*)\}")
_FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")
_SPACES = re.compile(r"\\[,;:!]|\\q?quad")
_NAMES = re.compile(r"\\([a-zA-Z]+)")


def plain_maths(tex: str) -> str:
    """Return a line of TeX with less of its markup, as one reads it in a terminal."""
    text = tex.replace(r"\_", "_").replace(r"\cdot", "*")
    text = _WORDS.sub(r"\2", text)
    before = ""
    while before != text:
        before, text = text, _FRACTION.sub(lambda found: f"{_group(found[1])}/{_group(found[2])}", text)
    text = _NAMES.sub(r"\1", _SPACES.sub(" ", text))
    return " ".join(re.sub(r"([_^])\{(\w)\}", r"\1\2", text).split())


def _group(text: str) -> str:
    return text if re.fullmatch(r"\w+", text) else f"({text})"
