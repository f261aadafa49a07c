"""What a student reads in the terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from grader.course import Course, load_course
from grader.grading import Grader
from grader.report.terminal import describe_changes, print_report
from grader.report.words import follows_line, next_step
from grader.results import GradientFeedback, Report
from grader.sandbox.warm import Warm
from grader.submission import Submission
from grader.verdict.compare import Verdict
from grader.verdict.follow import Basis

RIGHT = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
WRONG = """def linear_backward(dout, x, W):
    dx = dout @ W.T
    dW = 3 * x.T @ dout
    db = None
    return dx, dW, db
"""
DROPOUT = "def dropout_backward(dout, mask, p):\n    return dout * mask\n"


def _grade(grader: Grader, warm: Warm, **files: str) -> Report:
    return grader.grade(Submission("student", {f"{n}.py": text.encode() for n, text in files.items()}, {}), warm)


def _say(report: Report, *, width: int | None = None, **how: object) -> list[str]:
    out = StringIO()
    terminal = width is not None
    console = Console(
        file=out, width=width or 80, force_terminal=terminal, no_color=True, markup=False, highlight=False
    )
    print_report(report, console, **how)
    return out.getvalue().rstrip().split("\n")


@pytest.fixture
def wrong(small_grader: Grader, warm: Warm) -> Report:
    return _grade(small_grader, warm, linear=WRONG, dropout=DROPOUT)


def test_a_first_slip_is_told_in_fifteen_lines(wrong: Report):
    lines = _say(wrong)

    start = next(place for place, line in enumerate(lines) if line.startswith("      ✗ dW"))
    end = next(place for place, line in enumerate(lines) if line.startswith("        try: grade hint")) + 1
    told = "\n".join(lines[start:end])
    assert end - start <= 15
    for part in ("linear.py line 3", "dW = 3 * x.T @ dout", "expected", "Hint 1 of 2: "):
        assert part in told


def test_what_helps_is_said_first_and_figures_last(wrong: Report):
    lines = _say(wrong)

    first = next(line for line in lines if line.startswith("      ✗ dW"))
    ways = next(place for place, line in enumerate(lines) if line.startswith("        try: grade hint"))
    assert first.startswith("      ✗ dW: wrong values: Your dW is the right gradient times 3.")
    assert re.search(r"at \[.*\] expected .*, got .*; off by .* times the tolerance", lines[ways - 1])


def test_a_hint_about_the_shape_is_for_a_wrong_shape(wrong: Report, small_grader: Grader, warm: Warm):
    shape = _grade(small_grader, warm, linear=WRONG.replace("3 * x.T @ dout", "dout.T @ x"))

    assert not any("has the shape of" in line for line in _say(wrong))
    assert any("Hint 1 of 3: A gradient has the shape of its value" in line for line in _say(shape))


def test_a_hint_that_asks_for_a_product_by_its_shape_is_for_wrong_values_too(course: Course, warm: Warm):
    slip = "def matmul_backward(dout, a, b):\n    return 3 * dout @ b.T, a.T @ dout\n"

    report = Grader(course, only=["matmul_backward"]).grade(Submission("student", {"work.py": slip.encode()}, {}), warm)

    assert report.selected[0].exercises[0].gradients[0].hints[0] == "Which product of dout and b has the shape of a?"


def test_a_function_that_raises_behind_right_values_is_told_why_it_has_all_points(small_grader: Grader, warm: Warm):
    raises = RIGHT.replace("return", "dx, dW, db =")

    report = _grade(small_grader, warm, linear=f"{raises}    assert False\n")

    exercise = report.selected[0].exercises[0]
    assert exercise.is_full_marks
    assert next_step(replace(report, assignments=report.assignments[:1])) == (
        "Every point is earned: linear_backward raised an exception (linear.py line 3), and what it had computed by "
        "then was judged all the same. Mend the line before you use it."
    )


def test_the_worst_place_is_marked_without_colour(wrong: Report):
    assert any("*" in line and "|" in line for line in _say(wrong))


def test_a_later_slip_has_no_hint(wrong: Report):
    lines = _say(wrong)

    assert sum("Hint" in line for line in lines) == 1
    assert sum("try: " in line for line in lines) == 1


def test_explain_gives_every_slip_all_its_hints(wrong: Report):
    lines = _say(wrong, explain=True)

    assert sum("Hint" in line for line in lines) == 2 + 4


def test_a_finished_assignment_is_one_line_and_the_next_step_is_last(small_grader: Grader, warm: Warm):
    lines = _say(_grade(small_grader, warm, linear=RIGHT))

    assert lines[:2] == ["✓ linear · A linear layer · 5/5", ""]
    assert lines[-2] == "Next: Write dropout_backward, for 2 points."
    assert lines[-1].startswith("try: grade explain dropout_backward · ")


def test_what_is_wrong_comes_before_what_is_not_written(small_grader: Grader, warm: Warm):
    lines = _say(_grade(small_grader, warm, dropout=DROPOUT))

    assert lines[-1].startswith("Next: Look at dh in dropout_backward: wrong values.")


def test_what_cannot_be_read_comes_first(small_grader: Grader, warm: Warm):
    lines = _say(_grade(small_grader, warm, dropout=DROPOUT, linear="def linear_backward(:\n"))

    assert lines[-1].startswith("Next: linear.py line 1: SyntaxError")


def test_an_exception_shows_the_line_that_raised(small_grader: Grader, warm: Warm):
    lines = _say(_grade(small_grader, warm, linear="def linear_backward(dout, x, W):\n    return dout @ W\n"))

    assert "      > return dout @ W" in lines
    assert lines[-1].endswith("Mend that first.")


def test_full_marks_leave_nothing_to_do(course: Course, warm: Warm):
    report = _grade(Grader(course, only=["linear"]), warm, linear=RIGHT)

    assert _say(report)[-1] == "Next: Everything is right. There is nothing left to do."


def test_a_network_that_is_right_can_be_trained(course: Course, warm: Warm):
    report = _grade(Grader(course, only=["mlp"]), warm, mlp=(course.folder / "solutions" / "mlp.py").read_text())

    assert (
        _say(report)[-1]
        == "Next: Everything is right. `grade train mlp_backward` trains a network with your gradients."
    )


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_terminal_of_any_width_gets_no_longer_line(wrong: Report, width: int):
    styles = re.compile(r"\x1b\[[\d;]*m")

    assert max(len(styles.sub("", line)) for line in _say(wrong, width=width)) <= width


def test_a_pipe_gets_whole_lines_and_no_escapes(wrong: Report):
    lines = _say(wrong)

    assert not any("\x1b" in line for line in lines)
    assert any(len(line) > 80 for line in lines)


def test_another_seed_is_part_of_the_command(small_course_folder, warm: Warm):
    report = _grade(Grader(load_course(small_course_folder), seed=5), warm, linear=WRONG)

    ways = next(line.strip() for line in _say(report) if "try: grade hint" in line).removeprefix("try: ").split(" · ")
    assert all(command.endswith(" --seed 5") for command in ways)
    assert re.fullmatch(r"grade case linear_backward --case \d --seed 5", ways[-2])


def test_changes_tell_what_moved_and_nothing_else(wrong: Report, small_grader: Grader, warm: Warm):
    after = _grade(small_grader, warm, linear=RIGHT, dropout=DROPOUT)

    assert describe_changes(wrong, after) == [
        "linear_backward: dW wrong values → correct; db not returned → correct",
        "Total 1.5 → 5",
    ]
    assert describe_changes(after, after) == []


def test_a_function_that_raises_in_one_case_only_is_told_which(small_grader: Grader, warm: Warm):
    source = RIGHT.replace("    return", "    assert len(x) > 1\n    return")
    cases = [case.name for case in small_grader.course.rubrics[0].exercises[0].cases]

    lines = _say(_grade(small_grader, warm, linear=source))

    assert f"      try: grade case linear_backward --case {cases.index('one row') + 1}" in lines


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "your d0; the slip is"),
        (2, "your d0 and d1; the slips"),
        (4, "your d0, d1, d2 and d3; "),
        (9, "d2 and 6 more; "),
    ],
)
def test_of_many_slips_a_few_are_named(count: int, said: str):
    slips = tuple(f"d{number}" for number in range(count))
    follower = GradientFeedback("dx", Verdict.FOLLOWS, 1.0, 1.0, slips=slips, basis=Basis.OWN)

    assert said in follows_line([follower])
