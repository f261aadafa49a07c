"""The headings and fixed sentences of page and terminal, by what they are for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PAGE: Mapping[str, str] = MappingProxyType(
    {
        "next": "What to do next",
        "go": "Go to",
        "all": "Assignments",
        "forward": "The forward pass",
        "code": "As code",
        "maths": "As maths",
        "gradients": "All gradients",
        "line": "Your line that made it",
        "stopped": "The line where it stopped",
        "around": "Around the worst place: expected, yours below",
        "expected": "expected",
        "actual": "yours",
        "worst": "worst",
        "off": "off",
        "picture": "Where it is off",
        "numbers": "The picture in numbers",
        "within": "within the tolerance",
        "not_finite": "not finite (NaN or infinite)",
        "ring": "the worst place",
        "of_largest": "of the largest error",
        "look": "debug it",
        "keys": "h one more hint · e explain everything · q quit · saved files are graded again",
        "waiting": "Waiting for the next save.",
        "unchanged": "Nothing changed since the last time.",
        "not_begun": "not begun",
        "debug": "To look at this case yourself, with print and a debugger:",
        "more_slips": "Also wrong in itself",
        "not_yet": "Not returned yet",
        "follows": "Right, given what came before",
        "follows_why": "Nothing to mend here: each is what your formula should give with your own upstream gradient.",
        "invariants": "Properties that must hold",
        "held": "holds",
        "broken": "does not hold",
        "untried": "could not be tried",
        "timing": "Speed",
        "manual": "your function",
        "autograd": "autograd",
        "ratio": "ratio",
        "printed": "Your code printed",
        "again": "To grade again with the same data:",
        "nothing": "nothing was graded",
        "weak": "time limits only",
        "weakness": "weaker sandbox:",
        "certain": "This fits every case exactly.",
        "likely": "This is the likely reason; other slips can look the same.",
        "not_judged": "The grader itself failed here. That is not your doing, and it is not counted as a zero.",
        "bad_maths": "(this formula could not be shown)",
        "legend": (
            "✓ correct: autograd agrees within the tolerance. ↳ follows: right, given an earlier gradient of yours "
            "that is wrong; it keeps its points. ✗ wrong in itself. exact: equal bit for bit. "
            "approx: equal within the tolerance. maxdiff: the largest error."
        ),
    }
)


def hint_label(number: int, total: int) -> str:
    """Name a hint."""
    return f"Hint {number} of {total}" if total > 1 else "Hint"


def points_words(score: str, max_score: str) -> str:
    """Say a score in full, for those who hear it."""
    return f"{score} of {max_score} points"


def index_label(lead: tuple[int, ...], last: int | None) -> str:
    """Label a row or a column of numbers: [2, :] or [:, 3]."""
    if last is None:
        return f"[{', '.join([*map(str, lead), ':'])}]" if lead else "[:]"
    if len(lead) > 1:
        return f"[…, {last}]"
    return f"[:, {last}]" if lead else f"[{last}]"
