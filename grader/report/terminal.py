"""A Report as text for a terminal or a pipe."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from grader.diagnose import LIKELY
from grader.report import words
from grader.report.numbers_table import numbers_table
from grader.results import (
    UNWRITTEN,
    AssignmentFeedback,
    ExerciseFeedback,
    GradientFeedback,
    Report,
    TimingFeedback,
)
from grader.sandbox.answer import Outcome
from grader.verdict.compare import Verdict

TONES = {"✓": "green", "↳": "cyan", "?": "magenta", "✗": "red", "○": "dim"}
PRINTED_LINES = 5
CODE_LINES = 3


@dataclass(frozen=True)
class Depth:
    """How much is said: `hints` of each slip that is explained, `every` slip or the report's first one only."""

    verbose: bool = False
    every: bool = False
    hints: int = 1


Line = tuple[int, Text]


def print_report(
    report: Report,
    console: Console,
    *,
    verbose: bool = False,
    explain: bool = False,
    hints: int = 1,
    page: str = "",
    only_begun: bool = False,
) -> None:
    """Write a report to a console: the first slip at length, all else in a line each, the next step last.

    `explain` tells of every slip all there is to tell; `hints` is how many the first slip gets otherwise;
    `page` is where the HTML report is; with `only_begun` an assignment that is right or not begun is one line.
    """
    report = report.for_student
    following = words.find_next(report)
    for assignment in report.selected:
        short = _short(assignment) if only_begun else ""
        _say(console, 0, _heading(assignment).append(short))
        if short:
            continue
        if not assignment.is_begun:
            _say(console, 2, Text.assemble(("○", TONES["○"]), f" {words.not_begun(assignment)}\n"))
            continue
        for exercise in assignment.exercises:
            depth = Depth(verbose, every=explain, hints=99 if explain else hints if exercise is following else 0)
            for indent, line in _exercise(exercise, depth, report.seed):
                _say(console, indent, line)
        console.print()
    isolation = ", ".join(report.isolation) or words.NO_ISOLATION
    _say(console, 0, Text(f"seed {report.seed} · sandbox: {isolation}", style="dim"))
    for weakness in report.weaknesses:
        _say(console, 0, Text(f"{words.WEAKNESS} {weakness}", style="dim"))
    _say(
        console, 0, Text(f"Total {words.points(report.score)} of {words.points(report.max_score)} points", style="bold")
    )
    if page:
        _say(console, 0, Text(f"Report: {page}"))
    _say(console, 0, Text.assemble(("Next: ", "bold"), words.next_step(report)))


def _say(console: Console, indent: int, line: Text) -> None:
    # In a terminal a line that is too long goes on under its beginning; what reads a pipe gets lines as they are.
    for part in line.wrap(console, max(20, console.width - indent)) if console.is_terminal else [line]:
        part.rstrip()
        console.print(Text(" " * indent).append_text(part), soft_wrap=True)


def _heading(assignment: AssignmentFeedback) -> Text:
    score = f"{words.points(assignment.score)}/{words.points(assignment.max_score)}"
    standing = words.standing(assignment)
    return Text.assemble(
        (f"{assignment.name}", "bold"),
        f" · {assignment.title} · {score}",
        (f" · {standing}" if standing else "", "dim"),
    )


def _short(assignment: AssignmentFeedback) -> str:
    """Return what stands for all the functions of an assignment, if they are all right or all not begun."""
    if all(exercise.is_full_marks for exercise in assignment.exercises):
        return " · ✓"
    begun = [exercise for exercise in assignment.exercises if exercise.outcome not in UNWRITTEN]
    return "" if begun else " · not begun"


