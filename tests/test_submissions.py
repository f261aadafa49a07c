"""Every folder in tests/submissions/ is one behaviour, with what must be said of it in expected.yaml."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from grader.grading import Grader
from grader.report.words import gradient_line
from grader.sandbox.warm import Warm
from grader.submission import read_submission

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("submissions/*/expected.yaml"))
ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_behaviour_gets_its_outcome_and_costs_no_other_function(
    folder: Path, tmp_path: Path, small_grader: Grader, warm: Warm
):
    submission = shutil.copytree(folder, tmp_path / folder.name)
    shutil.copyfile(ROOT / "solutions" / "dropout.py", submission / "dropout.py")

    report = small_grader.grade(read_submission(submission), warm)

    exercises = {exercise.function: exercise for part in report.assignments for exercise in part.exercises}
    for function, expected in yaml.safe_load((folder / "expected.yaml").read_text()).items():
        exercise = exercises.pop(function)
        verdicts = {gradient.name: gradient.verdict.value for gradient in exercise.gradients}
        said = [gradient_line(gradient) for gradient in exercise.gradients]
        assert expected["outcome"] == exercise.outcome.value, exercise.message
        assert expected.get("message", "") in exercise.message
        assert expected.get("line", exercise.line) == exercise.line
        assert expected.get("verdicts", verdicts) == verdicts
        assert expected.get("score", exercise.score) == exercise.score
        assert expected.get("printed", "") in exercise.printed
        assert sorted(expected.get("flags", [])) == sorted(flag.kind for flag in exercise.flags)
        assert any(expected.get("says", "") in line for line in said), said
    assert all(exercise.score == exercise.max_score for exercise in exercises.values())
