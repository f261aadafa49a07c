"""Bubblewrap: namespaces around the warm process, where the system offers them.

The warm process then has its own users, processes, network, shared memory and host name, and a root folder that holds
only what it reads. Made once per warm process; its forked children are in it for nothing.
Run by the trusted side; imports nothing of the sandbox.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PROGRAM = "bwrap"
SECONDS = 30
NAMESPACES = ("user", "pid", "mnt", "net", "ipc", "uts")

# torch asks here what the processor can do; without an answer it falls back to slower kernels with other rounding.
PROCESSOR = "/sys/devices/system/cpu"

DEVICES = ("/dev/null", "/dev/urandom")
SITE_FOLDERS = {"site-packages", "dist-packages"}

DENIALS = ("permission denied", "not permitted", "no permissions")

FACTS = """
import errno, json, os
def writable(folder):
    try:
        # A file without a name: where it can be made after all, nothing is left behind.
        os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    except OSError as error:
        return error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT)
    return True
def rows(path):
    try:
        with open(path) as file:
            return [line.split() for line in file]
    except OSError:
        return []
ways = {row[0] for row in rows("/proc/net/route")[1:]} | {row[-1] for row in rows("/proc/net/ipv6_route")}
namespaces = {name: os.readlink("/proc/self/ns/" + name) for name in %r}
library = os.path.dirname(os.__file__)
folders = ("/", "/dev", "/tmp", "/dev/shm", library, library + "/site-packages")
print(json.dumps({
    "root": os.listdir("/"),
    "ways": sorted(ways - {"lo"}),
    "namespaces": namespaces,
    "writable": [folder for folder in folders if writable(folder)],
}))
"""


def wrap(command: Sequence[str], readable: Sequence[str], environment: Mapping[str, str] | None = None) -> list[str]:
    """Give the command line that runs `command`, a Python with its arguments, inside bubblewrap.

    `readable` are the folders and files that it finds inside, where they are outside; add the program's own. It gets
    `environment` and no other variable. Descriptors that it inherits (`pass_fds`) stay open.
    It dies with the thread that starts it, so start it from one that stays.
    """
    words = [shutil.which(PROGRAM) or PROGRAM, "--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    words += [f"--unshare-{name}" for name in ("user", "pid", "net", "ipc", "uts")]
    words += ["--cap-drop", "ALL", "--clearenv"]
    for name, value in (environment or {}).items():
        words += ["--setenv", name, value]
    words += ["--proc", "/proc", "--ro-bind-try", PROCESSOR, PROCESSOR]
    # Not --dev: it would bring /dev/shm, which is writable.
    for device in DEVICES:
        words += ["--dev-bind", device, device]
    words += ["--symlink", "/proc/self/fd", "/dev/fd"]
    python = command[0]
    program = os.path.realpath(python)
    if program != python:
        # As outside: a virtual environment's Python finds its library by where the link leads.
        words += ["--symlink", program, python]
    hidden, bound = _merged({*readable, program, *_environment_marks(python)} - set(DEVICES))
    # Sorted, a folder comes before what lies in it, and does not hide it.
    for path in sorted(hidden | bound):
        words += ["--tmpfs", path] if path in hidden else ["--ro-bind", path, path]
    for folder in (*sorted(hidden), "/"):
        words += ["--remount-ro", folder]
    return [*words, "--chdir", "/", "--", *command]


def _merged(paths: set[str]) -> tuple[set[str], set[str]]:
    """Split into folders to hide and paths to bind: a standard library as one folder, its site-packages hidden.

    bubblewrap's time grows with the square of the number of mounts: two hundred of them cost 0.15 s.
    """
    hidden, bound = set[str](), set(paths)
    for folder in {Path(path).parent for path in paths}:
        if any((folder / name).is_dir() for name in SITE_FOLDERS):
            inside = {str(path) for path in folder.iterdir()}
            if {Path(path).name for path in inside - paths} <= SITE_FOLDERS:
                hidden |= inside - paths
                bound = (bound - inside) | {str(folder)}
    return hidden, bound


def _environment_marks(python: str) -> list[str]:
    """List the files by which a virtual environment's Python knows where its packages are."""
    marks = [folder / "pyvenv.cfg" for folder in Path(python).parents[:2]]
    return [str(mark) for mark in marks if mark.exists()]


def why_no_namespaces(readable: Sequence[str]) -> str | None:
    """Run Python inside once and look around there: None where everything is as it should be, else one plain line."""
    if not shutil.which(PROGRAM):
        return "bubblewrap is not installed; the package is bubblewrap"
    command = wrap([sys.executable, "-I", "-S", "-c", FACTS % (NAMESPACES,)], readable)
    try:
        done = subprocess.run(  # noqa: S603 # the command is our own
            command, env={}, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap could not be run ({error})"
    words = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        return _explain(words.splitlines()[-1] if words else f"exit status {done.returncode}")
    if not done.stdout:
        return "bubblewrap ran nothing"
    return _unlike(json.loads(done.stdout), {*readable, sys.executable, os.path.realpath(sys.executable)})


def _explain(words: str) -> str:
    if any(denial in words.lower() for denial in DENIALS):
        return f"the system denies bubblewrap its namespaces, as Ubuntu 24.04 and containers do ({words})"
    return f"bubblewrap failed ({words})"


def _unlike(facts: Mapping[str, Any], paths: set[str]) -> str | None:
    """Say what of the facts seen inside is not as it should be."""
    shared = [name for name in NAMESPACES if facts["namespaces"][name] == str(Path(f"/proc/self/ns/{name}").readlink())]
    if shared:
        return f"inside bubblewrap these are still those of the system: {', '.join(shared)}"
    if facts["ways"]:
        return f"inside bubblewrap there is a way to the network: {', '.join(facts['ways'])}"
    strange = set(facts["root"]) - {path.split("/")[1] for path in paths} - {"dev", "proc", "sys"}
    if strange:
        return f"inside bubblewrap the root folder shows {', '.join(sorted(strange))}"
    if facts["writable"]:
        return f"inside bubblewrap files can be written in {', '.join(facts['writable'])}"
    return None
