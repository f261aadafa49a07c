"""The graph of a function as a picture: how the gradient of each value stands, and where more is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from markupsafe import Markup

from grader.course.graph import NamedValue
from grader.report.drawing import Face, to_svg
from grader.results import ExerciseFeedback, Mark

MARKS: Mapping[Mark, str] = MappingProxyType(
    {
        Mark.RIGHT: "right",
        Mark.SLIP: "look here first",
        Mark.WRONG: "wrong in itself",
        Mark.FOLLOWS: "follows",
        Mark.NOT_WRITTEN: "not written yet",
        Mark.NEVER_REACHED: "never reached",
        Mark.NOT_JUDGED: "not judged",
        Mark.START: "the output",
        Mark.NOT_ASKED: "not asked for",
    }
)
GLYPHS: Mapping[Mark, str] = MappingProxyType(
    {
        Mark.RIGHT: "✓",
        Mark.SLIP: "✗",
        Mark.WRONG: "✗",
        Mark.FOLLOWS: "↳",
        Mark.NOT_WRITTEN: "○",
        Mark.NEVER_REACHED: "-",
        Mark.NOT_JUDGED: "?",
        Mark.START: "",
        Mark.NOT_ASKED: "",
    }
)


def anchor(exercise: ExerciseFeedback, gradient: str) -> str:
    """Return the id of what a page says of a gradient: its panel, else its row of the table."""
    return f"{exercise.function}.{gradient}"


def draw_standing(exercise: ExerciseFeedback) -> Markup:
    """Return the graph of an exercise as SVG, each value with how its gradient stands and a link to what is said of it.

    Empty if the exercise has no graph, or nothing in it is left to do.
    """
    graph = exercise.graph
    if graph is None or exercise.is_full_marks:
        return Markup("")
    case = shown_case(exercise)
    found = exercise.marks
    asked = {gradient.name for gradient in exercise.gradients}
    faces = {}
    for value in graph.values:
        mark, shape = found[value.name], _sizes(value, case)
        about = f"d{value.name} {MARKS[mark]}" if f"d{value.name}" in asked else MARKS[mark]
        link = f"#{anchor(exercise, f'd{value.name}')}" if f"d{value.name}" in asked else ""
        faces[value.name] = Face(mark, GLYPHS[mark], shape, f"{value.name} {shape}: {about}", link)
    rooms = tuple(max(len(_sizes(value, each)) for each in range(len(value.shapes))) for value in graph.values)
    off = {name for name, mark in found.items() if mark in (Mark.SLIP, Mark.WRONG, Mark.FOLLOWS)}
    return to_svg(graph, rooms, faces, _title(exercise), off)


def shown_case(exercise: ExerciseFeedback) -> int:
    """Return the case whose shapes a graph shows, counted from 0: that of the first slip's numbers."""
    first = next(iter(exercise.slips), None)
    return first.case_number - 1 if first is not None and first.case_number else 0


def _sizes(value: NamedValue, case: int) -> str:
    """Return a shape in few letters, sizes with a cross between; nothing for a scalar."""
    return "×".join(map(str, value.shapes[min(case, len(value.shapes) - 1)]))  # noqa: RUF001 # a cross is meant


def _title(exercise: ExerciseFeedback) -> str:
    """Say in a sentence what a graph shows: how many gradients stand how."""
    found = list(exercise.marks.values())
    parts = [f"{found.count(mark)} {text}" for mark, text in MARKS.items() if mark in found and mark is not Mark.START]
    return f"The graph of {exercise.function}, the output on top: {', '.join(parts)}."
