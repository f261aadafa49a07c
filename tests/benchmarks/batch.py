"""What a batch costs, side by side in one run: submissions per second, memory, and where the time goes.

    python tests/benchmarks/batch.py [--sizes 20,200,2000] [--jobs N] [--timed]

It compares, over the same submissions (the course's own solutions):
  fresh   a python process each that imports torch and grades, as many at once as the batch has slots
  bare    the same calls, judged and reported, one after the other in one process without isolation
  batch   `grade batch`, reports and gradebook included; its start is also counted apart
The timed exercise measures the student for a fixed time, whatever grades it; it is left out unless --timed.
"""

# ruff: noqa: T201 # a benchmark prints its table

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRESH = """
import sys
from pathlib import Path
from grader import grade
grade(Path(sys.argv[1]), course=Path(sys.argv[2]))
"""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="20,200,2000")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--timed", action="store_true")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory() as scratch:
        course = make_course(Path(scratch) / "course", timed=options.timed)
        folder = make_class(Path(scratch) / "class", course, max(sizes))
        fresh = measure_fresh(folder, course, options.jobs)
        bare = measure_bare(make_class(Path(scratch) / "few", course, min(100, max(sizes))), course)
        print(f"{options.jobs} at once; one submission, milliseconds of wall time:")
        print(f"  fresh python + torch process each   {fresh * 1e3:8.1f}")
        print(f"  the same without isolation          {bare * 1e3:8.1f}")
        for size in sizes:
            out = Path(scratch) / f"out-{size}"
            few = make_class(Path(scratch) / f"class-{size}", course, size)
            seconds, first, memory = measure_batch(few, out, course, options.jobs)
            steady = (seconds - first) / max(size - 1, 1)
            print(f"batch of {size}: {seconds:.1f} s in all, {first:.1f} s to the first result")
            each = seconds / size
            print(f"  each, start-up counted              {each * 1e3:8.1f}   {fresh / each:6.1f} times fresh")
            ratio = fresh / steady
            print(f"  each, in the steady state           {steady * 1e3:8.1f}   {ratio:6.1f} times fresh")
            print(f"  against that without isolation      {'':8}   {steady / bare:6.2f} of their wall time")
            for name, megabytes in sorted(memory.items()):
                print(f"  private memory, {name:<20}{megabytes:8.1f} MB")
            started = time.perf_counter()
            run_batch(few, out, course, options.jobs)
            print(f"  the same again, all kept            {(time.perf_counter() - started) * 1e3:8.1f} ms in all")


def make_course(folder: Path, *, timed: bool) -> Path:
    """Copy the course, by default without its timed assignment."""
    for part in ("assignments", "solutions", "student_template"):
        shutil.copytree(ROOT / part, folder / part)
    path = folder / "assignments" / "course.yaml"
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"^  - (\w+)$", text, re.MULTILINE):
        if not timed and "timing:" in (folder / "assignments" / name / "rubric.yaml").read_text(encoding="utf-8"):
            text = text.replace(f"  - {name}\n", "")
            (folder / "solutions" / f"{name}.py").unlink()
    path.write_text(text, encoding="utf-8")
    return folder


def make_class(folder: Path, course: Path, size: int) -> Path:
    """Make a class in which everybody hands in the solutions."""
    for number in range(size):
        shutil.copytree(course / "solutions", folder / f"s{number:05}")
    return folder


def measure_fresh(folder: Path, course: Path, jobs: int) -> float:
    """Return the seconds for each submission with a process of its own, `jobs` at once."""
    chosen = sorted(folder.iterdir())[: 4 * jobs]

    def one(path: Path) -> None:
        subprocess.run([sys.executable, "-c", FRESH, path, course], env=environment(), check=True)

    started = time.perf_counter()
    with ThreadPoolExecutor(jobs) as executor:
        list(executor.map(one, chosen))
    return (time.perf_counter() - started) / len(chosen)


def measure_bare(folder: Path, course: Path) -> float:
    """Return the seconds for each submission of the bare calls in one process."""
    command = [sys.executable, Path(__file__).with_name("bare.py"), course, folder]
    done = subprocess.run(command, env=environment(), check=True, capture_output=True, text=True)
    return float(done.stdout)


def measure_batch(folder: Path, out: Path, course: Path, jobs: int) -> tuple[float, float, dict[str, float]]:
    """Return the seconds of a batch, those to its first result, and the private memory of its processes."""
    started = time.perf_counter()
    batch = run(folder, out, course, jobs)
    memory: dict[str, float] = {}
    watcher = threading.Thread(target=watch, args=(batch.pid, memory), daemon=True)
    watcher.start()
    first = 0.0
    assert batch.stdout is not None
    for line in batch.stdout:
        if not first and re.search(r": [\d.]+ of ", line):
            first = time.perf_counter() - started
    if batch.wait():
        sys.exit("the batch failed")
    return time.perf_counter() - started, first, memory


def run_batch(folder: Path, out: Path, course: Path, jobs: int) -> None:
    """Run a batch to its end."""
    run(folder, out, course, jobs).communicate()


def run(folder: Path, out: Path, course: Path, jobs: int) -> subprocess.Popen[str]:
    """Start a batch."""
    command = [sys.executable, "-m", "grader", "batch", folder, "--out", out, "--course", course, "--jobs", str(jobs)]
    return subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)


def environment() -> dict[str, str]:
    """Return an environment in which this checkout is the grader."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def watch(pid: int, memory: dict[str, float]) -> None:
    """Note the most private memory of the batch's processes, by what they are."""
    while True:
        for name, each in kinds(pid):
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{each}/smaps_rollup").read_text()
                private = sum(int(number) for number in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.MULTILINE))
                memory[name] = max(memory.get(name, 0.0), private / 1024)
        time.sleep(0.5)


def kinds(pid: int) -> Iterator[tuple[str, int]]:
    """Yield the processes of a batch with what they are."""
    yield "batch", pid
    for root in children(pid):
        yield "root", root
        for below in children(root):
            line = b""
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{below}/cmdline").read_bytes()
            if b"grader.sandbox.server" in line:
                yield from of_warm(below)
            else:
                yield "worker", below


def of_warm(pid: int) -> Iterator[tuple[str, int]]:
    """Yield the warm process, which may be inside namespaces, and the children that it forked."""
    below = children(pid)
    while below and b"grader.sandbox.server" in read(below[0]) and b"bwrap" in read(pid)[:40]:
        pid, below = below[0], children(below[0])
    yield "warm", pid
    yield from (("child", child) for child in below)


def read(pid: int) -> bytes:
    """Return what a process was started with."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


if __name__ == "__main__":
    main()
