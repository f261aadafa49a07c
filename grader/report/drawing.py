"""A graph of values as SVG: boxes with a glyph, a name and a note, and arrows between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from grader.course.graph import Graph
from grader.report.layout import BOX_HEIGHT, Box, Edge, Layout, lay_out

# Widths of a letter in pixels, of a name and of what is noted beside it, and of what else is in a box.
LETTER, SMALL_LETTER, PADDING, GLYPH = 7.3, 6.1, 14, 14
ARROW = "m-3 5 3-5 3 5"
BAR_HEIGHT = 3


@dataclass(frozen=True)
class Face:
    """What a box shows: the class that draws it, a glyph, a note beside the name, what it is called, where it leads.

    `share` is the length of a bar at its lower edge, as a part of its width.
    """

    look: str
    glyph: str
    note: str
    title: str
    link: str = ""
    share: float | None = None


@dataclass(frozen=True)
class Share:
    """How a class did with a gradient: the share that has it right, and how many have the slip itself there."""

    right: float
    slips: int


def draw_shares(graph: Graph, shares: Mapping[str, Share], title: str) -> Markup:
    """Return a graph as SVG with how a class did with each gradient, by its name; where most slip stands out."""
    most = max((share.slips for share in shares.values()), default=0)
    faces = {}
    for value in graph.values:
        share = shares.get(f"d{value.name}")
        if share is None:
            faces[value.name] = Face("not_asked", "", "", value.name)
            continue
        text = f"{100 * share.right:.0f} %"
        look = "slip" if share.slips and share.slips == most else "wrong" if share.slips else "right"
        note = f"{text}, {share.slips} ✗" if share.slips else text
        faces[value.name] = Face(look, "", note, f"d{value.name}: {note}", share=share.right)
    rooms = tuple(len(faces[value.name].note) for value in graph.values)
    return to_svg(graph, rooms, faces, title)


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
        start = box.left + PADDING // 2
        head = f'<tspan x="{start}">{face.glyph}</tspan>' if face.glyph else ""
        name = start + (GLYPH if face.glyph else 0)
        note = f'<tspan class="note" dx="6">{escape(face.note)}</tspan>' if face.note else ""
        bar = "" if face.share is None else _bar(box, face.share)
        drawn = (
            f'<rect x="{box.left}" y="{box.top}" width="{box.width}" height="{BOX_HEIGHT}" rx="5"/>'
            f'{bar}<text y="{box.top + 16}">{head}<tspan x="{name}">{escape(box.name)}</tspan>{note}</text>'
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


def _bar(box: Box, share: float) -> str:
    left, top, width = box.left + 2, box.top + BOX_HEIGHT - BAR_HEIGHT, round((box.width - 4) * share)
    return f'<path class="share" d="M{left} {top}h{width}v{BAR_HEIGHT}H{left}z"/>' if width else ""


def _path(edge: Edge) -> str:
    """Return an edge as path data: upright where it leaves and arrives, with an arrow at its end."""
    (x, y), *further = edge.points
    text = f"M{x} {y}"
    for to_x, to_y in further:
        middle = (y + to_y) // 2
        text += f"V{to_y}" if to_x == x else f"C{x} {middle} {to_x} {middle} {to_x} {to_y}"
        x, y = to_x, to_y
    return text + ARROW
