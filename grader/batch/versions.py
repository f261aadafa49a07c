"""Versions of one person's work, of which the newest counts: in folders, or in files that begin with a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from grader.batch.tree import File
from grader.submission import SUFFIXES
from grader.text import one_line

_WORD = re.compile(
    r"(?i)(?:v|version|versi[oó]n|versione|versie|vers[aã]o|rev|revision|attempt|versuch|intento|tentativ[eo]|poging|"
    r"delivery)[ _.-]*(\d{1,6})"
)
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T_ -](\d\d)[-:._](\d\d)(?:[-:._](\d\d))?(?:[.,]\d+)?(?: ?[A-Z]{1,5}| ?[+-]\d\d:?\d\d)?"
)
_STAMPED = re.compile(r"(20\d{2}[01]\d[0-3]\d[0-2]\d[0-5]\d[0-5]\d)_(.+)")
_ACTIVE = re.compile(rb'"active_version"\s*:\s*(\d{1,6})\b')
SETTINGS = "user_assignment_settings.json"  # of Submitty, beside folders that are only numbered
MAX_SETTINGS = 100_000
Files = tuple[tuple[str, File], ...]


def newest_version(files: Files) -> tuple[Files, Mapping[str, str]]:
    """Return the files of the newest version, and of the older ones why they don't count.

    Folders that are only numbered may as well be parts: of those a file counts unless a later one has it, too.
    """
    files, older = _newest_by_stamp(files)
    root = _common_folder(path for path, _ in files if path.endswith(SUFFIXES))
    inside = [path[len(root) :] for path, _ in files if path.startswith(root) and path.endswith(SUFFIXES)]
    names = {path.partition("/")[0] for path in inside if "/" in path}
    if len(names) < 2 or any("/" not in path for path in inside):
        return files, older
    ages = {name: age for name in names if (age := _age(name)) is not None}
    if ages.keys() == names and len(set(ages.values())) == len(names):
        newest = max(names, key=lambda name: ages[name])
    elif all(name.isdecimal() for name in names):
        newest = _active(files, root) or ""
        if newest not in names:
            return _newest_each(files, root, older)
    else:
        return files, older
    kept = tuple((path, file) for path, file in files if _folder_in(path, root) in (newest, None))
    left = dict(files).keys() - dict(kept).keys()
    reason = f"an older version: {one_line(newest, 100)} counts"
    return kept, {**older, **{path: reason for path in sorted(left) if path.endswith(SUFFIXES)}}


def _newest_by_stamp(files: Files) -> tuple[Files, dict[str, str]]:
    """Take the time off names that begin with one, where all work has it; of two of one name the later counts."""
    work = [path for path, _ in files if path.endswith(SUFFIXES)]
    stamps = {path: match for path in work if (match := _STAMPED.fullmatch(path.rpartition("/")[2]))}
    if not work or len(stamps) != len(work):
        return files, {}
    newest: dict[str, str] = {}
    for path in sorted(work, key=lambda path: stamps[path][1]):
        newest[_plain(path, stamps)] = path
    counting = set(newest.values())
    kept = tuple((_plain(path, stamps), file) for path, file in files if path not in stamps or path in counting)
    older = [path for path in work if path not in counting]
    return kept, {path: f"an older version: {one_line(newest[_plain(path, stamps)], 100)} counts" for path in older}


def _plain(path: str, stamps: Mapping[str, re.Match[str]]) -> str:
    return path if path not in stamps else path[: len(path) - len(stamps[path][0])] + stamps[path][2]


def _newest_each(files: Files, root: str, older: dict[str, str]) -> tuple[Files, dict[str, str]]:
    """Return of each path inside of numbered folders the one in the last folder that has it."""
    last: dict[str, int] = {}
    places: dict[str, tuple[int, str]] = {}
    for path, _ in files:
        if (name := _folder_in(path, root)) is not None and path.endswith(SUFFIXES):
            number, inner = places[path] = int(name[:9]), path[len(root) + len(name) :]
            last[inner] = max(number, last.get(inner, 0))
    kept: list[tuple[str, File]] = []
    for path, file in files:
        number, inner = places.get(path, (0, ""))
        if path not in places or number == last[inner]:
            kept.append((path, file))
        else:
            older[path] = f"an older version: the one in {last[inner]} counts"
    return tuple(kept), older


def _folder_in(path: str, root: str) -> str | None:
    """Return the folder right below the root that a path goes through, None if it goes through none."""
    name, slash, _ = path[len(root) :].partition("/")
    return name if path.startswith(root) and slash else None


def _age(name: str) -> tuple[str, ...] | None:
    if (word := _WORD.fullmatch(name)) is not None:
        return ("", word[1].zfill(6))
    time = _TIME.fullmatch(name)
    return tuple(part or "00" for part in time.groups()) if time is not None else None


def _active(files: Files, root: str) -> str | None:
    """Return the version that its student chose, where Submitty says it."""
    for path, file in files:
        if path == root + SETTINGS:
            content, _ = file.read(MAX_SETTINGS)
            match = _ACTIVE.search(content or b"")
            return match[1].decode() if match is not None else None
    return None


def _common_folder(paths: Iterable[str]) -> str:
    """Return the folder that all paths are in, with its slash."""
    folders = [path.split("/")[:-1] for path in paths]
    common: list[str] = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "".join(f"{part}/" for part in common)
