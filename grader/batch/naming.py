"""A name to show and a file name for every submission, each of them unique and safe."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grader.text import one_line

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
MAX_FILE_NAME = 80


@dataclass(frozen=True)
class Name:
    """How a submission is called in the gradebook, and its files in results/ and reports/ without the ending."""

    shown: str
    file: str


def name_all(real: Iterable[str], kept: Mapping[str, Name]) -> dict[str, Name]:
    """Return a name for every real one; those that have theirs from an earlier run, `kept`, keep it.

    File names differ in more than case, so that no two submissions share a file on any file system.
    """
    names: dict[str, Name] = {}
    shown_names: set[str] = set()
    file_names: set[str] = set()
    for name in sorted(real, key=lambda name: (name not in kept, name)):
        found = kept.get(name) or Name(one_line(name, 200) or "_", safe_file_name(name))
        shown, file = found.shown, found.file
        if shown in shown_names:
            shown = f"{shown} ({_hash(name)})"
        if file.casefold() in file_names:
            file = f"{safe_file_name(file)}-{_hash(name)}"
        shown_names.add(shown)
        file_names.add(file.casefold())
        names[name] = Name(shown, file)
    return names


def safe_file_name(name: str) -> str:
    """Return a name that is safe on any file system; with a hash of the real one where it had to change."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:MAX_FILE_NAME].lstrip(".-").rstrip(".") or "_"
    if _RESERVED.fullmatch(plain):
        plain = f"_{plain}"
    return plain if plain == name else f"{plain}-{_hash(name)}"


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:8]
