"""A Report as text for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from grader.compare import Verdict
from grader.feedback import AssignmentFeedback, ExerciseFeedback, GradientFeedback, Report
from grader.report.words import GLYPHS, VERDICTS, gradient_line, number, outcome_line, points
from grader.sandbox.answer import Outcome

STYLES = {Verdict.CORRECT: "green", Verdict.FOLLOWS: "cyan", Verdict.NOT_JUDGED: "magenta"}
PRINTED_LINES = 5


def print_report(report: Report, console: Console, *, verbose: bool = False) -> None:
    """Write a report to a console: what is right in one line, what is not in one line each, the total last."""
    for assignment in report.selected:
        console.print(_heading(assignment))
        for exercise in assignment.exercises:
            for line in _exercise(exercise, verbose=verbose):
                console.print(line, soft_wrap=True)
        console.print()
    isolation = ", ".join(report.isolation) or "time limits only"
    console.print(Text(f"seed {report.seed} · sandbox: {isolation}", style="dim"), soft_wrap=True)
    console.print(Text(f"Total {points(report.score)} of {points(report.max_score)} points", style="bold"))


def _heading(assignment: AssignmentFeedback) -> Text:
    score = f"{points(assignment.score)}/{points(assignment.max_score)}"
    return Text.assemble((f"{assignment.name}", "bold"), f" · {assignment.title} · {score}")


def _exercise(exercise: ExerciseFeedback, *, verbose: bool) -> Iterator[Text]:
    full = exercise.score is not None and exercise.score >= exercise.max_score
    glyph, style = ("✓", "green") if full else ("?", "magenta") if exercise.score is None else ("✗", "red")
    score = f"{points(exercise.score)}/{points(exercise.max_score)}"
    line = Text.assemble("  ", (glyph, style), f" {exercise.function}  {score}")
    said = outcome_line(exercise)
    yield line.append(f"  {said}") if said else line
    if verbose:
        yield from _table(exercise)
    wrong = [gradient for gradient in exercise.gradients if gradient.verdict is not Verdict.CORRECT]
    # Where nothing came back, the line above has said it for all of them.
    if len(wrong) < len(exercise.gradients) or exercise.outcome in (Outcome.RETURNED, Outcome.BAD_RETURN):
        for gradient in wrong:
            yield from _gradient(gradient)
        right = [gradient.name for gradient in exercise.gradients if gradient.verdict is Verdict.CORRECT]
        if right and wrong:
            yield Text.assemble("      ", ("✓", "green"), f" {', '.join(right)}")
    yield from _printed(exercise)


def _gradient(gradient: GradientFeedback) -> Iterator[Text]:
    style = STYLES.get(gradient.verdict, "red")
    head = (f"{GLYPHS[gradient.verdict]} {gradient.name}: {VERDICTS[gradient.verdict]}", style)
    yield Text.assemble("      ", head, f": {gradient_line(gradient)}")
    if gradient.hints and gradient.verdict not in (Verdict.FOLLOWS, Verdict.NOT_JUDGED):
        yield Text.assemble("        hint: ", gradient.hints[0])


def _table(exercise: ExerciseFeedback) -> Iterator[Text]:
    """Yield the lesson's own comparison, one line per gradient."""
    width = max(len(gradient.name) for gradient in exercise.gradients)
    for gradient in exercise.gradients:
        found = gradient.comparison
        exact = "-" if gradient.exact is None else gradient.exact
        approximate = "-" if found is None or found.max_abs_error is None else gradient.verdict is Verdict.CORRECT
        largest = number(found.max_abs_error) if found else "-"
        yield Text(
            f"      {gradient.name:<{width}} | exact: {exact!s:5} | approx: {approximate!s:5} | maxdiff: {largest}"
        )


def _printed(exercise: ExerciseFeedback) -> Iterator[Text]:
    lines = exercise.printed.rstrip("\n").split("\n") if exercise.printed.strip() else []
    if lines:
        yield Text("      your code printed:", style="dim")
    for line in lines[-PRINTED_LINES:]:
        yield Text(f"      | {line[:200]}", style="dim")
