"""The start of a guest process: its command, what it may read, and the namespaces around it.

Where the system offers them, bubblewrap gives the warm process users, processes, network, shared memory and host name
of its own, and a root folder that holds only what it reads; its forked children are in it for nothing.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.errors import SandboxError

PROGRAM = "bwrap"
SECONDS = 30
NAMESPACES = ("user", "pid", "mnt", "net", "ipc", "uts")

# torch asks here what the processor can do; without an answer it falls back to slower kernels with other rounding.
PROCESSOR = "/sys/devices/system/cpu"

DEVICES = ("/dev/null", "/dev/urandom")
# Where anything may be installed, the grader and its course too; in many layouts it lies inside the standard library.
SITE_FOLDERS = frozenset({"site-packages", "dist-packages"})

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


DISTRIBUTIONS = ("torch", "numpy")

SYSTEM_LIBRARIES = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")

# The loader finds libraries outside the default folders by the cache.
SINGLE_FILES = ("/etc/ld.so.cache", "/dev/null", "/dev/urandom")

REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+")


def readable_folders() -> list[str]:
    """Folders and single files that Python and torch may need once they run; nothing else need be readable.

    A folder that is given is readable with all that lies beneath, so site-packages is never given, nor a folder around
    it: its neighbours are given one by one, and of site-packages only what a needed distribution put there.
    """
    paths = {*_standard_library(), *_distributions(), *_shared_libraries(), *map(Path, SINGLE_FILES)}
    return sorted(str(path) for path in paths if path.exists())


def _standard_library() -> Iterator[Path]:
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    for kind in ("stdlib", "platstdlib"):
        folder = Path(sysconfig.get_path(kind, vars=base))
        if any((folder / name).exists() for name in SITE_FOLDERS):
            yield from (child for child in folder.iterdir() if child.name not in SITE_FOLDERS)
        else:
            yield folder
    # Some distributors keep it elsewhere.
    yield from (Path(entry) for entry in sys.path if Path(entry).name == "lib-dynload")


def _distributions() -> Iterator[Path]:
    waiting, seen = list(DISTRIBUTIONS), set[str]()
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:
            continue
        seen.add(key)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # not needed on this machine, or torch would not have been imported
        yield from _top_level(distribution)
        for requirement in distribution.requires or ():
            needed, _, marker = requirement.partition(";")
            match = REQUIREMENT.match(needed)
            if match and "extra ==" not in marker:
                waiting.append(match.group())


def _top_level(distribution: importlib.metadata.Distribution) -> Iterator[Path]:
    root = Path(str(distribution.locate_file("")))
    # Read as text: torch lists fifteen thousand files, and a path for each would take longer than many a fork.
    names = {line.partition("/")[0].partition(",")[0] for line in (distribution.read_text("RECORD") or "").splitlines()}
    # Scripts lie outside, and a .pth file is read at start only.
    yield from (root / name for name in names - {"..", "__pycache__", ""} if not name.endswith(".pth"))


def _shared_libraries() -> Iterator[Path]:
    multiarch = sysconfig.get_config_var("MULTIARCH")
    # Some installers put a link before the prefix, and the loader goes by where it leads.
    prefixes = {Path(sys.base_prefix), Path(sys.base_prefix).resolve()}
    own = [prefix / name for prefix in prefixes for name in ("lib", "lib64")]
    for folder in (*map(Path, SYSTEM_LIBRARIES), *own):
        if multiarch:
            yield folder / multiarch
        # Not the folder itself: beneath it lies a Python with its site-packages, somewhere or other.
        yield from folder.glob("*.so*")


PACKAGE = Path(__file__).resolve().parents[2]

# One thread must be said before numpy and torch are imported: a process that forks may have no second one.
# The package is imported from where this process has it, then taken off the path: a submission that
# imports `solutions` or `assignments` finds nothing.
_BOOT = """
import importlib, os, sys
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
program, package, libraries, *arguments = sys.argv[1:]
sys.path[:0] = [package]
if libraries not in sys.path:
    sys.path.append(libraries)
main = importlib.import_module("grader.sandbox.guest." + program).main
if package != libraries:
    sys.path[:] = [folder for folder in sys.path if folder != package]
sys.argv[:] = [""]
main(*arguments)
"""


def child_command(program: str, *arguments: object) -> list[str]:
    """Give the command line that runs `main` of a module of the sandbox, with `arguments` as text.

    Raises SandboxError if torch is not there to be imported.
    """
    torch_spec = importlib.util.find_spec("torch")
    if torch_spec is None or torch_spec.origin is None:
        from grader.absent import explain_absent  # once in a lifetime, and never beside student code

        raise SandboxError(explain_absent("torch"))
    libraries = Path(torch_spec.origin).parents[1]
    options = ["-I", "-B", "-X", "utf8"]
    return [sys.executable, *options, "-c", _BOOT, program, str(PACKAGE), str(libraries), *map(str, arguments)]


def own_files() -> list[str]:
    """List what such a process reads of this package."""
    grader = PACKAGE / "grader"
    return [str(grader / "__init__.py"), str(grader / "sandbox" / "__init__.py"), str(grader / "sandbox" / "guest")]
