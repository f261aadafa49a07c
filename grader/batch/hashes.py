"""Hashes of all that a result depends on: content of the submission, course and grader."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def hash_course(folder: Path) -> str:
    """Return the hash of everything in a course that can change a grade or its report."""
    root = folder / "assignments"
    files = (path for path in root.rglob("*") if path.suffix in (".py", ".yaml") and path.is_file())
    return _hash((path.relative_to(root).as_posix(), path.read_bytes()) for path in sorted(files))


@cache
def hash_grader() -> str:
    """Return the hash of the installed grader with the torch that it runs on."""
    root = Path(__file__).resolve().parents[1]
    files = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".html", ".css"))
    installed_course = root / "installed_course"
    parts = [
        (path.relative_to(root).as_posix(), path.read_bytes()) for path in files if installed_course not in path.parents
    ]
    return _hash([*parts, ("torch", _version("torch").encode())])


def hash_content(files: Mapping[str, bytes], refused: Mapping[str, str]) -> str:
    """Return the hash of what a student handed in, as it was taken."""
    return _hash([*sorted(files.items()), *((name, reason.encode()) for name, reason in sorted(refused.items()))])


def _hash(parts: Iterable[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for name, content in parts:
        encoded = name.encode(errors="surrogateescape")
        # Lengths first, so that no two lists of files run together into the same bytes.
        digest.update(f"{len(encoded)} {len(content)} ".encode() + encoded + content)
    return digest.hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
