"""The graph of a function in a terminal: a value in each line, the output on top, and a rail to what it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from grader.course.graph import Graph, NamedValue
from grader.report import words
from grader.report.graph import GLYPHS, MARKS, shown_case
from grader.report.layout import lay_out
from grader.report.screen import Screen
from grader.report.spelling import spell
from grader.results import ExerciseFeedback, Mark

STYLES = {
    Mark.RIGHT: "green",
    Mark.SLIP: "bold red",
    Mark.WRONG: "red",
    Mark.FOLLOWS: "cyan",
    Mark.NOT_WRITTEN: "dim",
    Mark.NEVER_REACHED: "dim",
    Mark.NOT_JUDGED: "magenta",
    Mark.START: "bold",
    Mark.NOT_ASKED: "dim",
}
POINTER, DOT = "←", "·"
# What a rail's cell is drawn with: does the way go up, down, left, right from it?
UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
STROKES = {
    UP | DOWN: "│",
    LEFT | RIGHT: "─",
    LEFT | DOWN: "┐",
    UP | DOWN | LEFT: "┤",
    LEFT | RIGHT | DOWN: "┬",
    UP | DOWN | LEFT | RIGHT: "┼",
    UP | DOWN | RIGHT: "├",
}
# Of a terminal that has none of these signs; a glyph there is its first letter, and the word stands beside it.
PLAIN = {
    Mark.RIGHT: "r",
    Mark.SLIP: "X",
    Mark.WRONG: "x",
    Mark.FOLLOWS: "f",
    Mark.NOT_WRITTEN: "o",
    Mark.NEVER_REACHED: "-",
    Mark.NOT_JUDGED: "?",
    Mark.START: "*",
    Mark.NOT_ASKED: "*",
}


@dataclass(frozen=True)
class Row:
    """A value and what is drawn before it: the cells of its line, the one at `place` being its own."""

    value: NamedValue
    cells: tuple[str, ...]
    place: int


def print_graph(exercise: ExerciseFeedback, console: Console) -> None:
    """Write the graph of a function that has one, and in words how the gradient of each value stands."""
    assert exercise.graph is not None
    screen = Screen(console)
    marks, case = exercise.marks, shown_case(exercise)
    rows = list(draw_rails(exercise.graph))
    width = max(len(row.cells) for row in rows)
    name = max(len(row.value.name) for row in rows)
    sizes = {row.value.name: _sizes(row.value, case) for row in rows}
    size = max(map(len, sizes.values()))
    notes = {mark: f"{POINTER} {text}" if mark is Mark.SLIP else text for mark, text in MARKS.items()}
    room, least = screen.room(0), width + 1 + name
    wide = least + 2 + max(len(notes[mark]) for mark in marks.values())
    # A narrow terminal has the words below; one that is wider has the shapes, too.
    has_words, has_sizes = room is None or room >= wide, room is None or room >= wide + size + 2
    glyphs = PLAIN if spell("✓│", console.encoding) != "✓│" else {**GLYPHS, Mark.START: DOT, Mark.NOT_ASKED: DOT}
    for row in rows:
        mark = marks[row.value.name]
        rail = Text("".join(row.cells[: row.place]), style="dim")
        rail.append(glyphs[mark], STYLES[mark]).append("".join(row.cells[row.place + 1 :]), "dim")
        rail.append(" " * (width - len(row.cells) + 1))
        rail.append(f"{row.value.name:{name}}", STYLES[mark])
        if has_sizes:
            rail.append(f"  {sizes[row.value.name]:{size}}", "dim")
        rail.append(f"  {notes[mark] if has_words else POINTER if mark is Mark.SLIP else ''}", STYLES[mark])
        screen.say(0, rail)
    if not has_words:
        used = [mark for mark in MARKS if mark in marks.values() and mark not in (Mark.START, Mark.NOT_ASKED)]
        screen.say(0, Text(", ".join(f"{glyphs[mark]} {MARKS[mark]}" for mark in used), style="dim"))
    if exercise.slips and exercise.has_answer:
        first = exercise.slips[0]
        head = f"{words.GLYPHS[first.verdict]} {first.name}: {words.VERDICTS[first.verdict]}: "
        screen.skip()
        screen.say(0, Text.assemble((head, "red"), words.slip_line(first)), hang=2)


def draw_rails(graph: Graph) -> Iterator[Row]:
    """Yield the values of a graph from the output down, layer by layer, with the rails that lead to each.

    A rail is one value that is waited for; a value's line ends its rail and begins, or joins, one for each value that
    it was made of.
    """
    values = {value.name: value for value in graph.values}
    layout = lay_out(graph, (1,) * len(graph.values))
    rails: list[str | None] = []
    for box in sorted(layout.boxes, key=lambda box: (box.top, box.left)):
        value = values[box.name]
        place = rails.index(value.name) if value.name in rails else _free(rails, 0)
        above = list(rails)
        rails[place] = None
        ends = [_join(rails, name, place) for name in value.reads]
        yield Row(value, _cells(above, rails, place, ends), place * 2)
        while rails and rails[-1] is None:
            rails.pop()


def _free(rails: list[str | None], first: int) -> int:
    """Return the first place that no rail takes, from `first` on; there is one more after it."""
    place = next((place for place in range(first, len(rails)) if rails[place] is None), len(rails))
    if place == len(rails):
        rails.append(None)
    return place


def _join(rails: list[str | None], name: str, place: int) -> int:
    """Return the rail of a value, a new one if it has none: the one that becomes free here, or one to the right."""
    if name in rails:
        return rails.index(name)
    end = _free(rails, place)
    rails[end] = name
    return end


def _cells(
    above: Sequence[str | None], below: Sequence[str | None], place: int, ends: Sequence[int]
) -> tuple[str, ...]:
    width = max(len(above), len(below))
    ways = [0] * (2 * width - 1)
    for rail in range(width):
        ways[2 * rail] |= UP if rail < len(above) and above[rail] is not None else 0
        ways[2 * rail] |= DOWN if rail < len(below) and below[rail] is not None else 0
    for end in ends:
        left, right = sorted((2 * place, 2 * end))
        for cell in range(left, right):
            ways[cell] |= RIGHT
            ways[cell + 1] |= LEFT
    # A rail that is only crossed runs through, so that nobody takes it for a branch.
    joined = {2 * end for end in ends} | {2 * place}
    ways = [UP | DOWN if cell not in joined and way & (UP | DOWN) else way for cell, way in enumerate(ways)]
    while ways and not ways[-1]:
        ways.pop()
    return tuple(STROKES.get(way, " ") for way in ways)


def _sizes(value: NamedValue, case: int) -> str:
    """Return a shape in few letters; nothing for a scalar."""
    return "x".join(map(str, value.shapes[min(case, len(value.shapes) - 1)]))
