"""A Report as one self-contained HTML page, without scripts and without the network."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from grader.feedback import Report
from grader.report import words


def render_html(report: Report) -> str:
    """Return a report as an HTML page; everything that came from a submission is escaped."""
    template, style, policy = _parts()
    return template.render(report=report, style=Markup(style), policy=policy)  # noqa: S704 # our own style sheet


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
    environment.globals.update(words=words)
    style = environment.get_template("report.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return environment.get_template("report.html"), style, policy
