"""Where a layer of the sandbox is missing, the real command goes on without it and says so; a batch does not.

The three ways to lack one are simulated: a kernel that does not know Landlock's calls, a libseccomp that is an empty
file, a bubblewrap that is not there or that the system denies.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
LANDLOCK_CREATE_RULESET = 444
DENIED_BWRAP = "#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n"
ALL = ["rlimits", "seccomp", "landlock", "namespaces"]

# Start the rest of the command line in a process for which the kernel has no such call.
WITHOUT_CALL = """
import os, struct, sys
sys.path.insert(0, {root!r})
from grader.sandbox.guest import libc
from grader.sandbox.guest.seccomp import Filter
rows = (0x20, 0, 0, 0), (0x15, 0, 1, {call}), (0x06, 0, 0, 0x00050000 | {code}), (0x06, 0, 0, 0x7FFF0000)
libc.call("prctl", 38, 1, 0, 0, 0)
Filter(b"".join(struct.pack("=HBBI", *row) for row in rows)).install()
os.execv(sys.argv[1], sys.argv[1:])
"""
NO_LANDLOCK = WITHOUT_CALL.format(root=str(ROOT), call=LANDLOCK_CREATE_RULESET, code=errno.ENOSYS)


def _libseccomp() -> list[str]:
    found = {
        str(path.resolve())
        for folder in ("/lib", "/usr/lib", "/lib64", "/usr/lib64")
        for path in Path(folder).glob("**/libseccomp.so.2")
    }
    if not found:
        pytest.skip("libseccomp is not installed")
    return sorted(found)


def _around(what: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Return the words before a command line, and the variables, that take a layer away."""
    bwrap = shutil.which("bwrap")
    match what:
        case "landlock":
            return [sys.executable, "-c", NO_LANDLOCK], {}
        case "seccomp":
            if bwrap is None:
                pytest.skip("bubblewrap is not installed, by which libseccomp would be hidden")
            hidden = [word for path in _libseccomp() for word in ("--ro-bind", "/dev/null", path)]
            around = [bwrap, "--dev-bind", "/", "/", *hidden]
            if subprocess.run([*around, "true"], capture_output=True, check=False).returncode:
                pytest.skip("the system denies bubblewrap, by which libseccomp would be hidden")
            return around, {"PATH": "/nowhere"}
        case "bubblewrap missing":
            return [], {"PATH": "/nowhere"}
        case _:
            (folder / "bwrap").write_text(DENIED_BWRAP)
            (folder / "bwrap").chmod(0o755)
            return [], {"PATH": f"{folder}:/usr/bin:/bin"}


CASES = {
    "landlock": ("landlock", "landlock: this kernel has no Landlock; it came with Linux 5.13"),
    "seccomp": ("seccomp", "seccomp: libseccomp.so.2 is not installed; the package is libseccomp2 or libseccomp"),
    "bubblewrap missing": ("namespaces", "namespaces: bubblewrap is not installed; the package is bubblewrap"),
    "bubblewrap denied": ("namespaces", "namespaces: the system denies bubblewrap its namespaces, as Ubuntu 24.04"),
}


def _run(what: str, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    around, variables = _around(what, programs)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **variables}
    command = [*around, sys.executable, "-m", "grader", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("what", CASES)
def test_a_missing_layer_is_left_out_and_said_in_one_line(what: str, tmp_path: Path, small_course_folder: Path):
    layer, reason = CASES[what]
    (tmp_path / "work").mkdir()
    shutil.copyfile(ROOT / "solutions" / "linear.py", tmp_path / "work" / "linear.py")

    done = _run(what, tmp_path, "work", "--course", small_course_folder, "--json", "out.json")

    assert done.stderr == ""
    assert "✓ linear · A linear layer · 5/5" in done.stdout
    result = json.loads((tmp_path / "out.json").read_text())
    absent = {layer} | ({"namespaces"} if what == "seccomp" else set())
    assert set(ALL) - set(result["isolation"]) == absent
    assert set(result) & {"weaknesses"} == set()
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"weaker sandbox: {layer}: ")]
    assert reason in line
    assert reason in (tmp_path / "work" / "grade-report.html").read_text()


@pytest.mark.parametrize("what", ["landlock", "seccomp"])
def test_a_batch_stops_and_says_what_to_do(what: str, tmp_path: Path, small_course_folder: Path):
    (tmp_path / "class" / "ada").mkdir(parents=True)
    shutil.copyfile(ROOT / "solutions" / "linear.py", tmp_path / "class" / "ada" / "linear.py")
    arguments = ("batch", "class", "--out", "out", "--course", small_course_folder)

    refused = _run(what, tmp_path, *arguments)

    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert CASES[what][1] in refused.stderr
    for way_out in ("container", "WSL", "--allow-weak-isolation"):
        assert way_out in refused.stderr
    assert not list((tmp_path / "out").glob("results/*"))

    allowed = _run(what, tmp_path, *arguments, "--allow-weak-isolation")

    assert allowed.returncode == 0, allowed.stdout + allowed.stderr
    assert len(list((tmp_path / "out").glob("results/*.json"))) == 1


def test_a_batch_needs_no_namespaces(tmp_path: Path, small_course_folder: Path):
    (tmp_path / "class" / "ada").mkdir(parents=True)
    shutil.copyfile(ROOT / "solutions" / "linear.py", tmp_path / "class" / "ada" / "linear.py")

    done = _run("bubblewrap missing", tmp_path, "batch", "class", "--out", "out", "--course", small_course_folder)

    assert done.returncode == 0, done.stdout + done.stderr