def _exercise(exercise: ExerciseFeedback, depth: Depth, seed: int) -> Iterator[Line]:
    glyph, _ = words.state(exercise)
    score = f"{words.points(exercise.score)}/{words.points(exercise.max_score)}"
    line = Text.assemble((glyph, TONES[glyph]), f" {exercise.function}  {score}")
    said = words.outcome_line(exercise)
    yield 2, line.append(f"  {said}") if said else line
    if exercise.source and depth.hints:
        yield 6, Text(f"> {exercise.source}", style="dim")
    if exercise.case_number and not exercise.has_answer and depth.hints:
        yield 6, _debug(exercise, None, seed)
    if depth.verbose or (exercise.is_statements and exercise.has_answer):
        yield from _table(exercise)
    # Where nothing came back, the line above has said it for all of them.
    if exercise.has_answer or exercise.outcome in (Outcome.RETURNED, Outcome.BAD_RETURN):
        yield from _gradients(exercise, depth, seed)
    for invariant in exercise.invariants:
        if invariant.held is False:
            yield 6, Text.assemble(("✗", "red"), f" {words.NOT_HELD}: {invariant.name} ({invariant.detail})")
    if exercise.hidden:
        glyph, tone = ("✗", "red") if exercise.hidden.failed else ("✓", "green")
        yield 6, Text.assemble((glyph, tone), f" {exercise.hidden.sentence}")
    if exercise.timing and (depth.verbose or depth.every or exercise.timing.score < exercise.timing.max_score):
        yield 6, _timing(exercise.timing)
    yield from _printed(exercise)


def _timing(timing: TimingFeedback) -> Text:
    manual, autograd = words.seconds(timing.manual), words.seconds(timing.autograd)
    ratio = f"{words.RATIO} {words.number(timing.ratio, 3)} {timing.spread}".rstrip()
    return Text(f"{words.MANUAL} {manual}, {words.AUTOGRAD} {autograd}, {ratio}")


def _gradients(exercise: ExerciseFeedback, depth: Depth, seed: int) -> Iterator[Line]:
    absent = [slip for slip in exercise.slips if slip.verdict is Verdict.NOT_RETURNED and not slip.note]
    for number, slip in enumerate(each for each in exercise.slips if each not in absent):
        if depth.hints and (depth.every or number == 0) and exercise.has_answer:
            yield from _slip(exercise, slip, depth, seed)
        else:
            yield from _in_short(slip)
    if absent:
        yield 6, Text.assemble(("✗ ", "red"), f"{words.names(absent)}: not returned: None, or not there")
    followers = exercise.of(Verdict.FOLLOWS)
    if followers:
        yield 6, Text.assemble(("↳", "cyan"), f" {words.names(followers)}: follows: {words.follows_line(followers)}")
    right = exercise.of(Verdict.CORRECT)
    if right and not exercise.is_full_marks:
        yield 6, Text.assemble(("✓", "green"), f" {words.names(right)}")


def _slip(exercise: ExerciseFeedback, slip: GradientFeedback, depth: Depth, seed: int) -> Iterator[Line]:
    """Tell of one slip what there is to tell, in about fifteen lines."""
    yield 6, Text.assemble(_head(slip), ": ", (words.slip_line(slip), "bold"))
    if slip.diagnosis and (depth.every or slip.diagnosis.certainty == LIKELY):
        yield 8, Text(words.how_sure(slip.diagnosis), style="dim")
    if words.basis_line(slip):
        yield 8, Text(words.basis_line(slip), style="dim")
    if slip.code:
        yield 8, Text(f"{words.CODE}: {slip.code.file} line {slip.code.line}", style="dim")
        for code in textwrap.dedent(slip.code.text).split("\n")[:CODE_LINES]:
            yield 10, Text(code)
    if slip.picture:
        if slip.diagnosis or slip.slips:
            yield 8, Text(words.how_many(slip.picture))
        yield from _around(slip)
    for number, hint in enumerate(slip.hints[: depth.hints], start=1):
        yield 8, Text.assemble((f"{words.hint_label(number, len(slip.hints))}: ", "bold"), hint)
    if words.figures_line(slip):
        yield 8, Text(words.figures_line(slip), style="dim")
    yield 8, _debug(exercise, slip, seed)


def _in_short(slip: GradientFeedback) -> Iterator[Line]:
    yield 6, Text.assemble(_head(slip), f": {words.slip_line(slip)}")
    for line in (words.basis_line(slip), words.figures_line(slip)):
        if line:
            yield 8, Text(line, style="dim")


