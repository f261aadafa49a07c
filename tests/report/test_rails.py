"""The graph in a terminal: every value in a line, and a rail to each value that it is made of."""

from __future__ import annotations

from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
from rich.console import Console

from grader.course import Course
from grader.course.trace import Graph, NamedValue
from grader.grading import Grader
from grader.report.rails import draw_rails, print_graph
from grader.results import ExerciseFeedback
from grader.sandbox.warm import Warm
from grader.submission import Submission

ROOT = Path(__file__).resolve().parents[2]
SLIP = ("dcounts = dprobs * counts_sum_inv + dcounts_sum", "dcounts = dprobs * counts_sum_inv")


@pytest.fixture(scope="module")
def exercise(course: Course, warm: Warm) -> ExerciseFeedback:
    """The whole MLP with one slip."""
    source = (ROOT / "solutions" / "mlp.py").read_text().replace(*SLIP)
    report = Grader(course, only=["mlp"]).grade(Submission("ada", {"mlp.py": source.encode()}, {}), warm)
    (exercise,) = report.selected[0].exercises
    return exercise


def _lines(exercise: ExerciseFeedback, width: int) -> list[str]:
    out = StringIO()
    print_graph(exercise, Console(file=out, force_terminal=True, color_system=None, width=width))
    return out.getvalue().splitlines()


def test_the_slip_is_marked_and_each_value_has_its_glyph_and_word(exercise):
    lines = _lines(exercise, 80)
    words = {line.split()[-1] for line in lines[:27]}

    assert [line.split()[-6:] for line in lines if "←" in line] == [["counts", "8x15", "←", "look", "here", "first"]]
    assert lines[5].startswith("✗ ")
    assert {"right", "follows", "output", "first"} == words
    assert sum("↳" in line for line in lines[:27]) == sum(line.endswith("follows") for line in lines[:27]) > 5


def test_the_slip_is_said_in_a_sentence_below(exercise):
    assert "\n".join(_lines(exercise, 200)).split("\n\n")[1].startswith("✗ dcounts: wrong values: ")


def test_a_narrow_terminal_leaves_out_the_shapes_and_no_value(exercise):
    lines = _lines(exercise, 40)

    assert max(map(len, lines)) <= 40
    assert {line.rstrip(" ←").split()[-1] for line in lines[:27]} == {value.name for value in exercise.graph.values}
    assert lines[5] == "✗             counts          ←"
    assert lines[27] == "✓ right, ✗ look here first, ↳ follows"
    assert "8x15" not in "\n".join(lines)


def test_a_terminal_without_the_signs_has_letters_and_the_words(exercise):
    out = BytesIO()
    file = TextIOWrapper(out, encoding="ascii", write_through=True)

    print_graph(exercise, Console(file=file, width=80))

    lines = out.getvalue().decode().splitlines()
    assert "X     " in lines[5]
    assert lines[5].endswith("<- look here first")
    assert "?" not in "".join(lines[:27])


def _leads_to(graph: Graph) -> dict[str, set[str]]:
    """Read the picture as a person does: follow each rail from a value's line to where it ends."""
    found: dict[str, set[str]] = {}
    waiting: dict[int, set[str]] = {}
    for row in draw_rails(graph):
        name = row.value.name
        for source in waiting.pop(row.place, set()):
            found.setdefault(source, set()).add(name)
        cells = dict(enumerate(row.cells))
        # Rails that begin or are joined here: to both sides as far as a line runs.
        ends = [row.place]
        for step in (1, -1):
            cell = row.place + step
            while cells.get(cell, " ") in "─│┐┤┬┼├" and cells.get(cell, " ") != " ":
                if cells[cell] in "┐┤┬┼├" and cell % 2 == 0:
                    ends.append(cell)
                if cells[cell] in ("┐", "┤" if step > 0 else "├"):
                    break
                if cell % 2 and cells[cell] != "─":
                    break
                cell += step
        for cell in ends:
            waiting.setdefault(cell, set()).add(name)
    return found


def test_the_rails_lead_from_each_value_to_what_it_is_made_of(exercise):
    graph = exercise.graph
    drawn = _leads_to(graph)

    for value in graph.values:
        assert drawn.get(value.name, set()) >= set(value.reads), value.name


def test_a_rail_that_is_crossed_runs_through():
    def value(name: str, *reads: str) -> NamedValue:
        return NamedValue(name, ((),), reads)

    made = value("d", "a", "b", "c"), value("e", "d", "a"), value("out", "e", "b", "c", "d")
    rows = draw_rails(Graph((value("a"), value("b"), value("c"), *made)))

    assert ["".join(row.cells[: row.place]) + "*" + "".join(row.cells[row.place + 1 :]) for row in rows] == [
        "*─┬─┬─┐",
        "*─│─│─┤",
        "├─┼─┼─*",
        "│ * │",
        "│   *",
        "*",
    ]
