"""What a batch costs, side by side in one run: submissions per second, memory, and where the time goes.

    python tests/benchmarks/batch.py [--sizes 20,200,2000] [--jobs N] [--timed] [--right]

It compares, over the same submissions (see students.py):
  fresh   `grade` in a process of its own each, which imports torch, as many at once as the batch has slots
  bare    the same calls, judged and reported, one after the other in one process without isolation (see bare.py)
  batch   `grade batch`, reports and gradebook included; its start is also counted apart
The timed exercise measures the student for a fixed time, whatever grades it; it is left out unless --timed.
"""

# ruff: noqa: T201 # a benchmark prints its table

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from processes import Watcher
from students import ROOT, make_class

sys.path.insert(0, str(ROOT))

from grader.course import load_course  # after the path above

FRESH = """
import sys
from pathlib import Path
from grader import grade
grade(Path(sys.argv[1]), course=Path(sys.argv[2]))
"""
# Submissions that the two others are measured over.
FRESH_ROUNDS, BARE_SIZE = 4, 200


@dataclass(frozen=True)
class Run:
    """One run of a batch: seconds in all and to the first result, and what was seen of its processes."""

    size: int
    seconds: float
    first: float
    processes: Watcher

    @property
    def each(self) -> float:
        """Seconds of wall time for each submission, the start counted."""
        return self.seconds / self.size

    @property
    def steady(self) -> float:
        """Seconds of wall time for each submission behind the first."""
        return (self.seconds - self.first) / max(self.size - 1, 1)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="20,200,2000")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--timed", action="store_true")
    parser.add_argument("--right", action="store_true", help="a class without slips and without stubs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        course = make_course(here / "course", timed=options.timed)
        classes = {
            size: make_class(here / f"class-{size}", load_course(course), size, right=options.right)
            for size in sorted({*map(int, options.sizes.split(",")), BARE_SIZE})
        }
        fresh = measure_fresh(classes[BARE_SIZE], course, options.jobs)
        bare = measure_bare(classes[BARE_SIZE], course)
        print(f"{options.jobs} at once; one submission, milliseconds of wall time:")
        print(f"  fresh python + torch process each   {fresh * 1e3:8.1f}")
        print(f"  the same without isolation          {bare * 1e3:8.1f}")
        for size in map(int, options.sizes.split(",")):
            out = here / f"out-{size}"
            print_run(measure_batch(classes[size], out, course, options.jobs, size), fresh, bare, options.jobs)
            started = time.perf_counter()
            start(classes[size], out, course, options.jobs).communicate()
            print(f"  the same again, all kept            {(time.perf_counter() - started) * 1e3:8.1f} ms in all")


def print_run(run: Run, fresh: float, bare: float, jobs: int) -> None:
    """Print what one batch took, against the two others."""
    print(f"batch of {run.size}: {run.seconds:.1f} s in all, {run.first:.1f} s to the first result")
    print(f"  each, start-up counted              {run.each * 1e3:8.1f}   {fresh / run.each:6.1f} times fresh")
    print(f"  each, in the steady state           {run.steady * 1e3:8.1f}   {fresh / run.steady:6.1f} times fresh")
    print(f"  against that without isolation      {'':8}   {run.steady / bare:6.2f} of their wall time")
    for kind, megabytes in sorted(run.processes.memory.items()):
        print(f"  private memory, {kind:<20}{megabytes:8.1f} MB")
    used = run.processes.seconds
    for kind, seconds in sorted(used.items(), key=lambda item: -item[1]):
        print(
            f"  processor time, {kind:<20}{seconds / run.size * 1e3:8.1f} ms each, {seconds / sum(used.values()):.0%}"
        )
    print(f"  10,000 at the steady rate           {run.steady * 10_000 / 60:8.1f} minutes with {jobs} at once")


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


def measure_fresh(folder: Path, course: Path, jobs: int) -> float:
    """Return the seconds for each submission with a process of its own, `jobs` at once."""
    chosen = sorted(folder.iterdir())[: FRESH_ROUNDS * jobs]

    def one(path: Path) -> None:
        subprocess.run([sys.executable, "-c", FRESH, path, course], env=environment(), check=True)

    started = time.perf_counter()
    with ThreadPoolExecutor(jobs) as executor:
        list(executor.map(one, chosen))
    return (time.perf_counter() - started) / len(chosen)


def measure_bare(folder: Path, course: Path) -> float:
    """Return the seconds for each submission of the bare calls in one process."""
    command = [sys.executable, Path(__file__).with_name("bare.py"), course, folder]
    done = subprocess.run(command, env=environment(), check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def measure_batch(folder: Path, out: Path, course: Path, jobs: int, size: int) -> Run:
    """Run a batch and measure it."""
    started = time.perf_counter()
    batch = start(folder, out, course, jobs)
    watcher = Watcher(batch.pid)
    first = 0.0
    assert batch.stdout is not None
    for line in batch.stdout:
        if not first and re.search(r": [\d.?]+ of ", line):
            first = time.perf_counter() - started
    if batch.wait():
        sys.exit("the batch failed")
    watcher.join()
    return Run(size, time.perf_counter() - started, first, watcher)


def start(folder: Path, out: Path, course: Path, jobs: int) -> subprocess.Popen[str]:
    """Start a batch."""
    command = [sys.executable, "-m", "grader", "batch", folder, "--out", out, "--course", course, "--jobs", str(jobs)]
    return subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)


def environment() -> dict[str, str]:
    """Return an environment in which this checkout is the grader."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    main()
