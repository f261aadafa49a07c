"""Namespaces around the warm process: what it sees inside, and what is said where there are none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import grader
from grader.sandbox.isolation import readable_folders, why_no_namespaces, wrap

READABLE = readable_folders()
STDLIB = Path(os.__file__).parent
NOBODY = 65534
PYTHON = "/usr/bin/python3"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
needs_python = pytest.mark.skipif(not Path(PYTHON).exists(), reason=f"needs a Python that all can read, as {PYTHON}")
PACKAGE = Path(grader.__file__).parent
SANDBOX = PACKAGE / "sandbox"
# What the warm process reads besides: its own modules.
OWN = [grader.__file__, str(PACKAGE / "errors.py"), *map(str, SANDBOX.rglob("*.py"))]

BOXED = f"""
import sys
sys.path.insert(0, {str(SANDBOX.parents[1])!r})
import json, torch
from grader.sandbox.guest.box import build_box
from grader.sandbox.isolation import readable_folders
print(json.dumps(build_box(readable_folders()).layers), (torch.ones(3, 3) @ torch.ones(3, 3)).sum().item())
"""


@pytest.fixture
def namespaces():
    """Skip where bubblewrap can't be used."""
    reason = why_no_namespaces(READABLE)
    if reason:
        pytest.skip(reason)


@pytest.fixture
def fake_bwrap(tmp_path, monkeypatch):
    """Put a program in the place of bubblewrap."""

    def put(script):
        (tmp_path / "bwrap").write_text("#!/bin/sh\n" + script)
        (tmp_path / "bwrap").chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    return put


def inside(source, *options, environment=None, readable=READABLE, **how):
    command = wrap([sys.executable, "-I", *options, "-c", source], readable, environment)
    done = subprocess.run(command, env={"SECRET": "canary"}, capture_output=True, text=True, check=False, **how)
    return done.stdout + done.stderr


@pytest.mark.usefixtures("namespaces")
def test_processes_outside_are_out_of_sight():
    source = "import os; print(os.getppid(), sum(name.isdigit() for name in os.listdir('/proc')))"
    # bubblewrap's own first process, and this one.
    assert inside(source, "-S") == "1 2\n"


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("folder", ["/home", "/tmp", "/dev/shm", "/etc/passwd", "/bin", str(Path.cwd() / "tests")])
def test_what_is_not_given_does_not_exist(folder):
    # Where this checkout's own Python lies below, the way there is all that a folder shows.
    given = [Path(path) for path in (*readable_folders(), sys.executable, os.path.realpath(sys.executable))]
    ways = {path.relative_to(folder).parts[0] for path in given if Path(folder) in path.parents}
    seen = f"sorted(os.listdir({folder!r})) if os.path.isdir({folder!r}) else os.path.exists({folder!r})"
    assert inside(f"import os; print({seen})", "-S") == f"{sorted(ways) or False}\n"


@pytest.mark.usefixtures("namespaces")
def test_site_packages_holds_only_what_torch_needs():
    names = inside(
        "import os, sys; print(*[n for p in sys.path if p.endswith('-packages') for n in os.listdir(p)])"
    ).split()
    assert "torch" in names
    assert not {"pytest", "pip", "grader", "click"} & set(names)


@pytest.mark.usefixtures("namespaces")
def test_there_is_no_way_to_the_network():
    source = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
    assert "Network is unreachable" in inside(source, "-S")


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize(
    "folder", ["/", "/dev", "/etc", *map(str, [STDLIB, STDLIB / "json", *STDLIB.glob("*-packages")])]
)
def test_nothing_can_be_written(folder):
    assert "Read-only file system" in inside(f"open({folder + '/left'!r}, 'w')", "-S")


@pytest.mark.usefixtures("namespaces")
def test_only_the_given_variables_are_set():
    words = inside("import os; print(sorted(os.environ))", "-S", environment={"OMP_NUM_THREADS": "1"})
    assert words == "['OMP_NUM_THREADS', 'PWD']\n"


@pytest.mark.usefixtures("namespaces")
def test_no_capability_is_held_inside():
    words = inside("print(*[line for line in open('/proc/self/status') if line.startswith('Cap')])", "-S")
    assert {line.split()[1].strip("0") for line in words.splitlines() if line.strip()} == {""}


