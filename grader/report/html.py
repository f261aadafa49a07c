"""A Report as one self-contained HTML page, without scripts and without the network."""

from __future__ import annotations

import base64
import hashlib
import textwrap
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from grader.errors import UsageError
from grader.report import page_words, words
from grader.report.file import write_file
from grader.report.gradients_table import gradients_table
from grader.report.graph import draw_standing
from grader.report.heatmap import heat_maps, legend, overview, scale_strip
from grader.report.maths import MathsError, to_mathml
from grader.report.numbers_table import numbers_table
from grader.results import UNWRITTEN, AssignmentFeedback, ExerciseFeedback, Report
from grader.sandbox.answer import Outcome
from grader.verdict.compare import Verdict


def write_html(report: Report, asked: Path | None, submission: Path, since: str | None = None) -> Path:
    """Write a report's page, as `write_page` does, and return where."""
    return write_page(render_html(report, since=since), asked, submission, "grade-report.html")


def write_page(content: str, asked: Path | None, submission: Path, name: str) -> Path:
    """Write a page where it was asked for, or beside the submission, or in the current folder; return where.

    Raises UsageError if it can't be written.
    """
    if asked is not None:
        return _write(asked, content)
    beside = (submission if submission.is_dir() else submission.parent) / name
    try:
        return _write(beside, content)
    except UsageError as error:
        try:
            return _write(Path(name), content)
        except UsageError:
            raise error from None


def _write(path: Path, content: str) -> Path:
    try:
        write_file(path, content)
    except OSError as error:
        text = f"{path} could not be written: {error.strerror}; name another place with --report FILE"
        raise UsageError(text) from error
    return path


def render_html(report: Report, *, tells_seed: bool = True, since: str | None = None) -> str:
    """Return a report as an HTML page for its student; everything that came from a submission is escaped.

    Without the seed nobody can work out at home what a batch will ask. `since` says what the last run did not have.
    """
    report = report.for_student
    template, style, policy = load_page("report.html", "report.css")
    following = words.find_next(report)
    parts = report.selected
    finished = [part for part in parts if _is_finished(part)]
    open_parts = [part for part in parts if part.is_begun and part not in finished]
    return template.render(
        report=report,
        since=since,
        finished=finished,
        unbegun=[part for part in parts if not part.is_begun],
        # Where there is something to mend comes before what is all unwritten.
        open_parts=sorted(open_parts, key=lambda part: not part.is_handed_in),
        seed=report.seed if tells_seed else None,
        next=following,
        is_open=lambda exercise: exercise is following or _is_begun(exercise),
        style=style,
        policy=policy,
    )


@cache
def load_page(name: str, *styles: str) -> tuple[Template, Markup, str]:
    """Return a template, its style sheets as one, and the policy that allows these and nothing else."""
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
        page_words=page_words,
        tone=_tone,
        gradients_table=gradients_table,
        heat_maps=heat_maps,
        scale_strip=scale_strip(),
        overview=overview,
        graph_of=draw_standing,
        legend=legend,
        numbers_table=numbers_table,
        mathml=_mathml,
        breakable=_breakable,
    )
    environment.filters["dedent"] = textwrap.dedent
    style = "\n".join(environment.get_template(each).render() for each in styles)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return environment.get_template(name), Markup(style), policy  # noqa: S704 # our own style sheets


def _is_begun(exercise: ExerciseFeedback) -> bool:
    """Return whether there is something to mend: what is right and what is not written yet stays folded."""
    return not exercise.is_full_marks and exercise.outcome not in UNWRITTEN


def _is_finished(assignment: AssignmentFeedback) -> bool:
    """Return whether nothing of an assignment is left to look at, not even what costs no points."""
    return all(
        each.is_full_marks
        and each.outcome is Outcome.RETURNED
        and not each.slips
        and all(invariant.held is not False for invariant in each.invariants)
        for each in assignment.exercises
    )


def _tone(exercise: ExerciseFeedback) -> str:
    """Return the class that colours a function; its glyph and word say the same."""
    glyph, _ = words.state(exercise)
    return {"✓": "good", "✗": "wrong"}.get(glyph, "quiet")


def _breakable(name: str) -> Markup:
    """Return a name that a narrow page may break behind its underscores."""
    return Markup("_<wbr>").join(escape(part) for part in name.split("_"))


def _mathml(tex: str) -> Markup:
    try:
        return to_mathml(tex)
    except MathsError:
        # `grade check` refuses such a line; a report that shows it as it was written is still a report.
        return Markup("<p><code>") + escape(tex) + Markup("</code></p>")
