"""The class report: one self-contained page without scripts, and without names unless they are asked for."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from grader.batch.gradebook import read_rows
from grader.batch.statistics import BINS, ClassStatistics, Snapshot, count
from grader.batch.store import Store, read_json
from grader.batch.suspicions import most_suspicious, suspicions
from grader.errors import UsageError
from grader.report.drawing import Share, draw_shares
from grader.text import one_line

OUTCOMES = {
    "not_written": "not written",
    "missing": "missing",
    "raised": "raised an exception",
    "timed_out": "ran out of time",
    "out_of_memory": "ran out of memory",
    "too_much_output": "printed too much",
    "crashed": "ended its process",
    "bad_return": "returned what cannot be graded",
    "autograd_used": "used autograd",
    "unreadable": "could not be read",
    "not_judged": "not judged",
}
# As many of the hardest gradients are seen at once; the others are folded.
HARDEST = 12
LAST_RUN = "the run before"
# A graph of fewer values tells no more than a list.
LEAST_DRAWN = 4


@dataclass(frozen=True)
class Earlier:
    """A class to compare with, and what it is called."""

    name: str
    snapshot: Snapshot


def render_class_report(store: Store, *, shows_names: bool, compare: Path | None = None) -> str:
    """Return the class report of a results folder as HTML; only with names does it link to the reports.

    The class stands beside that of another results folder, or of the last run into this one that was another.
    Raises UsageError if `compare` is no such folder.
    """
    template, style, policy = _parts()
    statistics = count(read_rows(store))
    kept = _remember(store, statistics) if statistics.is_whole else None
    earlier = read_earlier(compare) if compare is not None else kept
    return template.render(
        course=store.read_batch()["course"],
        s=statistics,
        now=statistics.snapshot,
        earlier=earlier,
        outcomes={
            name: words
            for name, words in OUTCOMES.items()
            if any(each.outcomes[name] for each in statistics.functions.values())
        },
        drawn=_draw(store, statistics),
        most_slips=sorted(statistics.functions, key=lambda name: -statistics.functions[name].slips),
        # An iterator: the page is written as it is read.
        rows=read_rows(store) if shows_names else None,
        suspicious=most_suspicious(read_rows(store)) if shows_names else [],
        style=Markup(style),  # noqa: S704 # our own style sheet
        policy=policy,
    )


def _draw(store: Store, statistics: ClassStatistics) -> dict[str, Markup]:
    """Return the graphs of the functions in which not all is right, with how the class did, by function."""
    graphs, drawn = store.graphs(), {}
    for name, function in statistics.functions.items():
        graph = graphs.get(name)
        tallies = function.gradients
        is_open = any(each.right < statistics.graded for each in tallies.values())
        if graph is not None and is_open and len(graph.values) >= LEAST_DRAWN:
            shares = {each.name: Share(statistics.share(each), each.slips) for each in tallies.values()}
            drawn[name] = draw_shares(graph, shares, f"The graph of {name}: how the class did with each gradient")
    return drawn


def read_earlier(folder: Path) -> Earlier:
    """Return the class in another results folder. Raises UsageError if it is none."""
    store = Store(folder)
    if not folder.is_dir() or not store.read_batch():
        raise UsageError(f"--compare {one_line(str(folder), 300)} is not the --out of a batch")
    return Earlier(one_line(folder.resolve().name, 60), count(read_rows(store)).snapshot)


def _remember(store: Store, statistics: ClassStatistics) -> Earlier | None:
    """Keep what this class is, and return what the one before it was, of the same folder."""
    now = statistics.snapshot
    kept = read_json(store.class_path)
    kept = kept if isinstance(kept, dict) else {}
    was, before = _snapshot(kept.get("now")), _snapshot(kept.get("before"))
    before = was if was is not None and was.as_json() != json.loads(json.dumps(now.as_json())) else before
    content = {"now": now.as_json(), "before": before.as_json() if before is not None else None}
    store.write(store.class_path, json.dumps(content) + "\n")
    return Earlier(LAST_RUN, before) if before is not None and before.graded else None


def _snapshot(kept: object) -> Snapshot | None:
    try:
        return Snapshot(**kept) if isinstance(kept, dict) else None
    except TypeError:  # of another version
        return None


def percent(share: float | None) -> str:
    """Return a share as people write it."""
    return "-" if share is None else f"{100 * share:.0f} %"


def change(before: float, now: float) -> str:
    """Return how a share has changed, in points of a hundred."""
    difference = round(100 * now) - round(100 * before)
    return f"{difference:+d}".replace("-", "−") if difference else "±0"  # noqa: RUF001 # a minus sign


def points(value: float | None) -> str:
    """Return a score as people write it."""
    return "-" if value is None else f"{round(value, 2):g}"


def seconds(value: float | None) -> str:
    """Return a time to three digits."""
    return "-" if value is None else f"{value:.3g} s"


def breakable(name: str) -> Markup:
    """Return a name that a narrow page may break behind its underscores, and nowhere else."""
    return Markup("_<wbr>").join(escape(part) for part in name.split("_"))


def range_of(number: int, statistics: ClassStatistics) -> str:
    """Return the points of a bin."""
    step = statistics.max_score / BINS
    return f"{points(number * step)} to {points((number + 1) * step)}"


@cache
def _parts() -> tuple[Template, str, str]:
    """Return the template, its style sheet and the policy that allows this one style sheet and nothing else."""
    environment = Environment(
        # The graph looks as it does in a student's report.
        loader=ChoiceLoader([PackageLoader("grader.batch"), PackageLoader("grader.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    helpers: dict[str, Any] = {"percent": percent, "points": points, "seconds": seconds, "breakable": breakable}
    helpers["suspicions"] = suspicions
    environment.filters.update(helpers, address=lambda file: quote(f"reports/{file}.html"))
    environment.globals.update(change=change, range_of=range_of, HARDEST=HARDEST)
    style = environment.get_template("class.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return environment.get_template("class.html"), style, policy
