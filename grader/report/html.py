"""A Report as one self-contained HTML page, without scripts and without the network."""

from __future__ import annotations

import base64
import hashlib
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from grader.errors import UsageError
from grader.report import words
from grader.report.file import write_file
from grader.report.graph import draw_standing
from grader.report.maths import MathsError, to_mathml
from grader.report.numbers_table import numbers_table
from grader.results import UNWRITTEN, ExerciseFeedback, GradientFeedback, Report
from grader.verdict.compare import Verdict
from grader.verdict.picture import Picture


def write_html(report: Report, asked: Path | None, submission: Path) -> Path:
    """Write the page where it was asked for, or beside the submission, or in the current folder; return where.

    Raises UsageError if it can't be written.
    """
    content = render_html(report)
    if asked is not None:
        return _write(asked, content)
    beside = (submission if submission.is_dir() else submission.parent) / "grade-report.html"
    try:
        return _write(beside, content)
    except UsageError as error:
        try:
            return _write(Path("grade-report.html"), content)
        except UsageError:
            raise error from None


def _write(path: Path, content: str) -> Path:
    try:
        write_file(path, content)
    except OSError as error:
        text = f"{path} could not be written: {error.strerror}; name another place with --report FILE"
        raise UsageError(text) from error
    return path


def render_html(report: Report, *, tells_seed: bool = True) -> str:
    """Return a report as an HTML page for its student; everything that came from a submission is escaped.

    Without the seed nobody can work out at home what a batch will ask.
    """
    report = report.for_student
    template, style, policy = _parts()
    following = words.find_next(report)
    return template.render(
        report=report,
        seed=report.seed if tells_seed else None,
        next=following,
        is_open=lambda exercise: exercise is following or _is_begun(exercise),
        style=Markup(style),  # noqa: S704 # our own style sheet
        policy=policy,
    )


@cache
def _parts() -> tuple[Template, str, str]:
    """Return the template, its style sheet and the policy that allows this one style sheet and nothing else."""
    environment = Environment(
        loader=PackageLoader("grader.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        Verdict=Verdict,
        words=words,
        tone=_tone,
        verdict_tone=_verdict_tone,
        heatmap=heatmap,
        graph_of=draw_standing,
        legend=legend,
        numbers_table=numbers_table,
        mathml=_mathml,
        breakable=_breakable,
    )
    environment.filters["dedent"] = textwrap.dedent
    style = environment.get_template("report.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return environment.get_template("report.html"), style, policy


def _is_begun(exercise: ExerciseFeedback) -> bool:
    """Return whether there is something to mend: what is right and what is not written yet stays folded."""
    return not exercise.is_full_marks and exercise.outcome not in UNWRITTEN


def _tone(exercise: ExerciseFeedback) -> str:
    """Return the class that colours a function; its glyph and word say the same."""
    glyph, _ = words.state(exercise)
    return {"✓": "good", "✗": "wrong"}.get(glyph, "quiet")


def _verdict_tone(gradient: GradientFeedback) -> str:
    if gradient.verdict in (Verdict.CORRECT, Verdict.FOLLOWS):
        return "good"
    return "quiet" if gradient.verdict in (Verdict.NOT_RETURNED, Verdict.NOT_JUDGED) else "wrong"


def _breakable(name: str) -> Markup:
    """Return a name that a narrow page may break behind its underscores."""
    return Markup("_<wbr>").join(escape(part) for part in name.split("_"))


def _mathml(tex: str) -> Markup:
    try:
        return to_mathml(tex)
    except MathsError:
        # `grade check` refuses such a line; a report that shows it as it was written is still a report.
        return Markup("<p><code>") + escape(tex) + Markup("</code></p>")


# The picture's width or height in pixels, which the style may shrink, and the size of a single cell.
SIDE, LARGEST_CELL, SMALLEST_CELL = 288, 36, 12
RING = 0.08
# A cell's share of the largest error, from the faintest colour to the strongest.
LEVELS = (0.01, 0.1, 0.3, 0.7)
SHARES = ("below 1 %", "below 10 %", "below 30 %", "below 70 %", "up to 100 %")


@dataclass(frozen=True)
class Legend:
    """One line of a legend: the class of the colour, and what it means."""

    colour: str
    meaning: str


def heatmap(gradient: GradientFeedback) -> Markup:
    """Return the picture of a gradient as SVG, with a sentence that says its numbers; empty if it has none."""
    picture = gradient.picture
    if picture is None:
        return Markup("")
    rows, columns = len(picture.cells), len(picture.cells[0])
    cell = max(SMALLEST_CELL, min(LARGEST_CELL, SIDE // max(rows, columns)))
    squares: dict[str, list[str]] = {}
    for row, cells in enumerate(picture.cells):
        for column, colour in enumerate(_colours(picture, cells)):
            squares.setdefault(colour, []).append(f"M{column} {row}h1v1h-1z")
    paths = [f'<path class="{colour}" d="{"".join(found)}"/>' for colour, found in sorted(squares.items())]
    crosses = "".join(
        f"M{column}.2 {row}.2l.6 .6m0-.6l-.6 .6"
        for row, cells in enumerate(picture.cells)
        for column, value in enumerate(cells)
        if value != value
    )
    if crosses:
        paths.append(f'<path class="cross" d="{crosses}"/>')
    row, column = picture.worst
    ring = "".join(
        f'<rect class="{name}" x="{column + RING}" y="{row + RING}" width="{1 - 2 * RING}" height="{1 - 2 * RING}"/>'
        for name in ("halo", "ring")
    )
    label = escape(words.picture_title(gradient, picture))
    return Markup(  # noqa: S704 # made of numbers and of an escaped label
        f'<svg class="heat" role="img" aria-label="{label}" width="{columns * cell}" height="{rows * cell}" '
        f'viewBox="-.1 -.1 {columns + 0.2:g} {rows + 0.2:g}">{"".join(paths)}{ring}</svg>'
    )


def legend(picture: Picture) -> list[Legend]:
    """Return what the colours of a picture mean, for those that occur in it."""
    used = {colour for cells in picture.cells for colour in _colours(picture, cells)}
    largest = words.number(_largest(picture), 3)
    lines = [Legend("within", "within the tolerance")] if "within" in used else []
    lines += [
        Legend(f"level{level}", f"{share} of the largest error" + (f", {largest}" if level == len(LEVELS) else ""))
        for level, share in enumerate(SHARES)
        if f"level{level}" in used
    ]
    if "lost" in used:
        lines.append(Legend("lost", "not finite (NaN or infinite)"))
    return lines


def _colours(picture: Picture, cells: tuple[float, ...]) -> list[str]:
    largest = _largest(picture)
    return [
        "lost" if value != value else "within" if value == 0 else f"level{sum(value >= at * largest for at in LEVELS)}"
        for value in cells
    ]


def _largest(picture: Picture) -> float:
    return max((value for cells in picture.cells for value in cells if value == value), default=0.0)
