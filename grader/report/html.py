"""A Report as one self-contained HTML page, without scripts and without the network."""

from __future__ import annotations

import base64
import hashlib
import textwrap
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from grader.compare import Verdict
from grader.feedback import ExerciseFeedback, GradientFeedback, Report
from grader.report import words
from grader.report.heatmap import heatmap, legend
from grader.report.maths import MathsError, to_mathml
from grader.report.numbers_table import numbers_table
from grader.report.words.page import PAGE, hint_label, points_words


def render_html(report: Report) -> str:
    """Return a report as an HTML page; everything that came from a submission is escaped."""
    template, style, policy = _parts()
    following = words.find_next(report)
    return template.render(
        report=report,
        seed=report.seed,
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
        page=PAGE,
        tone=_tone,
        verdict_tone=_verdict_tone,
        heatmap=heatmap,
        legend=legend,
        numbers_table=numbers_table,
        mathml=_mathml,
        hint_label=hint_label,
        points_words=points_words,
        breakable=_breakable,
    )
    environment.filters["dedent"] = textwrap.dedent
    style = environment.get_template("report.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return environment.get_template("report.html"), style, policy


def _is_begun(exercise: ExerciseFeedback) -> bool:
    """Return whether there is something to mend: what is right and what is not written yet stays folded."""
    return not exercise.is_full_marks and exercise.outcome not in words.UNWRITTEN


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
