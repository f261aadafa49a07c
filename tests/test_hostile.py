"""Every file or folder in tests/submissions/hostile/ is one attack, by its number in the security model.

Each is graded in a course whose limits are a second, within bubblewrap and without, and leaves nothing behind: no
process, no file, no memory, no harm to the next submission. Nothing that it may not know shows in what is said of it.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import grader
from grader.course import load_course
from grader.errors import SubmissionError
from grader.grading import Grader
from grader.report.html import render_html
from grader.report.json import report_as_json
from grader.report.terminal import print_report
from grader.results import ExerciseFeedback, Report
from grader.sandbox.warm import Warm, start_warm
from grader.submission import Submission, read_submission

pytestmark = pytest.mark.hostile
ROOT = Path(__file__).resolve().parents[1]
HOSTILE = Path(__file__).parent / "submissions" / "hostile"
ATTACKS = sorted(path for path in HOSTILE.glob("[0-9]*") if path.suffix in ("", ".py"))
NOBODY = 65534
LIMIT = 1.0
COURSE = f"""
format: 1
title: A course for hostile submissions
assignments: [linear]
limits: {{call_seconds: {LIMIT}, submission_seconds: {LIMIT}, memory_mb: 64, output_kb: 64}}
"""
RIGHT = b"def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"
CANARY = f"canary-{secrets.token_hex(16)}"
PLANTED = "planted-by-a-submission*"
GROWTH_MB = 300
PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A course, a home, a neighbour and an environment, each with the canary in it."""
    ground = tmp_path_factory.mktemp("ground")
    shutil.copytree(ROOT / "assignments" / "linear", ground / "course" / "assignments" / "linear")
    (ground / "course" / "assignments" / "course.yaml").write_text(f"# {CANARY}\n{COURSE}")
    for file in ("rubric.yaml", "reference.py", "mistakes.py"):
        with (ground / "course" / "assignments" / "linear" / file).open("a") as text:
            text.write(f"\n# {CANARY}\n")
    for file in ("course/solutions/linear.py", "neighbour/linear.py", "home/.ssh/id_ed25519", "home/.bashrc"):
        (ground / file).parent.mkdir(parents=True, exist_ok=True)
        (ground / file).write_text(f"# {CANARY}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(ground / "home"))
        patch.setenv("GRADE_SECRET", CANARY)
        yield ground


class Ways:
    """Warm processes with this canary in the grader's environment, each started when first asked for."""

    def __init__(self) -> None:
        self.warm: dict[str, Warm] = {}

    def get(self, name: str) -> Warm:
        if name not in self.warm:
            with pytest.MonkeyPatch.context() as patch:
                if name == "without bubblewrap":
                    patch.setenv("PATH", "/nowhere")
                self.warm[name] = start_warm()
                self.warm[name].wait_ready()
        return self.warm[name]


@pytest.fixture(autouse=True)
def orphans() -> Iterator[None]:
    """Make whatever a submission leaves running this process's child, where it is seen; not so in other tests."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture(scope="session")
def ways(ground: Path) -> Iterator[Ways]:  # noqa: ARG001 # the canary must be in the environment first
    ways = Ways()
    yield ways
    for warm in ways.warm.values():
        warm.close()


@pytest.fixture(params=["bubblewrap", "without bubblewrap"])
def warm(request: pytest.FixtureRequest, ways: Ways) -> Warm:
    """The layers that hold here, with and without namespaces."""
    warm = ways.get(request.param)
    wanted = {"rlimits", "seccomp", "landlock"} | ({"namespaces"} if request.param == "bubblewrap" else set())
    missing = wanted - set(warm.isolation)
    if missing:
        pytest.skip("; ".join(warm.weaknesses))
    return warm


@pytest.fixture(scope="session")
def hostile_grader(ground: Path) -> Grader:
    return Grader(load_course(ground / "course"), seed=secrets.randbelow(2**31))


@pytest.fixture
def places(tmp_path: Path, ground: Path) -> Iterator[str]:
    """The source of a module that tells a submission where everything is that it may not have."""
    with closing(socket.create_server(("127.0.0.1", 0))) as door, closing(socket.socket(socket.AF_UNIX)) as abstract:
        name = f"grade-{secrets.token_hex(8)}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        known = {
            "SUBMISSION": tmp_path / "submission",
            "NEIGHBOUR": ground / "neighbour" / "linear.py",
            "HOME": ground / "home",
            "SOLUTION": ground / "course" / "solutions" / "linear.py",
            "RUBRIC": ground / "course" / "assignments" / "linear" / "rubric.yaml",
            "REFERENCE": ground / "course" / "assignments" / "linear" / "reference.py",
            "GRADER": Path(grader.__file__),
            "TESTS": Path(__file__),
            "ABSTRACT": name,
        }
        yield "".join(f"{key} = {str(value)!r}\n" for key, value in known.items()) + f"PORT = {door.getsockname()[1]}\n"


class Watch:
    """The state of the machine before a submission, to be found again after it."""

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders
        self.files = _files(folders)
        self.processes = _descendants()
        Path("/proc/self/clear_refs").write_text("5")  # the highest memory use is counted from here
        self.memory_mb = _memory_mb("VmRSS")

    def check(self) -> None:
        deadline = time.monotonic() + 5
        while (left := _descendants() - self.processes) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not left
        assert _files(self.folders) == self.files
        open_to_all = (Path.cwd(), Path("/"), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"), Path("/dev/mqueue"))
        assert [path for folder in open_to_all for path in folder.glob(PLANTED)] == []
        assert _memory_mb("VmHWM") - self.memory_mb < GROWTH_MB


def _files(folders: list[Path]) -> dict[Path, tuple[int, int, int]]:
    found = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if "__pycache__" not in path.parts:
                about = path.lstat()
                # A folder's own time also changes when another test compiles a module in it for the first time.
                own = (0, 0) if stat.S_ISDIR(about.st_mode) else (about.st_size, about.st_mtime_ns)
                found[path] = about.st_mode, *own
    return found


def _descendants() -> set[int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        parents[int(path.parent.name)] = int(fields[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def _memory_mb(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) >> 10


def _graded(submission: Submission, grader_: Grader, warm: Warm, outcomes: Collection[str]) -> Report:
    """Grade it in time: a machine that is busy with something else gets three tries to do so."""
    for _ in range(3):
        started = time.monotonic()
        report = grader_.grade(submission, warm)
        seconds = time.monotonic() - started
        if seconds <= LIMIT + 1 and _only(report).outcome.value in outcomes:
            break
    assert seconds <= LIMIT + 1
    assert _only(report).outcome.value in outcomes, _only(report).message
    return report


def _said(report: Report) -> str:
    out = StringIO()
    print_report(report, Console(file=out, markup=False, highlight=False, emoji=False), verbose=True)
    return out.getvalue() + json.dumps(report_as_json(report)) + render_html(report)


def _only(report: Report) -> ExerciseFeedback:
    (exercise,) = report.selected[0].exercises
    return exercise


def _judge(folder: Path, grader_: Grader, warm: Warm, ground: Path, outcomes: Collection[str]) -> ExerciseFeedback:
    """Grade one hostile submission, see that nothing is left of it, and return what is said of its function."""
    watch = Watch([folder, ground, Path(grader.__file__).parent])
    report = _graded(read_submission(folder), grader_, warm, outcomes)
    watch.check()
    said = _said(report)
    assert CANARY not in said
    assert len(said) < 200_000
    exercise = _only(report)
    assert "REACHED" not in exercise.printed
    assert not [number for number in _expected(grader_) if number in exercise.printed + exercise.message]
    after = _only(_graded(Submission("next", {"linear.py": RIGHT}, {}), grader_, warm, ["returned"]))
    assert after.score == after.max_score, after.message
    return exercise


def _expected(grader_: Grader) -> list[str]:
    """Return the expected gradients as somebody would print them."""
    prepared = grader_.prepared("linear_backward")
    tensors = [gradient for case in prepared.cases for gradient in case.expected.values()]
    written = [f"{abs(number):.8g}" for tensor in tensors for number in tensor.flatten().tolist()]
    return [number for number in written if len(number) >= 8]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda path: path.stem)
def test_an_attack_gets_its_outcome_and_leaves_nothing_behind(
    attack: Path, hand_in, places: str, hostile_grader: Grader, warm: Warm, ground: Path
):
    submission, expectations = hand_in(attack)
    source = (submission / "linear.py").read_bytes()
    if b"from attempt import" in source:
        shutil.copyfile(HOSTILE / "attempt.py", submission / "attempt.py")
    if b"import places" in source:
        (submission / "places.py").write_text(places)

    expected = expectations["linear_backward"]
    outcomes = expected["outcome"] if isinstance(expected["outcome"], list) else [expected["outcome"]]

    exercise = _judge(submission, hostile_grader, warm, ground, outcomes)

    verdicts = {gradient.name: gradient.verdict.value for gradient in exercise.gradients}
    assert expected["score"] == exercise.score, exercise
    assert expected.get("message", "") in exercise.message
    assert expected.get("verdicts", verdicts) == verdicts
    assert expected.get("printed", "") in exercise.printed
    assert set(expected.get("flags", [])) <= {flag.kind for flag in exercise.flags}


def _large(folder: Path) -> None:
    with (folder / "linear.py").open("wb") as file:
        file.truncate(50_000_000)


def _sources(**files: str) -> object:
    def make(folder: Path) -> None:
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")

    return make


def _socket(folder: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        here = Path.cwd()
        os.chdir(folder)  # a socket's path may be a hundred bytes long
        listener.bind("linear.py")
        os.chdir(here)


def _device(folder: Path) -> None:
    if os.geteuid() == 0:
        os.mknod(folder / "linear.py", 0o644 | stat.S_IFCHR, os.makedev(1, 5))
    else:
        (folder / "linear.py").symlink_to("/dev/zero")


def _notebook(folder: Path) -> None:
    cells = [
        {"cell_type": "code", "source": "%%writefile ../../planted-by-a-submission.py\nprint(1)\n"},
        {"cell_type": "code", "source": "%%writefile /tmp/planted-by-a-submission.py\nprint(1)\n"},
        {"cell_type": "code", "source": "!touch /tmp/planted-by-a-submission\n"},
        {"cell_type": "code", "source": RIGHT.decode()},
    ]
    (folder / "linear.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4}))


STRANGE_NAMES = (b"-rf.py", b"a\nb.py", b"<b>.py", b"\xff\xfe.py", b"\x1b[31m.py", "\u202e.py".encode(), b" .py")

# What no file of the repository can hold: number and name -> how to make it, the outcome, and a part of the message.
# The deep sources are ways in which a parser fails, or takes for ever.
MADE = {
    "026 deep parentheses": (_sources(linear="(" * 100_000), "unreadable", "too many nested parentheses"),
    "026 deep lists, closed": (_sources(linear="[" * 90 + "]" * 90 + "\n" + "-" * 300_000 + "1"), "unreadable", ""),
    "026 a long sum": (_sources(linear="x = " + "1+" * 400_000 + "1"), "unreadable", ""),
    "026 long chain of calls": (_sources(linear="x" + "()" * 400_000), "unreadable", ""),
    "026 deep blocks": (
        _sources(linear="".join(" " * depth + "if 1:\n" for depth in range(1_000))),
        "unreadable",
        "too many levels of indentation",
    ),
    "026 many small statements": (_sources(linear="x=1;" * 240_000), "unreadable", ""),
    "026 a source of 50 MB": (_large, "unreadable", "larger than 1 MB"),
    "046 a link to a file": (lambda at: (at / "linear.py").symlink_to("/etc/passwd"), "unreadable", "a link"),
    "046 a link to nothing": (lambda at: (at / "linear.py").symlink_to("nowhere"), "unreadable", "a link"),
    "046 a link to the solution": (
        lambda at: (at / "linear.py").symlink_to(at / "../../course/solutions/linear.py"),
        "unreadable",
        "a link",
    ),
    "047 a pipe": (lambda at: os.mkfifo(at / "linear.py"), "unreadable", "a pipe"),
    "047 a socket": (_socket, "unreadable", "not a regular file"),
    "047 a device": (_device, "unreadable", "not a regular file"),
    "050 names that are no names": (
        lambda at: [(at / os.fsdecode(name)).write_bytes(RIGHT) for name in STRANGE_NAMES],
        "returned",
        "",
    ),
    "050 a notebook that writes outside": (_notebook, "returned", ""),
    "050 a folder with a file's name": (lambda at: (at / "linear.py").mkdir(), None, "no Python file"),
    "050 links that go round": (lambda at: (at / "round").symlink_to(at), None, "no Python file"),
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_no_source_gets_its_outcome_and_leaves_nothing_behind(
    name: str, tmp_path: Path, hostile_grader: Grader, warm: Warm, ground: Path
):
    make, outcome, message = MADE[name]
    folder = tmp_path / "submission"
    folder.mkdir()
    make(folder)
    if outcome is None:
        with pytest.raises(SubmissionError, match=message):
            hostile_grader.grade(read_submission(folder), warm)
        return

    exercise = _judge(folder, hostile_grader, warm, ground, [outcome])

    assert message in exercise.message
    assert exercise.score == (exercise.max_score if outcome == "returned" else 0)


def test_every_number_that_can_be_run_has_an_attack():
    """E, autograd, has tests of its own; G is tests/report/test_safety.py, H the archives of a batch."""
    there = {int(path.name[:3]) for path in ATTACKS} | {int(name[:3]) for name in MADE}
    # -0.0 equals 0.0 (tests/verdict/test_compare.py), and no expected gradient of this course is zero.
    elsewhere = {76}
    assert set(range(1, 93)) | set(range(120, 126)) == (there - {0}) | elsewhere


UNCONFINED = """
import sys, torch
sys.path.insert(0, sys.argv[1])
import linear
linear.linear_backward(torch.ones(1, 3), torch.ones(1, 2), torch.ones(2, 3))
"""


@pytest.mark.parametrize("name", ["030_reads_the_course", "031_reads_another_submission", "036_opens_sockets"])
def test_without_the_box_an_attack_reaches_what_it_is_after(name: str, tmp_path: Path, hand_in, places: str):
    """A test of the tests: what is denied above is there to be had."""
    submission, _ = hand_in(HOSTILE / f"{name}.py")
    shutil.copyfile(HOSTILE / "attempt.py", submission / "attempt.py")
    (submission / "places.py").write_text(places)

    command = [sys.executable, "-B", "-c", UNCONFINED, str(submission)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)

    assert "REACHED" in done.stdout
    assert ("canary-" in done.stdout) == (name != "036_opens_sockets")


def _as_nobody(command: list[str], folders: list[Path]) -> list[str]:
    """Give the command line that runs `command` as an ordinary user who can enter `folders`, wherever they lie.

    In mounts of its own, a folder on the way that is closed to others is covered by an open one, with what is needed
    put back in its place.
    """
    closed: dict[Path, list[Path]] = {}
    for folder in folders:
        on_the_way = [parent for parent in reversed(folder.parents) if not parent.stat().st_mode & stat.S_IXOTH]
        if on_the_way:
            closed.setdefault(on_the_way[0], []).append(folder)
    steps = ["set -e", "stash=$(mktemp -d)"]
    for parent, inside in closed.items():
        for number, folder in enumerate(inside):
            steps += [f"mkdir $stash/{number}", f"mount --bind {shlex.quote(str(folder))} $stash/{number}"]
        steps.append(f"mount -t tmpfs -o mode=755 none {shlex.quote(str(parent))}")
        for number, folder in enumerate(inside):
            place = shlex.quote(str(folder))
            steps += [f"mkdir -p {place}", f"mount --move $stash/{number} {place}", f"rmdir $stash/{number}"]
    steps += ["rmdir $stash", f"exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups {shlex.join(command)}"]
    return ["unshare", "--mount", "sh", "-c", "\n".join(steps)]


def test_an_ordinary_user_is_as_safe():
    """The escapes again, in a run of this file by a user without privilege."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("needs root and its own mounts to become somebody else")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        copy = Path(folder) / "copy"
        for part in ("grader", "assignments", "solutions", "tests"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(ROOT / "pyproject.toml", copy / "pyproject.toml")
        # In one process: most attacks are over at once, and each further one would start what all of them share.
        command = [sys.executable, "-B", "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
        command += [f"--basetemp={folder}/base"]
        command += [str(copy / "tests" / "test_hostile.py"), "-k", "000 or 007 or 03 or 04 or 053 or 059"]
        around = _as_nobody(command, [Path(sys.base_prefix), Path(sys.prefix)])
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(copy), "CI": "1"}
        done = subprocess.run(around, env=environment, cwd=copy, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert int(done.stdout.rpartition(" passed")[0].split()[-1]) > 40
