"""The rules by which marks are given, as a number: results under different ones do not stand in one gradebook.

Whoever changes what the same work earns raises RULES by one and says in CHANGES, in one sentence for an instructor,
what that did. Sentences, diagnoses and looks are no rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

RULES = 3
# Of results that say no number.
OLDEST = 1
# What each number changed against the one before it.
CHANGES: Mapping[int, str] = {
    2: "Each step is also tried with random numbers in place of what came before it, so a slip of any kind costs its "
    "own gradient and no other, and what is right behind a step that raises or is missing is paid.",
    3: "A step that is right but for a gain's or a bias's gradient that it reads as a sum is paid, and so is what is "
    "completed behind a line that raises, or returned beside an expression that does. Where one small change of the "
    "text makes several gradients right, they have one slip in common: the first of them is charged and the others "
    "follow. A lesson's statements are also found under names and sizes of a student's own, in functions, in a class, "
    "in cells of marimo, in a training loop that is all there is, and in numpy.",
}


def changes_since(rules: int) -> Sequence[str]:
    """Return what has changed since some rules, one sentence for each number; nothing for those of a newer grader."""
    return [f"rules {number}: {CHANGES[number]}" for number in range(rules + 1, RULES + 1)]
