"""Which line of a submission made a gradient, told from its syntax."""

from __future__ import annotations

import ast

import pytest

from grader.grading import Grader
from grader.sandbox.guest.lines import MAX_NAMES, MAX_TEXT, find_lines, find_names
from grader.sandbox.warm import Warm
from grader.submission import Submission

GRADIENTS = ["dx", "dW", "db"]
# The body of a function, and the line that is found for each gradient.
BODIES = {
    "the last assignment": ("dx = 1\ndx = 2\ndW = 3\ndb = 4\nreturn dx, dW, db", {"dx": 3, "dW": 4, "db": 5}),
    "adding to it": ("dx = 1\nfor i in x:\n    dx[i] += i\nreturn dx, None, None", {"dx": 4}),
    "a method that changes it": ("dx = 1\ndx.index_add_(0, x, x)\nreturn dx, None, None", {"dx": 3}),
    "several at once": ("dx, dW = f(x)\ndb = 0\nreturn dx, dW, db", {"dx": 2, "dW": 2, "db": 3}),
    "another name": ("grad = 1\nreturn grad, x.T @ x, None", {"dx": 2, "dW": 3}),
    "in the return itself": ("return (\n    a + 1,\n    b,\n    c.sum(0),\n)", {"dx": 3, "db": 5}),
    "a dict": ("db = 1\nreturn {'dx': x + 1, 'db': db}", {"dx": 3, "db": 2}),
    "inside blocks": (
        "if x:\n    dx = 1\nelse:\n    dx = 2\ntry:\n    dW = 1\nexcept E:\n    dW = 2",
        {"dx": 5, "dW": 9},
    ),
    "a function inside": ("dx = 1\ndef inner():\n    dx = 2\nreturn dx, None, None", {"dx": 2}),
    "a loss beside them": ("dx = 1\nloss = 2\ndb = 3\nreturn loss, dx, None, db", {"dx": 2, "db": 4}),
    "nothing": ("pass", {}),
    "only None": ("return None", {}),
}


def _find(source: str, gradients: list[str]) -> dict[str, tuple[int, str]]:
    return find_lines(ast.parse(source), source.encode(), "f", gradients)


@pytest.mark.parametrize(("body", "lines"), BODIES.values(), ids=BODIES)
def test_the_line_is_found(body: str, lines: dict[str, int]):
    source = "def f(x):\n" + "\n".join(f"    {line}" for line in body.split("\n")) + "\n"

    found = _find(source, GRADIENTS)

    assert {name: line for name, (line, _) in found.items()} == lines


def test_a_single_gradient_is_what_is_returned():
    assert _find("def f(x):\n    return x * 2\n", ["dx"]) == {"dx": (2, "    return x * 2")}


def test_of_a_written_function_and_a_stub_the_lines_are_those_of_the_written_one():
    written, stub = "def f(x):\n    dx = x\n    return dx\n", "def f(x):\n    raise NotImplementedError\n"

    assert _find(written + stub, ["dx"]) == {"dx": (2, "    dx = x")}
    assert _find(stub + written, ["dx"]) == {"dx": (4, "    dx = x")}


def test_the_names_of_a_function_are_what_it_computes_and_returns_and_few():
    many = "".join(f"    a{number} = 1\n" for number in range(300))
    source = f"def f(x):\n    dx = None\n    d_x, {'n' * 61} = x, 1\n    d_x[0] += 1\n    return d_x, 2 * x\n"

    assert find_names(ast.parse(source), "f", ["dx", "dW"]) == {
        "made": {"d_x": 4},
        "order": ["d_x", ""],
        "returned": {"dx": "d_x", "dW": ""},
        "line": 5,
    }
    assert len(find_names(ast.parse(f"def f(x):\n{many}"), "f", ["dx"])["made"]) == MAX_NAMES
    assert find_names(ast.parse("g = 1"), "f", ["dx"])["made"] == {}


def test_a_statement_over_several_lines_is_shown_to_its_end_within_a_bound():
    source = "def f(x):\n    dx = [\n" + "        1,\n" * 50 + "    ]\n    return dx\n"

    line, text = _find(source, ["dx"])["dx"]

    assert (line, text.count("\n")) == (2, 5)
    assert len(_find(f"def f(x):\n    return x + '{'x' * 5000}'\n", ["dx"])["dx"][1]) == MAX_TEXT


def test_the_report_has_the_students_own_line(grade_source):
    source = "def linear_backward(dout, x, W):\n    db = 2 * dout.sum(0)\n    return dout @ W.T, x.T @ dout, db\n"

    report = grade_source(source)

    code = report.selected[0].exercises[0].slips[0].code
    assert (code.file, code.line, code.text.strip()) == ("linear.py", 2, "db = 2 * dout.sum(0)")


def test_so_many_lines_that_they_would_not_fit_cost_the_student_nothing(small_grader: Grader, warm: Warm):
    right = "    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
    files = {
        f"copy_{number}.py": f"def linear_backward(dout, x, W):\n    dx = dW = db = '{'x' * 2000}'\n{right}".encode()
        for number in range(190)
    }
    files["linear.py"] = f"def linear_backward(dout, x, W):\n{right}".encode()

    report = small_grader.grade(Submission("student", files, {}), warm)

    assert report.selected[0].score == 5


def test_elif_after_elif_costs_the_student_nothing(grade_source):
    chain = "    if x is None:\n        pass\n" + "    elif x is W:\n        pass\n" * 400
    source = f"def linear_backward(dout, x, W):\n{chain}    return dout @ W.T, x.T @ dout, dout.sum(0)\n"

    report = grade_source(source)

    assert report.selected[0].score == 5


def test_a_line_that_was_not_reached_is_not_said_to_have_made_anything(grade_source):
    body = "    dx = dW = db = x * 0\n    oops\n    db = dout.sum(1)\n    return dx, dW, db\n"
    found = grade_source(f"def linear_backward(dout, x, W):\n{body}").selected[0].exercises[0]

    assert {each.name: each.code and each.code.line for each in found.gradients} == {"dx": 2, "dW": 2, "db": None}
