"""Whatever happens to a batch, nothing is lost, nothing is graded twice, and it says how to go on."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.batch.crash_safe import run_all
from grader.batch.crash_safe.local import LocalExecutor, WorkerDiedError
from grader.batch.store import Record, Store
from grader.errors import CourseError, SandboxError, UsageError

ROOT = Path(__file__).resolve().parents[2]
CLASS = 16
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="local workers are forked, which Windows cannot")


@pytest.fixture
def folder(tmp_path, small_course_folder) -> Path:
    for number in range(CLASS):
        submission = shutil.copytree(small_course_folder / "solutions", tmp_path / "class" / f"s{number:02}")
        # Slow enough for something to happen while it is graded.
        with (submission / "linear.py").open("a") as file:
            file.write("\nimport time\n\ntime.sleep(0.1)\n")
    return tmp_path / "class"


def start(folder: Path, course: Path, out: Path, *more: object, **options: object) -> subprocess.Popen[str]:
    arguments = ["batch", folder, "--out", out, "--course", course, "--seed", 7, *more]
    command = [sys.executable, "-m", "grader", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def finish(batch: subprocess.Popen[str]) -> tuple[str, str]:
    return batch.communicate(timeout=120)


def wait_for(batch: subprocess.Popen[str], count: int) -> None:
    """Read the batch's lines until this many submissions are graded."""
    graded = 0
    while graded < count:
        line = batch.stdout.readline()
        assert line, batch.stderr.read()
        graded += " of 10" in line


def scores(out: Path) -> list[str]:
    text = (out / "grades.csv").read_text(encoding="utf-8-sig")
    return [row["score"] for row in csv.DictReader(io.StringIO(text, newline=""))]


def tree_of(pid: int) -> list[int]:
    """Return all that descend from a process."""
    below = [int(child) for child in _children(pid)]
    return [*below, *(grandchild for child in below for grandchild in tree_of(child))]


def _children(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return []


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes()]


def until_gone(pids: list[int]) -> list[int]:
    deadline = time.monotonic() + 10
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive(pids)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to see which processes are left")
def test_a_killed_batch_leaves_whole_files_and_no_process_and_goes_on_where_it_was(
    folder, small_course_folder, tmp_path
):
    batch = start(folder, small_course_folder, tmp_path / "out")
    wait_for(batch, 5)
    below = tree_of(batch.pid)
    batch.kill()
    finish(batch)

    assert until_gone(below) == []
    results = list((tmp_path / "out" / "results").glob("*.json"))
    assert all(json.loads(path.read_text())["score"] == 10 for path in results)
    printed, _ = finish(start(folder, small_course_folder, tmp_path / "out"))
    assert printed.count("(kept)") >= 5
    assert printed.count("(kept)") + printed.count(" of 10") == CLASS
    assert scores(tmp_path / "out") == ["10"] * CLASS


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to see which processes are left")
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_the_batch_and_says_how_to_go_on(folder, small_course_folder, tmp_path):
    batch = start(folder, small_course_folder, tmp_path / "out")
    wait_for(batch, 3)
    below = tree_of(batch.pid)
    batch.send_signal(signal.SIGINT)
    _, said = finish(batch)
    assert batch.returncode == 2
    assert "are graded and kept. Run the same command again to go on from there." in said
    assert "Traceback" not in said
    assert until_gone(below) == []


@pytest.mark.slow
def test_a_full_disk_loses_nothing_and_says_what_to_do(folder, small_course_folder, tmp_path):
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))

    out = tmp_path / "out"
    batch = start(folder, small_course_folder, out, preexec_fn=no_large_files)
    _, said = finish(batch)
    assert batch.returncode == 2
    assert "could not be written" in said
    assert "Run the same command again" in said
    assert all(json.loads(path.read_text())["score"] == 10 for path in (out / "results").iterdir())
    assert not list(out.rglob("*.new"))
    finish(start(folder, small_course_folder, out))
    assert scores(out) == ["10"] * CLASS


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the workers")
@pytest.mark.parametrize("which", ["worker", "warm"])
def test_a_process_that_dies_costs_no_submission(folder, small_course_folder, tmp_path, which):
    batch = start(folder, small_course_folder, tmp_path / "out", "--jobs", 2)
    wait_for(batch, 3)
    (root,) = _children(batch.pid)
    below = [int(pid) for pid in _children(int(root))]
    is_warm = {pid: b"grader.sandbox" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in below}
    os.kill(next(pid for pid in below if is_warm[pid] == (which == "warm")), signal.SIGKILL)
    printed, said = finish(batch)
    assert batch.returncode == 0, printed + said
    assert scores(tmp_path / "out") == ["10"] * CLASS


