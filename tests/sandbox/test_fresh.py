"""Children that are started fresh, as where a process cannot fork; here by asking for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.errors import SandboxError, UsageError
from grader.grading import Grader
from grader.results import ExerciseFeedback
from grader.sandbox.fresh import Fresh
from grader.sandbox.warm import Warm, can_fork, start_warm
from grader.submission import Submission

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
RIGHT = "return dout @ W.T, x.T @ dout, dout.sum(0)"

# A body of linear_backward, and what must be said of it: the outcome, a part of the message, a part of what it printed.
BODIES = {
    "right": (f"print('seen')\n    {RIGHT}", "returned", "", "seen\n"),
    "an endless loop": ("while True: pass", "timed_out", "did not finish within", ""),
    "a flood": ("while True: print('line')", "too_much_output", "more than 64 KB", "line"),
    "a crash": ("import ctypes; print('before'); ctypes.string_at(0)", "crashed", "SIGSEGV", "before\n"),
    "an end": ("import os; os._exit(0)", "crashed", "exit status 0", ""),
    "a fork": ("import os; os.fork()", "raised", "PermissionError", ""),
    "a file": ("open('/etc/passwd')", "raised", "PermissionError", ""),
    "a variable": (f"import os; print(dict(os.environ)); {RIGHT}", "returned", "", "OMP_NUM_THREADS"),
    "the answers on standard output": (f"import os; os.write(1, b'words'); {RIGHT}", "returned", "", "words"),
    "the requests on standard input": (f"import sys; print(repr(sys.stdin.read())); {RIGHT}", "returned", "", "''"),
}


@pytest.fixture(scope="module")
def fresh() -> Iterator[Warm]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADE_SECRET", "canary")
        with start_warm("fresh") as warm:
            yield warm


def _grade(body: str, grader: Grader, warm: Warm) -> ExerciseFeedback:
    source = f"def linear_backward(dout, x, W):\n    {body}\n"
    report = grader.grade(Submission("student", {"linear.py": source.encode()}, {}), warm)
    return report.selected[0].exercises[0]


@pytest.mark.parametrize("name", BODIES)
def test_a_fresh_child_is_as_confined_and_as_well_heard(name: str, small_grader: Grader, fresh: Warm):
    body, outcome, message, printed = BODIES[name]

    exercise = _grade(body, small_grader, fresh)

    assert exercise.outcome.value == outcome, exercise.message
    assert message in exercise.message
    assert printed in exercise.printed
    assert "canary" not in exercise.printed
    assert exercise.score == (exercise.max_score if outcome == "returned" else 0)


def test_what_holds_is_found_out_and_the_rest_has_a_reason(fresh: Warm):
    fresh.wait_ready()

    said = {line.partition(":")[0] for line in fresh.weaknesses}
    assert said | set(fresh.isolation) == {"rlimits", "seccomp", "landlock", "namespaces"}
    assert "namespaces" in said


def test_a_second_way_to_children_has_a_spare_of_its_own(small_grader: Grader, fresh: Warm):
    with fresh.share() as shared:
        assert _grade(RIGHT, small_grader, shared).score == 5
        assert shared.isolation == fresh.isolation
    assert _grade(RIGHT, small_grader, fresh).score == 5


def test_nothing_runs_on_after_it_is_closed(small_grader: Grader):
    before = _children()
    with start_warm("fresh") as warm:
        _grade(RIGHT, small_grader, warm)
        assert len(_children() - before) == 1  # the spare
        assert warm.is_alive

    deadline = time.monotonic() + 5
    while _children() - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _children() == before
    assert not warm.is_alive


def _children() -> set[str]:
    tasks = Path("/proc/self/task").glob("*/children")
    return {pid for task in tasks for pid in task.read_text().split()}


def test_a_child_that_cannot_start_is_the_sandboxs_fault(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("grader.sandbox.isolation._BOOT", "raise SystemExit('no torch for you')")

    with Fresh() as fresh, pytest.raises(SandboxError, match=r"could not be started: no torch for you"):
        fresh.wait_ready()


def test_an_unknown_way_is_an_error_that_names_the_ways(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADE_SANDBOX", "magic")

    with pytest.raises(UsageError, match=r"GRADE_SANDBOX=magic names no way .*; write fork or fresh"):
        start_warm()


@pytest.mark.parametrize(("owner", "name"), [("os", "fork"), ("os", "pidfd_open"), ("socket", "SOCK_SEQPACKET")])
def test_without_what_a_fork_needs_children_start_fresh(owner: str, name: str, monkeypatch: pytest.MonkeyPatch):
    assert can_fork()
    monkeypatch.delattr(f"{owner}.{name}")

    assert not can_fork()


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_than_on_linux_children_start_fresh(platform: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.platform", platform)

    assert not can_fork()


def test_the_command_grades_in_this_way_too(tmp_path: Path):
    shutil.copyfile(ROOT / "solutions" / "linear.py", tmp_path / "linear.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GRADE_SANDBOX": "fresh"}

    command = [sys.executable, "-m", "grader", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert "✓ linear · A linear layer · 5/5" in done.stdout, done.stdout + done.stderr
    assert done.stderr == ""
