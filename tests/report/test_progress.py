"""What is said of the time since the last run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.report.progress import Standing, compare_standings, say_progress
from grader.verdict.compare import Verdict

RIGHT, FOLLOWS, VALUES, SHAPE = Verdict.CORRECT, Verdict.FOLLOWS, Verdict.WRONG_VALUES, Verdict.WRONG_SHAPE
ABSENT = Verdict.NOT_RETURNED


def _standing(**gradients: Verdict) -> Standing:
    return Standing("A course", "1", 0, {"f": gradients})


CHANGES = {
    "more right and a slip": (
        {"da": ABSENT, "db": VALUES, "dc": ABSENT},
        {"da": RIGHT, "db": RIGHT, "dc": VALUES},
        "Since the last run: +2 gradients right, 1 new slip (dc of f).",
    ),
    "no longer right": (
        {"da": RIGHT, "db": RIGHT},
        {"da": VALUES, "db": SHAPE},
        "Since the last run: 2 gradients no longer right, 2 new slips (da of f and 1 more).",
    ),
    "a slip that now follows": ({"da": VALUES}, {"da": FOLLOWS}, "Since the last run: 1 slip less."),
    "nothing": ({"da": VALUES}, {"da": VALUES}, "Since the last run: nothing changed."),
    "wrong otherwise": ({"da": VALUES}, {"da": SHAPE}, "Since the last run: no more right, no new slip."),
    "a gradient that was not graded": (
        {"da": RIGHT},
        {"da": RIGHT, "db": RIGHT},
        "Since the last run: nothing changed.",
    ),
}


@pytest.mark.parametrize(("before", "after", "said"), CHANGES.values(), ids=CHANGES)
def test_what_changed_is_one_sentence(before: dict[str, Verdict], after: dict[str, Verdict], said: str):
    assert say_progress(compare_standings(_standing(**before), _standing(**after))) == said


@pytest.mark.parametrize("other", [{"course": "Another"}, {"version": "2"}, {"seed": 1}, {"functions": {}}], ids=str)
def test_nothing_is_said_of_a_run_that_is_no_measure(other: dict[str, object]):
    now = _standing(da=RIGHT)

    assert say_progress(compare_standings(replace(now, **other), now)) == ""