def test_a_task_that_kills_its_worker_is_not_judged_and_costs_no_other():
    programs = ["pass", "import os; os._exit(1)"]
    executor = LocalExecutor(2, (tuple, ()), (tuple, ()))
    try:
        done = dict(run_all(executor, exec, [(number, programs[number % 2]) for number in range(6)], window=3))
    finally:
        executor.shutdown()
    assert [isinstance(done[number], WorkerDiedError) for number in range(6)] == [False, True] * 3


def test_a_worker_that_says_nothing_is_ended():
    executor = LocalExecutor(1, (tuple, ()), (tuple, ()), task_seconds=0.5)
    try:
        assert isinstance(executor.submit(time.sleep, 60).exception(), WorkerDiedError)
        assert executor.submit(abs, -1).result() == 1
    finally:
        executor.shutdown()


def test_what_a_task_raises_is_raised_in_the_parent():
    executor = LocalExecutor(1, (tuple, ()), (tuple, ()))
    try:
        assert isinstance(executor.submit(json.loads, "{").exception(), ValueError)
    finally:
        executor.shutdown()


def test_a_preparation_that_fails_is_raised_with_every_problem():
    program = "from grader.errors import CourseError; raise CourseError(['one', 'two'])"
    executor = LocalExecutor(1, (exec, (program,)), (tuple, ()))
    try:
        with pytest.raises(CourseError) as raised:
            executor.prepared  # noqa: B018 # waits for the preparation
    finally:
        executor.shutdown()
    assert raised.value.problems == ("one", "two")


def test_a_root_that_ends_is_an_error_of_the_sandbox():
    executor = LocalExecutor(1, (os._exit, (1,)), (tuple, ()))
    try:
        with pytest.raises(SandboxError, match="the grader's own process ended"):
            executor.submit(abs, -1).result()
    finally:
        executor.shutdown()


def test_only_a_window_of_tasks_is_in_memory():
    read: list[int] = []

    def tasks():
        for number in range(50):
            read.append(number)
            yield number, number

    with ThreadPoolExecutor(2) as executor:
        for done, _ in enumerate(run_all(executor, abs, tasks(), window=4)):
            assert len(read) <= done + 5


def test_a_record_without_its_result_is_none(tmp_path):
    store = Store(tmp_path / "out")
    store.create()
    store.keep("ada", Record({"content": "x"}, 1.0), "{}", "<html>")
    assert store.record("ada") is not None
    store.result_path("ada").unlink()
    assert store.record("ada") is None


def test_two_batches_never_write_to_one_folder_at_once(tmp_path):
    first, second = Store(tmp_path / "out"), Store(tmp_path / "out")
    first.create()
    with pytest.raises(UsageError, match=r"another batch is writing to .*out; wait until it has ended"):
        second.create()
    Store(tmp_path / "out", shard=2).create()  # a part of the same
    del first
    second.create()


def test_a_broken_batch_file_is_said(tmp_path):
    store = Store(tmp_path / "out")
    store.create()
    (tmp_path / "out" / "batch.json").write_text("{")
    with pytest.raises(UsageError, match="not from this grader, or broken"):
        store.read_batch()


def test_of_batches_that_start_together_one_draws_the_seed(tmp_path):
    stores = [Store(tmp_path / "out", shard) for shard in range(4)]
    stores[0].create()
    with ThreadPoolExecutor(4) as executor:
        seeds = set(executor.map(lambda store: store.settle_seed(None), stores))
    assert len(seeds) == 1
