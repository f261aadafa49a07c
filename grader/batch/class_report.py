"""The class report: one self-contained page without scripts, and without names unless they are asked for."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from grader.batch.class_statistics import count
from grader.batch.gradebook import read_rows
from grader.batch.store import Store

OUTCOMES = (
    "not_written",
    "missing",
    "raised",
    "timed_out",
    "out_of_memory",
    "too_much_output",
    "crashed",
    "bad_return",
    "autograd_used",
    "unreadable",
    "not_judged",
)


def render_class_report(store: Store, *, shows_names: bool) -> str:
    """Return the class report of a results folder as HTML; only with names does it link to the reports."""
    template, style, policy = _parts()
    batch = store.read_batch()
    statistics = count(read_rows(store))
    return template.render(
        course=batch["course"],
        seed=batch["seed"],
        statistics=statistics,
        outcomes=[name for name in OUTCOMES if any(each.outcomes[name] for each in statistics.functions.values())],
        # An iterator: the page is written as it is read.
        rows=read_rows(store) if shows_names else None,
        style=Markup(style),  # noqa: S704 # our own style sheet
        policy=policy,
    )


def percent(share: float | None) -> str:
    """Return a share as people write it."""
    return "-" if share is None else f"{100 * share:.0f} %"


def shade(share: float | None) -> str:
    """Return the class of a heat map's cell: h0 to h10, from none right to all."""
    return "" if share is None else f"h{int(share * 10)}"


def points(value: float | None) -> str:
    """Return a score as people write it."""
    return "-" if value is None else f"{round(value, 2):g}"


def seconds(value: float | None) -> str:
    """Return a time to three digits."""
    return "-" if value is None else f"{value:.3g} s"


@cache
def _parts() -> tuple[Template, str, str]:
    """Return the template, its style sheet and the policy that allows this one style sheet and nothing else."""
    environment = Environment(
        loader=PackageLoader("grader.batch"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    helpers: dict[str, Any] = {"percent": percent, "shade": shade, "points": points, "seconds": seconds}
    environment.filters.update(helpers, address=lambda file: quote(f"reports/{file}.html"))
    style = environment.get_template("class.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return environment.get_template("class.html"), style, policy
