"""Hashes of all that a result depends on: content of the submission, course and grader."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

MAX_NAMED = 500
SHORT = 16  # of a hash that only tells a change


def hash_course(folder: Path) -> str:
    """Return the hash of everything in a course that can change a grade or its report."""
    root = folder / "assignments"
    return _hash(_course_files(root, root))


def hash_assignments(folder: Path) -> dict[str, str]:
    """Return the same for each part of a course by its name, to tell which of them changed."""
    root = folder / "assignments"
    parts = sorted(path for path in root.iterdir() if path.is_dir() or path.suffix == ".yaml")
    return {path.name: _hash(_course_files(path, root))[:SHORT] for path in parts}


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


def hash_content(files: Mapping[str, bytes], refused: Mapping[str, str]) -> dict[str, str]:
    """Return the hash of each file that a student handed in, as it was taken."""
    parts = dict(files) | {name: reason.encode() for name, reason in refused.items()}
    if len(parts) > MAX_NAMED:
        return {"its files": _hash(sorted(parts.items()))[:SHORT]}
    return {name: _hash([(name, content)])[:SHORT] for name, content in sorted(parts.items())}


def _course_files(path: Path, root: Path) -> Iterator[tuple[str, bytes]]:
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    for file in files:
        if file.suffix in (".py", ".yaml"):
            yield file.relative_to(root).as_posix(), file.read_bytes()


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
