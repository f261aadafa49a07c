"""The graph of a forward pass as a picture: how the gradient of each value stands, or how a class did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup, escape

from grader.course.trace import Graph, NamedValue
from grader.report.layout import BOX_HEIGHT, Edge, Layout, lay_out
from grader.results import ExerciseFeedback, Mark

# Widths of a letter in pixels, of a name and of what is noted beside it, and of what else is in a box.
LETTER, SMALL_LETTER, PADDING, GLYPH = 7.3, 6.1, 14, 14
ARROW = "m-3 5 3-5 3 5"


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


@dataclass(frozen=True)
class Face:
    """What a box shows: the class that draws it, a glyph, a note beside the name, what it is called, where it leads."""

    look: str
    glyph: str
    note: str
    title: str
    link: str = ""


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


def draw_shares(graph: Graph, shares: Mapping[str, float | None], title: str) -> Markup:
    """Return a graph as SVG with the share of a class that has each gradient right, by the gradient's name."""
    faces = {}
    for value in graph.values:
        share = shares.get(f"d{value.name}")
        if share is None:
            faces[value.name] = Face("unasked", "", "", value.name)
        else:
            text = f"{100 * share:.0f} %"
            faces[value.name] = Face(f"h{int(share * 10)}", "", text, f"d{value.name}: {text}")
    return to_svg(graph, (len("100 %"),) * len(graph.values), faces, title)


def to_svg(
    graph: Graph,
    rooms: tuple[int, ...],
    faces: Mapping[str, Face],
    title: str,
    off: frozenset[str] | set[str] = frozenset(),
) -> Markup:
    """Return a graph as SVG: `rooms` are letters for the note of each value, `off` those that pass on what is not true.

    It has no id and no style of its own, so a page may hold any number of them.
    """
    layout = _place(graph, rooms)
    true = "".join(_path(edge) for edge in layout.edges if edge.target not in off)
    untrue = "".join(_path(edge) for edge in layout.edges if edge.target in off)
    parts = [
        f'<path class="edge" d="{true}"/>' if true else "",
        f'<path class="edge off" d="{untrue}"/>' if untrue else "",
    ]
    for box in layout.boxes:
        face = faces[box.name]
        label = escape(face.title)
        has_glyph = bool(face.glyph)
        name = box.left + PADDING // 2 + (GLYPH if has_glyph else 0)
        glyph = f"{face.glyph}" if has_glyph else ""
        note = f'<tspan class="note" dx="6">{escape(face.note)}</tspan>' if face.note else ""
        head = f'<tspan x="{box.left + PADDING // 2}">{glyph}</tspan>' if glyph else ""
        drawn = (
            f'<rect x="{box.left}" y="{box.top}" width="{box.width}" height="{BOX_HEIGHT}" rx="5"/>'
            f'<text y="{box.top + 16}">{head}<tspan x="{name}">{escape(box.name)}</tspan>{note}</text>'
        )
        parts.append(
            f'<a class="{face.look}" href="{escape(face.link)}" aria-label="{label}">{drawn}</a>'
            if face.link
            else f'<g class="{face.look}">{drawn}</g>'
        )
    return Markup(  # noqa: S704 # made of numbers, our own classes and escaped text
        f'<svg class="graph" role="group" aria-label="{escape(title)}" width="{layout.width}" height="{layout.height}" '
        f'viewBox="0 0 {layout.width} {layout.height}">{"".join(parts)}</svg>'
    )


def _place(graph: Graph, rooms: tuple[int, ...]) -> Layout:
    widths = (
        PADDING + GLYPH + LETTER * len(value.name) + (6 + SMALL_LETTER * room if room else 0)
        for value, room in zip(graph.values, rooms, strict=True)
    )
    return lay_out(graph, tuple(map(round, widths)))


def _path(edge: Edge) -> str:
    """Return an edge as path data: upright where it leaves and arrives, with an arrow at its end."""
    (x, y), *further = edge.points
    text = f"M{x} {y}"
    for to_x, to_y in further:
        middle = (y + to_y) // 2
        text += f"V{to_y}" if to_x == x else f"C{x} {middle} {to_x} {middle} {to_x} {to_y}"
        x, y = to_x, to_y
    return text + ARROW


def _sizes(value: NamedValue, case: int) -> str:
    """Return a shape in few letters, sizes with a cross between; nothing for a scalar."""
    return "×".join(map(str, value.shapes[min(case, len(value.shapes) - 1)]))  # noqa: RUF001 # a cross is meant


def _title(exercise: ExerciseFeedback) -> str:
    """Say in a sentence what a graph shows: how many gradients stand how."""
    found = list(exercise.marks.values())
    parts = [f"{found.count(mark)} {text}" for mark, text in MARKS.items() if mark in found and mark is not Mark.START]
    return f"The graph of {exercise.function}, the output on top: {', '.join(parts)}."
