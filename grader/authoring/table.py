"""The proof of an assignment as a table that an author can act on."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from grader.authoring.check import Proof
from grader.authoring.margins import powers


def margins_table(proof: Proof) -> Table:
    """Return one row per gradient: how far right answers lie within the tolerance and wrong ones beyond it."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
    for name in ("gradient", "points", "solution", "nearest wrong", "which"):
        table.add_column(name, justify="right" if name in ("points", "solution", "nearest wrong") else "left")
    function = ""
    for margin in proof.margins:
        if margin.function != function:
            function = margin.function
            table.add_row(Text(function, style="bold"))
        table.add_row(
            f"  {margin.gradient}",
            f"{margin.points:g}",
            powers(margin.solution),
            powers(margin.nearest_excess),
            margin.nearest,
        )
    return table
