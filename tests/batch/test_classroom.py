"""The workflow for GitHub Classroom: its steps run as they stand, by bash as a runner calls it.

Nothing is downloaded: pip finds what it is asked for installed.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from grader.batch.export.markdown import as_markdown

ROOT = Path(__file__).resolve().parents[2]
STEPS = yaml.safe_load((ROOT / "docs" / "classroom.yml").read_text())["jobs"]["autograding"]["steps"]
WRONG = "def linear_backward(dout, x, W):\n    return dout @ W.T, 2 * x.T @ dout, dout.sum(0)\n"


@dataclass(frozen=True)
class Run:
    """What is left of a run: how its last step ended, the summary that GitHub shows, and the outputs."""

    code: int
    summary: str
    outputs: dict[str, str]
    said: str


def run_steps(folder: Path, files: dict[str, str]) -> Run:
    """Run the steps on a repository with these files."""
    for part in ("repository", "temporary"):
        (folder / part).mkdir()
    for name, content in files.items():
        (folder / "repository" / name).write_text(content)
    summary, outputs = folder / "summary.md", folder / "outputs"
    for path in (summary, outputs):
        path.touch()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "RUNNER_TEMP": str(folder / "temporary"),
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_OUTPUT": str(outputs),
    }
    said, code = "", 0
    for step in STEPS:
        if "run" in step and code == 0:
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]],
                cwd=folder / "repository",
                env=environment,
                capture_output=True,
                text=True,
                timeout=200,
                check=False,
            )
            said, code = said + done.stderr, done.returncode
    found = dict(line.partition("=")[::2] for line in outputs.read_text().splitlines())
    return Run(code, summary.read_text(), found, said)


@pytest.mark.slow
def test_a_push_has_points_for_classroom_a_summary_and_a_report(tmp_path):
    run = run_steps(tmp_path, {"linear.py": WRONG, "README.md": "# Week 1"})

    handed_over = json.loads(base64.b64decode(run.outputs["result"]))
    (linear,) = [test for test in handed_over["tests"] if test["name"] == "linear_backward"]
    assert (run.code, run.said) == (0, "")
    assert (handed_over["version"], handed_over["status"], handed_over["max_score"]) == (3, "fail", 100.0)
    assert (linear["status"], linear["score"]) == ("fail", 3.0)
    assert run.summary.startswith("## 3 of 100 points\n")
    assert "| ✗ | `linear_backward` | 3 of 5 |" in run.summary
    assert "dW: wrong values: " in run.summary
    assert (tmp_path / "repository" / "grade-report.html").is_file()


@pytest.mark.slow
def test_a_push_without_anything_to_grade_fails_and_its_summary_says_why(tmp_path):
    run = run_steps(tmp_path, {"README.md": "# Week 1"})

    assert run.code == 2
    assert run.summary == (
        "## Not graded\n"
        "    grade: repository holds no Python file; `grade start` makes a folder with a file for each assignment\n"
    )
    assert run.outputs == {}


def test_the_reporter_reads_the_output_under_the_name_that_it_looks_for():
    """It takes the id of a runner in upper case with _RESULTS behind it."""
    graded = [step for step in STEPS if "id" in step]
    reporter = STEPS[-1]

    (runner,) = [step["id"] for step in graded]
    assert reporter["uses"].startswith("classroom-resources/autograding-grading-reporter@")
    assert reporter["with"]["runners"] == runner
    assert reporter["env"] == {f"{runner.upper()}_RESULTS": f"${{{{ steps.{runner}.outputs.result }}}}"}


def test_nothing_that_a_student_raises_is_markup_in_the_summary():
    nasty = "</details> ``` ````\n# owned | `x`"
    gradient = {"name": "dx", "verdict": "not_returned", "diagnosis": None}
    exercise = {"function": "f", "score": 0.0, "max_score": 1.0, "outcome": "raised", "message": nasty, "line": 3}
    part = {"exercises": [{**exercise, "gradients": [gradient]}]}

    text = as_markdown({"score": 0.0, "max_score": 1.0, "assignments": [part], "adjustments": []})

    block = text.partition("### `f`\n\n")[2]
    assert block.startswith("`````text\nraised an exception (line 3): </details> ``` ````\n# owned")
    assert block.endswith("\n`````\n")