def _debug(exercise: ExerciseFeedback, slip: GradientFeedback | None, seed: int) -> Text:
    return Text.assemble(("debug it: ", "dim"), words.case_command(exercise, slip, seed))


def _head(slip: GradientFeedback) -> tuple[str, str]:
    return f"{words.GLYPHS[slip.verdict]} {slip.name}: {words.VERDICTS[slip.verdict]}", "red"


def _around(slip: GradientFeedback) -> Iterator[Line]:
    """Yield the numbers around the worst place, expected to the left and the student's to the right."""
    table = numbers_table(slip)
    if table is None:
        return
    cells = [entry for _, entries in table.rows for entry in entries]
    width = max(len(text) for entry in cells for text in (entry.expected, entry.actual)) + 1
    label = max(len(name) for name, _ in table.rows)
    half = (width + 1) * len(table.columns)
    yield 8, Text(f"{'':{label}} {words.EXPECTED:>{half}}   {words.ACTUAL:>{half}}", style="dim")
    for name, entries in table.rows:
        line = Text(f"{name:{label}} ")
        line.append("".join(f"{entry.expected:>{width}} " for entry in entries)).append(" | ")
        for entry in entries:
            # A star, so that the worst place is told without colour, too.
            mark = "*" if entry.is_worst else " "
            line.append(f"{entry.actual:>{width}}{mark}", style="green" if entry.is_right else "red")
        line.rstrip()
        yield 8, line


def _table(exercise: ExerciseFeedback) -> Iterator[Line]:
    """Yield the lesson's own comparison, one line per gradient."""
    width = max((len(gradient.name) for gradient in exercise.gradients), default=0)
    for gradient in exercise.gradients:
        error = gradient.comparison.max_abs_error if gradient.comparison else None
        exact = "-" if gradient.exact is None else gradient.exact
        approximate = "-" if error is None else gradient.verdict is Verdict.CORRECT
        columns = f"exact: {exact!s:5} | approx: {approximate!s:5} | maxdiff: {words.number(error)}"
        remark = words.remark(gradient)
        yield 6, Text(f"{gradient.name:<{width}} | {columns}{f' | {remark}' if remark else ''}")


def _printed(exercise: ExerciseFeedback) -> Iterator[Line]:
    lines = exercise.printed.rstrip("\n").split("\n") if exercise.printed.strip() else []
    if lines:
        yield 6, Text(f"{words.PRINTED.lower()}:", style="dim")
    for line in lines[-PRINTED_LINES:]:
        yield 6, Text(f"| {line[:200]}", style="dim")


def describe_changes(before: Report, after: Report) -> list[str]:
    """Return a line for every function whose gradients are judged otherwise than before, and one for the total."""
    earlier = {exercise.function: exercise for part in before.selected for exercise in part.exercises}
    lines = []
    for part in after.selected:
        for exercise in part.exercises:
            line = _change(earlier.get(exercise.function), exercise)
            if line:
                lines.append(line)
    if before.score != after.score:
        lines.append(f"Total {words.points(before.score)} → {words.points(after.score)}")
    return lines


def _change(before: ExerciseFeedback | None, after: ExerciseFeedback) -> str:
    if before is None:
        return ""
    old = {gradient.name: gradient.verdict for gradient in before.gradients}
    moved: dict[tuple[str, str], list[str]] = {}
    for gradient in after.gradients:
        if old.get(gradient.name) is not gradient.verdict and gradient.name in old:
            step = words.VERDICTS[old[gradient.name]], words.VERDICTS[gradient.verdict]
            moved.setdefault(step, []).append(gradient.name)
    parts = [f"{', '.join(names)} {was} → {now}" for (was, now), names in moved.items()]
    if before.outcome is not after.outcome:
        parts.insert(0, f"{words.OUTCOMES[before.outcome]} → {words.OUTCOMES[after.outcome]}")
    return f"{after.function}: {'; '.join(parts)}" if parts else ""
