"""What many tests need: the course of this checkout, a small course with short limits, one warm process."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import forked
import pytest
import yaml
from hypothesis import settings

from grader.authoring.template import write_templates
from grader.course import Course, load_course
from grader.grading import Grader
from grader.results import Report
from grader.sandbox.warm import Warm, start_warm
from grader.submission import Submission

# Time is measured in benchmarks; a busy machine fails no test.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

ROOT = Path(__file__).resolve().parents[1]
SMALL_COURSE = """
format: 1
title: A small course
assignments: [linear, dropout]
limits: {call_seconds: 1.0, submission_seconds: 20.0, memory_mb: 512, output_kb: 64}
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]
GradeSource = Callable[..., Report]
HandIn = Callable[[Path], tuple[Path, dict[str, Any]]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: nothing may be left out in silence."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome, report.longrepr = "failed", f"CI must not pass without this test. {report.longrepr[2]}"
    return report


@pytest.fixture(scope="session", autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let no test find, or change, what this user has started from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))
        yield


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C reach what a test starts, also where this run ignores it, as all do that a script starts with `&`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """One warm process for all tests of a session, as a batch has one for all submissions."""
    with start_warm() as warm:
        yield warm


@pytest.fixture(scope="session")
def course() -> Course:
    """The course of this checkout."""
    return load_course(ROOT)


@pytest.fixture(scope="session")
def small_course_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of two assignments whose limits are a second, in a folder of its own."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("linear", "dropout"):
        shutil.copytree(ROOT / "assignments" / name, folder / "assignments" / name)
    (folder / "assignments" / "course.yaml").write_text(SMALL_COURSE, encoding="utf-8")
    for part in ("solutions", "student_template"):
        (folder / part).mkdir()
        for name in ("linear", "dropout"):
            shutil.copyfile(ROOT / part / f"{name}.py", folder / part / f"{name}.py")
    write_templates(load_course(folder))  # for the notebook, which is that of these two
    return folder


@pytest.fixture(scope="session")
def small_grader(small_course_folder: Path) -> Grader:
    """The small course, ready to grade."""
    return Grader(load_course(small_course_folder))


@pytest.fixture(scope="session")
def grade_source(small_grader: Grader, warm: Warm) -> GradeSource:
    """Grade a text that was handed in as linear.py, in the small course unless another file or grader is named."""

    def grade_source(source: str, *, file: str = "linear.py", grader: Grader = small_grader) -> Report:
        return grader.grade(Submission("student", {file: source.encode()}, {}), warm)

    return grade_source


@pytest.fixture(scope="session")
def start_grade_in() -> Run:
    """Start the real command in a folder, which imports torch anew, twice; returns the finished process."""

    def run(cwd: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "grader", *map(str, arguments)]
        environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    return run


@pytest.fixture(scope="session")
def run_grade_in() -> Run:
    """Run the command in a folder, forked from a process that has imported what it needs; returns it finished."""
    return lambda cwd, *arguments: forked.grade(*arguments, cwd=cwd)


@pytest.fixture
def run_grade(tmp_path: Path, run_grade_in: Run) -> Run:
    """Run the command in a folder of this test's own, unless another is named."""
    return lambda *arguments, cwd=tmp_path: run_grade_in(cwd, *arguments)


@pytest.fixture
def hand_in(tmp_path: Path) -> HandIn:
    """Lay out a behaviour of tests/submissions/ as it was handed in; returns the folder and what is expected of it.

    The first comment of a file says both, as YAML: the name by which it was handed in, then what is expected. A folder
    is one of several files, or one whose bytes allow no such comment, and expected.yaml.
    """

    def hand_in(behaviour: Path) -> tuple[Path, dict[str, Any]]:
        folder = tmp_path / "submission"
        if behaviour.is_dir():
            shutil.copytree(behaviour, folder, ignore=shutil.ignore_patterns("expected.yaml"))
            return folder, yaml.safe_load((behaviour / "expected.yaml").read_text())
        lines = itertools.takewhile(lambda line: line.startswith("#"), behaviour.read_text().splitlines())
        expected = yaml.safe_load("\n".join(line[2:] for line in lines))
        file = folder / expected.pop("handed in as")
        file.parent.mkdir(parents=True)
        shutil.copyfile(behaviour, file)
        return folder, expected

    return hand_in
