"""A Report as text for a terminal or a pipe."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from grader.diagnose import LIKELY
from grader.report import ways, words
from grader.report.numbers_table import numbers_table
from grader.report.overview import in_short, is_finished, is_waiting, not_written, still_to_begin
from grader.report.screen import Screen
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


def print_report(
    report: Report,
    console: Console,
    *,
    verbose: bool = False,
    explain: bool = False,
    hints: int = 1,
    changes: str = "",
) -> None:
    """Write a report to a console, one screen of it: what is done in a line, the first slip at length, what is next.

    `explain` tells of every slip all there is to tell; `hints` is how many the first slip gets otherwise;
    `changes` is what is to be said of the time since the last run.
    """
    report = report.for_student
    screen = Screen(console)
    following = words.find_next(report)
    is_short = len(report.selected) > 1 and not verbose and not explain
    finished = [each for each in report.selected if is_short and is_finished(each)]
    for assignment in finished:
        screen.say(0, Text.assemble(("✓ ", TONES["✓"]), _heading(assignment)), hang=2)
    if finished:
        screen.skip()
    begun = [each for each in report.selected if each not in finished and (not is_waiting(each) or not is_short)]
    waiting = [each for each in report.selected if each not in finished and each not in begun]
    first = next((each for each in report.selected if following in each.exercises), None)
    if first in waiting:
        begun, waiting = [*begun, first], [each for each in waiting if each is not first]
    for assignment in sorted(begun, key=lambda each: each is not first):
        screen.say(0, _heading(assignment))
        if assignment.is_begun:
            for exercise, others in _gather(assignment, following, is_short=not verbose and not explain):
                if others:
                    screen.say(2, Text.assemble(("○", TONES["○"]), f" {not_written(others)}"), hang=2)
                elif is_short and exercise is not following:
                    screen.say(2, _in_a_line(exercise), hang=4)
                else:
                    depth = Depth(verbose, explain, 99 if explain else hints if exercise is following else 0)
                    _tell(screen, exercise, depth, report.seed)
        else:
            screen.say(2, Text.assemble(("○", TONES["○"]), f" {words.not_begun(assignment)}"), hang=2)
        screen.skip()
    if waiting:
        screen.say(0, Text.assemble(("○", TONES["○"]), f" {still_to_begin(waiting)}"), hang=2)
        screen.skip()
    if changes:
        screen.say(0, Text(changes, style="cyan"))
    isolation = ", ".join(report.isolation) or words.NO_ISOLATION
    screen.say(0, Text(f"seed {report.seed} · sandbox: {isolation}", style="dim"))
    for weakness in report.weaknesses:
        screen.say(0, Text(f"{words.WEAKNESS} {weakness}", style="dim"))
    total = f"Total {words.points(report.score)} of {words.points(report.max_score)} points"
    screen.say(0, Text(total, style="bold"))
    screen.say(0, Text.assemble(("Next: ", "bold"), words.next_step(report)))
    if following is not None and following.outcome in UNWRITTEN:
        screen.say_each(0, ways.TRY, ways.ways_to_begin(following))


def _gather(
    assignment: AssignmentFeedback, following: ExerciseFeedback | None, *, is_short: bool
) -> Iterator[tuple[ExerciseFeedback, list[ExerciseFeedback]]]:
    """Yield functions with those that are told in the same line; the one to look at first comes first."""
    exercises = sorted(assignment.exercises, key=lambda each: is_short and each is not following)
    plain = [each for each in exercises if each.outcome is Outcome.NOT_WRITTEN and not words.begun_line(each)]
    together = plain if is_short and len(plain) > 1 else []
    for exercise in exercises:
        if exercise not in together:
            yield exercise, []
        elif exercise is together[0]:
            yield exercise, together


def _heading(assignment: AssignmentFeedback) -> Text:
    score = f"{words.points(assignment.score)}/{words.points(assignment.max_score)}"
    standing = words.standing(assignment)
    return Text.assemble(
        (f"{assignment.name}", "bold"),
        f" · {assignment.title} · {score}",
        (f" · {standing}" if standing else "", "dim"),
    )


def _first_line(exercise: ExerciseFeedback) -> Text:
    glyph, _ = words.state(exercise)
    score = f"{words.points(exercise.score)}/{words.points(exercise.max_score)}"
    line = Text.assemble((glyph, TONES[glyph]), f" {exercise.function}  {score}")
    said = words.outcome_line(exercise)
    return line.append(f"  {said}") if said else line


def _in_a_line(exercise: ExerciseFeedback) -> Text:
    """Tell of a function that is not the one to look at first."""
    line, about = _first_line(exercise), in_short(exercise)
    return line.append(f"  {about}") if about else line


def _tell(screen: Screen, exercise: ExerciseFeedback, depth: Depth, seed: int) -> None:
    """Tell of a function what there is to tell."""
    screen.say(2, _first_line(exercise), hang=4)
    if exercise.source and depth.hints:
        _say_code(screen, 6, f"> {exercise.source}", style="dim")
    is_open = exercise.outcome not in UNWRITTEN and not exercise.is_full_marks
    if is_open and depth.hints and not (exercise.has_answer and _judged_slips(exercise)):
        slip = next(iter(exercise.slips), None) if exercise.has_answer else None
        further = ways.ways_on(exercise, slip, seed)
        if further:
            screen.say_each(6, ways.TRY, further)
    if depth.verbose or (exercise.is_statements and exercise.has_answer):
        for line in _table(exercise):
            screen.say(6, line, hang=2)
    # Where nothing came back, the line above has said it for all of them.
    if exercise.has_answer or exercise.outcome in (Outcome.RETURNED, Outcome.BAD_RETURN):
        _tell_gradients(screen, exercise, depth, seed)
    for invariant in exercise.invariants:
        if invariant.held is False:
            line = Text.assemble(("✗", "red"), f" {words.NOT_HELD}: {invariant.name} ({invariant.detail})")
            screen.say(6, line, hang=2)
    if exercise.hidden:
        glyph, tone = ("✗", "red") if exercise.hidden.failed else ("✓", "green")
        screen.say(6, Text.assemble((glyph, tone), f" {exercise.hidden.sentence}"), hang=2)
    if exercise.timing and (depth.verbose or depth.every or exercise.timing.score < exercise.timing.max_score):
        screen.say(6, _timing(exercise.timing))
    lines = exercise.printed.rstrip("\n").split("\n") if exercise.printed.strip() else []
    if lines:
        screen.say(6, Text(f"{words.PRINTED.lower()}:", style="dim"))
    for text in lines[-PRINTED_LINES:]:
        screen.say(6, Text(f"| {text[:200]}", style="dim"), hang=2)


def _judged_slips(exercise: ExerciseFeedback) -> list[GradientFeedback]:
    """Return the slips of which there is more to say than that they are not there."""
    return [slip for slip in exercise.slips if not slip.is_absent]


def _tell_gradients(screen: Screen, exercise: ExerciseFeedback, depth: Depth, seed: int) -> None:
    right = exercise.of(Verdict.CORRECT)
    if right and len(right) < len(exercise.gradients):
        screen.say(6, Text.assemble(("✓", "green"), f" {words.names(right)}"), hang=2)
    judged = _judged_slips(exercise)
    absent = [slip for slip in exercise.slips if slip not in judged]
    for number, slip in enumerate(judged):
        if depth.hints and (depth.every or number == 0) and exercise.has_answer:
            _tell_slip(screen, exercise, slip, depth, seed)
        else:
            screen.say(6, Text.assemble(_head(slip), f": {words.slip_line(slip)}"), hang=2)
            for line in filter(None, (words.basis_line(slip), words.figures_line(slip))):
                screen.say(8, Text(line, style="dim"))
    followers = exercise.of(Verdict.FOLLOWS)
    if followers:
        line = f" {words.names(followers)}: follows: {words.follows_line(followers)}"
        screen.say(6, Text.assemble(("↳", "cyan"), line), hang=2)
    if absent:
        line = f"{words.names(absent)}: not returned: {words.absent_line(exercise)}"
        screen.say(6, Text.assemble(("✗ ", "red"), line), hang=2)


def _tell_slip(screen: Screen, exercise: ExerciseFeedback, slip: GradientFeedback, depth: Depth, seed: int) -> None:
    """Tell of one slip what there is to tell, in about fifteen lines: the sentence first, the figures last."""
    screen.say(6, Text.assemble(_head(slip), ": ", (words.slip_line(slip), "bold")), hang=2)
    if slip.diagnosis and (depth.every or slip.diagnosis.certainty == LIKELY) and words.how_sure(slip.diagnosis):
        screen.say(8, Text(words.how_sure(slip.diagnosis), style="dim"))
    if words.basis_line(slip):
        screen.say(8, Text(words.basis_line(slip), style="dim"))
    if slip.code:
        screen.say(8, Text(f"{words.CODE}: {slip.code.file} line {slip.code.line}", style="dim"))
        for code in textwrap.dedent(slip.code.text).split("\n")[:CODE_LINES]:
            _say_code(screen, 10, code)
    for number, hint in enumerate(slip.hints[: depth.hints], start=1):
        screen.say(8, Text.assemble((f"{words.hint_label(number, len(slip.hints))}: ", "bold"), hint))
    if slip.picture:
        if slip.diagnosis or slip.slips:
            screen.say(8, Text(words.how_many(slip.picture)))
        for line in _around(slip, screen.room(8)):
            screen.say(8, line)
    if words.figures_line(slip):
        screen.say(8, Text(words.figures_line(slip), style="dim"))
    screen.say_each(8, ways.TRY, ways.ways_on(exercise, slip, seed))


def _say_code(screen: Screen, indent: int, code: str, style: str = "") -> None:
    """Write a line of code under its own indent; what does not fit is set off from a line that follows."""
    text = code.expandtabs(4)
    own = len(text) - len(text.lstrip())
    screen.say(indent + own, Text(text.lstrip(), style=style), hang=4)


def _timing(timing: TimingFeedback) -> Text:
    manual, autograd = words.seconds(timing.manual), words.seconds(timing.autograd)
    ratio = f"{words.RATIO} {words.number(timing.ratio, 3)} {timing.spread}".rstrip()
    return Text(f"{words.MANUAL} {manual}, {words.AUTOGRAD} {autograd}, {ratio}")


def _head(slip: GradientFeedback) -> tuple[str, str]:
    return f"{words.GLYPHS[slip.verdict]} {slip.name}: {words.VERDICTS[slip.verdict]}", "red"


def _around(slip: GradientFeedback, room: int | None) -> Iterator[Text]:
    """Yield the numbers around the worst place, expected to the left and the student's to the right.

    Where there is no room for all columns, those next to the worst place are told; where there is none for one, none.
    """
    table = numbers_table(slip)
    if table is None:
        return
    columns = range(len(table.columns))
    cells = [entry for _, entries in table.rows for entry in entries]
    width = max(len(text) for entry in cells for text in (entry.expected, entry.actual)) + 1
    label = max(len(name) for name, _ in table.rows)
    if room is not None:
        fitting = max(0, room - label - 4) // (2 * (width + 1))
        worst = next((place for _, row in table.rows for place, entry in enumerate(row) if entry.is_worst), 0)
        left = max(0, min(worst - fitting // 2, len(columns) - fitting))
        columns = columns[left : left + fitting]
    half = (width + 1) * len(columns)
    if not columns or half < len(words.EXPECTED):
        return
    yield Text(f"{'':{label}} {words.EXPECTED:>{half}}   {words.ACTUAL:>{half}}", style="dim")
    for name, entries in table.rows:
        line = Text(f"{name:{label}} ")
        shown = [entries[place] for place in columns]
        line.append("".join(f"{entry.expected:>{width}} " for entry in shown)).append(" | ")
        for entry in shown:
            # A star, so that the worst place is told without colour, too.
            mark = "*" if entry.is_worst else " "
            line.append(f"{entry.actual:>{width}}{mark}", style="green" if entry.is_right else "red")
        line.rstrip()
        yield line


def _table(exercise: ExerciseFeedback) -> Iterator[Text]:
    """Yield the lesson's own comparison, one line per gradient."""
    width = max((len(gradient.name) for gradient in exercise.gradients), default=0)
    for gradient in exercise.gradients:
        error = gradient.comparison.max_abs_error if gradient.comparison else None
        exact = "-" if gradient.exact is None else gradient.exact
        approximate = "-" if error is None else gradient.verdict is Verdict.CORRECT
        columns = f"exact: {exact!s:5} | approx: {approximate!s:5} | maxdiff: {words.number(error)}"
        remark = words.remark(gradient)
        yield Text(f"{gradient.name:<{width}} | {columns}{f' | {remark}' if remark else ''}")


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
