"""What came of a training: in words, on a terminal, and as one self-contained HTML page with both loss curves."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from grader.judge.training import Curve, Difference, Training
from grader.report import words
from grader.report.curves import draw_curves
from grader.report.html import load_page, write_page
from grader.verdict.compare import Verdict

ROWS = 8
ADVICE = "To look for the reason:"


def write_training(training: Training, asked: Path | None, submission: Path) -> Path:
    """Write the page where it was asked for, or beside the submission, or in the current folder; return where.

    Raises UsageError if it can't be written.
    """
    return write_page(render_training(training), asked, submission, "grade-train.html")


def render_training(training: Training) -> str:
    """Return a training of at least one step as an HTML page."""
    template, style, policy = load_page("training.html", "report.css", "training.css")
    return template.render(
        training=training,
        headline=headline(training),
        sentences=sentences(training),
        picture=draw_curves(training, describe_losses(training)),
        rows=_rows(training),
        advice=(ADVICE, explain_command(training)) if training.difference is not None else None,
        command=f"grade train {training.function}" + (f" --seed {training.seed}" if training.seed else ""),
        style=style,
        policy=policy,
    )


def print_training(training: Training, console: Console) -> None:
    """Write what came of a training to a console."""
    console.print(f"{training.function}: {headline(training)}", style="bold", soft_wrap=True)
    if not training.student.losses:
        return
    for sentence in [*sentences(training), describe_losses(training)]:
        console.print(sentence, soft_wrap=True)
    if training.difference is not None:
        console.print(f"{ADVICE} {explain_command(training)}", soft_wrap=True)
    for whose, curve in (("Your network invents", training.student), ("Autograd's invents", training.autograd)):
        if curve.texts:
            console.print(f"{whose}: {', '.join(curve.texts)}", soft_wrap=True)


def headline(training: Training) -> str:
    """Say in a sentence or two how a training ended."""
    if not training.student.losses:
        advice = f"Finish that first: `grade --only {training.function}` says more."
        return f"training could not begin. {training.problem}. {advice}"
    parted = training.parted
    if parted is not None:
        return f"The curves part in step {parted}."
    if training.problem:
        return "The curves are the same as far as they go."
    return "Your gradients train the network as autograd's do: both curves are the same."


def sentences(training: Training) -> list[str]:
    """Say what there is to say beside the headline: what is to blame, and what ended it early."""
    said = [f"{training.problem}."] if training.problem else []
    if training.difference is not None:
        said += _blame(training.difference)
        if training.parted is None and not training.problem:
            said.append("The loss does not notice, but it is not autograd's all the same.")
    return said


def explain_command(training: Training) -> str:
    """Return the command that looks for the reason of a wrong gradient."""
    return f"grade --only {training.function} --explain"


def _blame(difference: Difference) -> list[str]:
    comparison, name = difference.comparison, difference.gradient
    until = "from the first step on" if difference.step == 1 else f"first in step {difference.step}"
    match comparison.verdict:
        case Verdict.WRONG_SHAPE:
            shapes = (
                f"{words.shape(comparison.actual_shape)}, and its value has {words.shape(comparison.expected_shape)}"
            )
            said = f"{name} has the shape {shapes}, {until}."
        case Verdict.WRONG_DTYPE:
            said = f"{name} is {comparison.actual_dtype}, and the course computes in torch.float64, {until}."
        case Verdict.NOT_FINITE:
            said = f"{name} holds nan or infinite numbers, {until}."
        case _:
            place = words.index(comparison.worst_index)
            numbers = f"{words.number(comparison.actual)} and not {words.number(comparison.expected)}"
            said = f"{name} is not autograd's, {until}: at {place} it is {numbers}."
            if difference.factor is not None:
                said += f" All of it is {words.number(difference.factor)} times autograd's."
    others = len(difference.others)
    behind = f"{words.count(others, 'gradient')} behind it on the way back differ{'s' if others == 1 else ''}, too."
    return [said, *([behind] if others else [])]


def describe_losses(training: Training) -> str:
    """Say in a sentence how low both losses have come."""
    steps, true_steps = len(training.student.losses), len(training.autograd.losses)
    longer = f" after {true_steps}" if true_steps > steps else ""
    return (
        f"After {words.count(steps, 'step')} your loss is {training.student.late:.3f} and autograd's "
        f"{training.autograd.late:.3f}{longer}; with all characters alike it would be {training.uniform_loss:.3f}."
    )


def _rows(training: Training) -> list[tuple[str, str, str]]:
    """Return the numbers behind the picture: steps, and both mean losses of these."""
    width = max(1, -(-training.planned // ROWS))
    rows = []
    for start in range(0, len(training.autograd.losses), width):
        end = min(start + width, len(training.autograd.losses))
        yours, true = (_mean(each, start, end) for each in (training.student, training.autograd))
        rows.append((f"{start + 1} to {end}", yours, true))
    return rows


def _mean(curve: Curve, start: int, end: int) -> str:
    part = curve.losses[start:end]
    return f"{sum(part) / len(part):.4f}" if part else "-"
