"""Lines on a console of any width and encoding."""

from __future__ import annotations

from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.console import Console
from rich.text import Text

from grader.report.screen import Screen
from grader.report.spelling import spell

CODE = "db = (dout * (x - y).exp() / something_long).sum(0, keepdim=True)"
COMMANDS = ["grade hint", "grade --graph linear_backward", "grade case linear_backward --case 2"]


def _terminal(width: int) -> tuple[Screen, StringIO]:
    out = StringIO()
    return Screen(Console(file=out, force_terminal=True, no_color=True, color_system=None, width=width)), out


def test_what_goes_on_of_a_line_is_set_off_by_its_hang():
    screen, out = _terminal(80)

    screen.say(50, Text(CODE), hang=4)

    first, *rest = out.getvalue().splitlines()
    assert first.startswith(" " * 50 + "db = ")
    assert all(line.startswith(" " * 54) and line[54] != " " for line in rest)
    assert " ".join(line.strip() for line in [first, *rest]) == CODE


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_longer_than_the_terminal(width: int):
    screen, out = _terminal(width)

    screen.say(8, Text("w" * 200), hang=4)
    screen.say(8, Text(CODE))
    screen.say_each(8, "try", COMMANDS)

    assert max(map(len, out.getvalue().splitlines())) <= width


def test_a_command_stands_whole_on_a_line_that_has_room_for_it():
    screen, out = _terminal(60)

    screen.say_each(8, "try", COMMANDS)

    assert out.getvalue().splitlines() == [
        "        try: grade hint · grade --graph linear_backward",
        "             grade case linear_backward --case 2",
    ]


def test_a_pipe_gets_a_line_whole():
    out = StringIO()

    Screen(Console(file=out, width=40)).say_each(8, "try", COMMANDS)

    assert out.getvalue() == "        try: " + " · ".join(COMMANDS) + "\n"


def test_signs_that_an_encoding_lacks_are_words():
    out = BytesIO()
    file = TextIOWrapper(out, encoding="ascii", errors="strict", write_through=True)

    Screen(Console(file=file, width=80)).say(0, Text.assemble(("✗", "red"), " db: wrong · été → 日"))

    assert out.getvalue() == b"wrong: db: wrong - ete -> ?\n"


def test_what_can_be_written_is_not_spelled():
    assert spell("✓ été 日", "utf-8") == "✓ été 日"
    assert spell("✓ été", "latin-1") == "right: été"
