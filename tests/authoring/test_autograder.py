"""The archive for Gradescope, run as Gradescope runs it: in a root of its own, under its paths, by its two scripts.

What differs from the real thing: apt-get does nothing, and /opt/grader is an environment that finds what is installed
here, so that pip has nothing to download. The grader in it is the one from the archive.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest

from grader.authoring.autograder import pack_autograder
from grader.course import load_course
from grader.errors import UsageError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LAST = "      - {name: one output, N: 6, D: 2, M: 1}\n"
SECRET = "      - {name: zebra, N: 7, D: 3, M: 4, hidden: true}\n"
SYSTEM = ("usr", "bin", "lib", "lib64", "sbin", "etc")
HANG = "def linear_backward(dout, x, W):\n    while True:\n        pass\n"


class Image:
    """The root of a container after `setup.sh`, in which a hand-in can be graded."""

    def __init__(self, folder: Path, archive: Path) -> None:
        self.folder = folder
        source = folder / "autograder" / "source"
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(source)
        for name in ("submission", "results"):
            (folder / "autograder" / name).mkdir()
        shutil.copyfile(source / "run_autograder", folder / "autograder" / "run_autograder")
        (folder / "stubs").mkdir()
        (folder / "stubs" / "python3").symlink_to(sys.executable)
        (folder / "stubs" / "apt-get").write_text("#!/bin/sh\n")
        for path in (folder / "autograder" / "run_autograder", folder / "stubs" / "apt-get"):
            path.chmod(0o755)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "opt" / "grader"], check=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        here = folder / "opt" / "grader" / "lib" / version / "site-packages" / "here.pth"
        here.write_text(f"{sysconfig.get_path('purelib')}\n")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command with the folder as root; of the machine there is the system and this Python, to be read."""
        arguments = ["bwrap", "--tmpfs", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
        for name in SYSTEM:
            path = Path("/", name)
            if path.is_symlink():
                arguments += ["--symlink", str(path.readlink()), str(path)]
            elif path.is_dir():
                arguments += ["--ro-bind", str(path), str(path)]
        for path in {sys.base_prefix, sys.prefix}:
            if not path.startswith("/usr"):
                arguments += ["--ro-bind", path, path]
        for name in ("autograder", "opt", "stubs"):
            arguments += ["--bind", str(self.folder / name), f"/{name}"]
        variables = {"PATH": "/stubs:/usr/bin:/bin", "PIP_NO_INDEX": "1", "HOME": "/tmp"}
        for name, value in variables.items():
            arguments += ["--setenv", name, value]
        arguments += ["--unshare-pid", "--die-with-parent", "--chdir", "/autograder", *command]
        return subprocess.run(arguments, capture_output=True, text=True, timeout=200, check=False, env={})

    def grade(self, files: dict[str, bytes]) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
        """Grade a hand-in as Gradescope's harness does; return the process and the results.json."""
        for name in ("submission", "results"):
            shutil.rmtree(self.folder / "autograder" / name)
            (self.folder / "autograder" / name).mkdir()
        for name, content in files.items():
            path = self.folder / "autograder" / "submission" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        done = self.run("/autograder/run_autograder")
        path = self.folder / "autograder" / "results" / "results.json"
        return done, json.loads(path.read_text()) if path.is_file() else {}


@pytest.fixture(scope="module")
def image(tmp_path_factory, small_course_folder) -> Image:
    """An image of linear, with a hidden case, whose setup.sh has run."""
    folder = tmp_path_factory.mktemp("gradescope")
    shutil.copytree(small_course_folder, folder / "course")
    rubric = folder / "course" / "assignments" / "linear" / "rubric.yaml"
    rubric.write_text(rubric.read_text().replace(LAST, LAST + SECRET))
    pack_autograder(load_course(folder / "course"), folder / "autograder.zip", ["linear"], 4711)
    image = Image(folder, folder / "autograder.zip")
    done = image.run("bash", "/autograder/source/setup.sh")
    assert done.returncode == 0, done.stdout + done.stderr
    return image


def solution() -> bytes:
    return (ROOT / "solutions" / "linear.py").read_bytes()


def test_a_right_hand_in_has_all_points(image):
    done, result = image.grade({"linear.py": solution()})

    assert (done.returncode, done.stderr) == (0, "")
    assert result["score"] == 5.0
    shown, hidden = result["tests"]
    assert (shown["name"], shown["score"], shown["max_score"], shown["status"]) == (
        "linear: linear_backward",
        5.0,
        5.0,
        "passed",
    )
    assert shown["output"].endswith("No hidden case failed.")
    assert (hidden["visibility"], "score" in hidden) == ("hidden", False)
    # Standard output is for instructors.
    assert "seed 4711" in done.stdout
    assert result["stdout_visibility"] == "hidden"


def test_an_empty_hand_in_is_told_what_to_hand_in(image):
    done, result = image.grade({})

    assert done.returncode == 0
    assert (result["score"], result["visibility"], result["tests"]) == (0.0, "visible", [])
    assert result["output"].splitlines() == [
        "Nothing in your hand-in could be graded, so it has 0 points for now. You can hand in again.",
        "There is no file in it.",
        "Hand in linear.py, with linear_backward.",
    ]


def test_a_wrong_file_is_named(image):
    done, result = image.grade({"essay.pdf": b"%PDF-1.7"})

    assert (done.returncode, result["score"]) == (0, 0.0)
    assert result["output"].splitlines()[1:] == [
        "You handed in: essay.pdf.",
        "That is no Python file (.py) and no notebook (.ipynb).",
        "Hand in linear.py, with linear_backward.",
    ]


def test_a_hang_costs_its_function_and_is_said(image):
    done, result = image.grade({"linear.py": HANG.encode()})

    assert done.returncode == 0
    test = result["tests"][0]
    assert (result["score"], test["status"]) == (0.0, "failed")
    assert test["output"].startswith("ran out of time: linear_backward did not finish within 1 s")
    assert test["output"].count("\n") == 1  # and how many hidden cases failed


def test_a_week_that_borrows_mistakes_brings_them_along(tmp_path, course):
    pack_autograder(course, tmp_path / "mlp.zip", ["mlp"], 1)
    with zipfile.ZipFile(tmp_path / "mlp.zip") as archive:
        archive.extractall(tmp_path / "got")
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}

    packed = load_course(tmp_path / "got" / "course")
    assert packed.names == ("mlp",)
    assert all(loan.path.is_file() for exercise in packed.rubrics[0].exercises for loan in exercise.mistakes_of)
    assert not list((tmp_path / "got").rglob("solutions"))
    assert modes["run_autograder"] == modes["setup.sh"] == 0o755


def test_what_is_no_name_of_an_archive_is_refused(tmp_path, course):
    with pytest.raises(UsageError, match=r"give one that ends in \.zip"):
        pack_autograder(course, tmp_path / "autograder", [], 1)
