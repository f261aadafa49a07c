"""A Report inside a Jupyter or Colab notebook: its own page in a frame, so that neither style touches the other."""

from __future__ import annotations

from markupsafe import escape

from grader.feedback import Report
from grader.report.html import render_html
from grader.report.words import next_step, points

HEIGHT = 640


def show_in_notebook(report: Report) -> str:
    """Return a report as HTML for a notebook's output cell."""
    title = escape(f"{points(report.score)} of {points(report.max_score)} points. {next_step(report)}")
    # `sandbox` without any permission: no script, no form, no way out of the frame.
    return (
        f'<iframe sandbox title="{title}" srcdoc="{escape(render_html(report))}" width="100%" height="{HEIGHT}" '
        'style="border:0"></iframe>'
    )
