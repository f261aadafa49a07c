"""What a submission may read: Python's folders and those of the distributions that torch needs.

Only the sandbox's POSIX side imports this.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

DISTRIBUTIONS = ("torch", "numpy", "safetensors")

# Where anything may be installed, the grader and its course too; in many layouts it lies inside the standard library.
SITE_FOLDERS = frozenset({"site-packages", "dist-packages"})

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