@pytest.mark.usefixtures("namespaces")
def test_what_runs_inside_dies_with_the_one_who_started_it():
    sleeper = wrap(
        [sys.executable, "-I", "-S", "-c", "import time; print('in', flush=True); time.sleep(5); print('on')"], READABLE
    )
    starter = f"import subprocess, time; subprocess.Popen({sleeper!r}); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "in\n"
        process.kill()
        assert process.stdout.read() == ""


@pytest.mark.usefixtures("namespaces")
def test_an_inherited_descriptor_passes_through():
    reading, writing = os.pipe()
    with os.fdopen(reading) as answer:
        inside(f"import os; os.write({writing}, b'through')", "-S", pass_fds=[writing])
        os.close(writing)
        assert answer.read() == "through"


@pytest.mark.usefixtures("namespaces")
def test_torch_works_inside_and_every_layer_of_the_box_with_it():
    assert inside(BOXED, readable=[*READABLE, *OWN]) == '["rlimits", "seccomp", "landlock"] 27.0\n'


@pytest.mark.slow
@pytest.mark.usefixtures("namespaces")
def test_torch_sees_the_same_processor_inside():
    source = "import torch; print(torch.backends.cpu.get_cpu_capability())"
    outside = subprocess.run([sys.executable, "-I", "-c", source], capture_output=True, text=True, check=True).stdout
    assert inside(source) == outside


@needs_root
@needs_python
@pytest.mark.usefixtures("namespaces")
def test_an_ordinary_user_has_namespaces_too():
    source = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from grader.sandbox.isolation import readable_folders, why_no_namespaces\n"
        "print(why_no_namespaces(readable_folders()))"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(SANDBOX, Path(folder) / "grader" / "sandbox")
        shutil.copy(PACKAGE / "errors.py", Path(folder) / "grader")
        command = [PYTHON, "-B", "-c", source, folder]
        how = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}
        assert subprocess.run(command, capture_output=True, text=True, check=True, **how).stdout == "None\n"


def test_a_missing_bubblewrap_is_said_in_one_line(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert why_no_namespaces(READABLE) == "bubblewrap is not installed; the package is bubblewrap"


DENIALS = (
    "bwrap: setting up uid map: Permission denied",
    "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted",
    "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user "
    "namespaces. See <https://deb.li/bubblewrap> or <file:///usr/share/doc/bubblewrap/README.Debian.gz>.",
    "bwrap: Creating new namespace failed: Operation not permitted",
    "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
)


@pytest.mark.parametrize("words", DENIALS)
def test_a_bubblewrap_that_the_system_denies_is_said_in_one_line(fake_bwrap, words):
    fake_bwrap(f'echo "{words}" >&2\nexit 1\n')
    reason = why_no_namespaces(READABLE)
    assert reason == f"the system denies bubblewrap its namespaces, as Ubuntu 24.04 and containers do ({words})"


def test_a_bubblewrap_that_fails_otherwise_is_quoted(fake_bwrap):
    fake_bwrap("echo 'bwrap: Unknown option --clearenv' >&2\nexit 1\n")
    assert why_no_namespaces(READABLE) == "bubblewrap failed (bwrap: Unknown option --clearenv)"


def test_a_bubblewrap_that_does_nothing_is_not_believed(fake_bwrap):
    fake_bwrap("exit 0\n")
    assert why_no_namespaces(READABLE) == "bubblewrap ran nothing"


def test_a_bubblewrap_that_is_no_program_is_said_in_one_line(fake_bwrap, tmp_path):
    fake_bwrap("")
    (tmp_path / "bwrap").write_bytes(b"\x7fELF")
    assert why_no_namespaces(READABLE).startswith("bubblewrap could not be run ([Errno 8] Exec format error")


def test_a_bubblewrap_that_isolates_nothing_is_not_believed(fake_bwrap):
    fake_bwrap('while [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n')
    reason = why_no_namespaces(READABLE)
    assert reason == "inside bubblewrap these are still those of the system: user, pid, mnt, net, ipc, uts"


def test_the_look_around_leaves_nothing_behind(fake_bwrap):
    before = [set(folder.iterdir()) for folder in (Path("/"), STDLIB)]
    fake_bwrap('while [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n')
    why_no_namespaces(READABLE)
    assert [set(folder.iterdir()) for folder in (Path("/"), STDLIB)] == before
