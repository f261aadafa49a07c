"""What is said of a change that makes a student's own text right: where the slip is, and what kind it is."""

from __future__ import annotations

from collections.abc import Sequence

from grader.diagnose.search import CERTAIN, LIKELY, Diagnosis
from grader.sandbox.repairing import Edit

# By the kind of a change. What the student wrote is quoted; of what belongs there, no more than a name or a number.
SENTENCES = {
    "sign": "A sign is wrong in {before}.",
    "name": "{before} stands where {after} belongs.",
    "number": "{before} stands where {after} belongs.",
    "axis": "{before} goes over the wrong axis: {after} is right there.",
    "keepdim": "{before} has another shape than belongs there: {after} is right.",
    "axis and keepdim": "{before} goes over the wrong axis: {after} is right there.",
    "method": "{before} stands where {after} belongs: a mean divides by the number of what it adds up.",
    "turned too much": "{before} is turned once too often: it belongs there as it is.",
    "not turned": "{before} has to be turned there.",
    "operator": "In {before}, {after}.",
    "comparison": "{before} compares in the wrong way.",
    "swapped": "The two sides of {before} stand the wrong way round.",
    "brackets": "Python reads {before} in another order than is meant: set brackets around what belongs together.",
    "index": "{before} is off by a place: {after} is right there.",
    "range": "The loop over {before} runs over the wrong places: {after} is right there.",
    "too much": "{before} is one too many in {after}.",
    "not summed": "{before} has to be added up: {after} is missing behind it.",
    "argument": "{before} has its parts in the wrong order.",
    "overwritten": "{before} replaces what was there: here it has to be added to that.",
    "added": "{before} adds to what was there: here it takes its place.",
    "repeated index": "In {before}, an index that occurs more than once keeps one entry only: all of them add up.",
    "one too many": "Without {before} it is right.",
    "order": "{before} comes too early: it belongs behind {after}.",
    "factor": "A factor is missing: {after}, behind {before}.",
    "term": "A term is missing: {after}, behind {before}.",
    "wrapped": "{before} should be {after}.",
    "slope": "{before} is not the slope that belongs there.",
    "slope missing": "A factor is missing behind {before}: the slope of a curve, which is written with {after}.",
}


def explain_edits(edits: Sequence[Edit], line: int | None) -> Diagnosis | None:
    """Return a diagnosis for edits that make a formula right together; `line` is the one that is shown beside it.

    None for a kind that is not known: it comes from the process of the student's code.
    """
    if not edits or any(edit.kind not in SENTENCES for edit in edits):
        return None
    said = " ".join(_say(edit, line) for edit in edits)
    slug = "+".join(edit.kind.replace(" ", "_") for edit in edits)
    if len(edits) == 1:
        return Diagnosis(f"repair:{slug}", f"{said} With that alone your formula is right.", CERTAIN)
    return Diagnosis(f"repair:{slug}", f"There seem to be two slips. {said} With both your formula is right.", LIKELY)


def _say(edit: Edit, line: int | None) -> str:
    after = edit.after if edit.kind == "operator" else f"`{edit.after}`"
    said = SENTENCES[edit.kind].format(before=f"`{edit.before}`", after=after)
    return said if edit.line in (None, line) else f"Look at line {edit.line}: {said}"
