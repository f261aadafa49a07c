"""A class graded by a real dask cluster on this machine, one of whose workers is killed half-way."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forked import grade

from grader.batch.cluster import Cluster
from grader.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
CLASS = 200
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None,
    reason="dask is not installed: pip install 'backprop-grader[cluster]'",
)


@pytest.fixture
def scheduler(tmp_path) -> Iterator[str]:
    """The address of a scheduler of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = dask("scheduler", tmp_path, "--host", "127.0.0.1", "--port", port, "--no-dashboard", "--no-show")
    yield f"127.0.0.1:{port}"
    end(process)


@pytest.fixture
def workers(scheduler, tmp_path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two workers of one thread each, without a nanny that would start them again."""
    options = ("--nthreads", 1, "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
    processes = [dask("worker", tmp_path, scheduler, *options) for _ in range(2)]
    yield processes
    for process in processes:
        end(process)


def dask(what: str, folder: Path, *arguments: object) -> subprocess.Popen[bytes]:
    module = f"distributed.cli.dask_{what}"
    log = (folder / f"{what}.log").open("ab")
    with log:
        command = [sys.executable, "-W", "ignore", "-m", module, *map(str, arguments)]
        return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=log, stderr=log)


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def batch_of(folder: Path, out: Path, course: Path, *more: object) -> list[str]:
    return list(map(str, ["batch", folder, "--out", out, "--course", course, "--seed", 7, *more]))


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "grader", *arguments]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def results(out: Path) -> dict[str, Any]:
    return {path.stem: timeless(json.loads(path.read_text())) for path in (out / "results").glob("*.json")}


def timeless(value: Any) -> Any:
    """Return a result without its times, which differ from run to run."""
    if isinstance(value, dict):
        return {key: timeless(part) for key, part in value.items() if key not in ("seconds", "timing")}
    return [timeless(part) for part in value] if isinstance(value, list) else value


@pytest.mark.slow
@needs_dask
def test_two_hundred_submissions_survive_the_death_of_a_worker(
    scheduler, workers, small_course_folder, tmp_path_factory
):
    root = tmp_path_factory.mktemp("cluster")
    for number in range(CLASS):
        shutil.copytree(small_course_folder / "solutions", root / "class" / f"s{number:03}")
        if number % 3:
            (root / "class" / f"s{number:03}" / "linear.py").write_text(
                f"# {number}\ndef linear_backward(dout, x, W):\n    return x, None, dout.sum(0)\n"
            )

    more = ("--executor", f"dask:{scheduler}", "--only", "linear")
    batch = start(*batch_of(root / "class", root / "far", small_course_folder, *more))
    graded = 0
    while graded < CLASS // 2 and (line := batch.stdout.readline()):
        graded += " of 5" in line
    end(workers[0])
    printed, said = batch.communicate(timeout=240)
    grade(*batch_of(root / "class", root / "near", small_course_folder, "--only", "linear"))

    assert batch.returncode == 0, printed + said
    assert graded + printed.count(" of 5") == CLASS
    assert len(results(root / "far")) == CLASS
    assert results(root / "far") == results(root / "near")


@pytest.mark.slow
@needs_dask
def test_an_address_where_no_scheduler_listens_is_one_line(small_course_folder, tmp_path):
    shutil.copytree(small_course_folder / "solutions", tmp_path / "class" / "ada")
    more = ("--executor", "dask:127.0.0.1:1")
    done = grade(*batch_of(tmp_path / "class", tmp_path / "out", small_course_folder, *more))
    assert done.returncode == 2
    assert "no dask scheduler answers at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@needs_dask
def test_a_cluster_is_never_used_with_weak_isolation(scheduler, small_course_folder, tmp_path):
    shutil.copytree(small_course_folder / "solutions", tmp_path / "class" / "ada")
    more = ("--executor", f"dask:{scheduler}", "--allow-weak-isolation")
    done = grade(*batch_of(tmp_path / "class", tmp_path / "out", small_course_folder, *more))
    assert done.returncode == 2
    assert "never for a cluster" in done.stderr


@pytest.mark.parametrize(
    "address", ["10.0.0.1:8786", "example.org:8786", "tcp://192.168.1.2:8786", "[2001:db8::1]:8786"]
)
def test_a_scheduler_elsewhere_needs_tls(address):
    with pytest.raises(UsageError, match="only a scheduler on this machine"):
        Cluster(address)
