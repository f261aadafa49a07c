"""Every file or folder in tests/submissions/ is one behaviour, and says what must be said of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.grading import Grader
from grader.report.words import gradient_line
from grader.sandbox.warm import Warm
from grader.submission import read_submission

ROOT = Path(__file__).resolve().parents[1]
SUBMISSIONS = Path(__file__).parent / "submissions"
BEHAVIOURS = sorted([*SUBMISSIONS.glob("*.py"), *(path.parent for path in SUBMISSIONS.glob("*/expected.yaml"))])


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda path: path.stem)
def test_each_behaviour_gets_its_outcome_and_costs_no_other_function(
    behaviour: Path, hand_in, small_grader: Grader, warm: Warm
):
    submission, expectations = hand_in(behaviour)
    shutil.copyfile(ROOT / "solutions" / "dropout.py", submission / "dropout.py")

    report = small_grader.grade(read_submission(submission), warm)

    exercises = {exercise.function: exercise for part in report.assignments for exercise in part.exercises}
    for function, expected in expectations.items():
        exercise = exercises.pop(function)
        verdicts = {gradient.name: gradient.verdict.value for gradient in exercise.gradients}
        said = [gradient_line(gradient) for gradient in exercise.gradients]
        assert expected["outcome"] == exercise.outcome.value, exercise.message
        assert expected.get("message", "") in exercise.message
        assert expected.get("line", exercise.line) == exercise.line
        assert expected.get("verdicts", verdicts) == verdicts
        assert expected.get("score", exercise.score) == exercise.score
        assert expected.get("printed", "") in exercise.printed
        assert sorted(expected.get("flags", [])) == sorted({flag.kind for flag in exercise.flags})
        assert any(expected.get("says", "") in line for line in said), said
    assert all(exercise.score == exercise.max_score for exercise in exercises.values())
