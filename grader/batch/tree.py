"""What an instructor has collected, as folders and files: the same whether it is on a disk, in a zip or in a tar."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from grader.batch.archives import (
    DOWNLOADED,
    HANDED_IN,
    PEEKED,
    SUFFIXES,
    Archive,
    ArchiveError,
    Limits,
    is_archive,
    open_archive,
    path_problem,
)
from grader.errors import UsageError
from grader.submission import SKIPPED_FOLDERS, read_file
from grader.submission import SUFFIXES as WORK
from grader.text import decode_name, one_line

MAX_DEPTH = 64
MAX_PATH_BYTES = 3_500  # systems end at 4,096
_JUNK = frozenset({"thumbs.db", "desktop.ini", "icon\r", "$recycle.bin"})
_PART = re.compile(r"(?P<whole>.+-\d{8}T\d{6}Z)(?:-\d{1,2})?-\d{3}(?:\.zip)?")
_LINK = "a link, which is not followed"


@dataclass(frozen=True, slots=True)
class File:
    """A file, and a way to read it within a bound: its content, or None and the reason. `path` if it is on a disk."""

    name: str
    read: Callable[[int], tuple[bytes | None, str]]
    path: Path | None = None


@dataclass(slots=True)
class Folder:
    """A folder without what operating systems and tools leave behind; `refused` says what in it cannot be read.

    It is filled once, by this module. `is_repository` if it is a git clone.
    """

    name: str
    folders: dict[str, Folder] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    is_repository: bool = False

    def walk(self) -> Iterator[tuple[str, File]]:
        """Yield every file in it with its path from here, in order."""
        yield from sorted(self.files.items())
        for name, folder in sorted(self.folders.items()):
            for path, file in folder.walk():
                yield f"{name}/{path}", file

    def walk_refused(self) -> Iterator[tuple[str, str]]:
        """Yield everything in it that cannot be read, with the reason."""
        yield from sorted(self.refused.items())
        for name, folder in sorted(self.folders.items()):
            for path, reason in folder.walk_refused():
                yield f"{name}/{path}", reason

    def free(self, name: str) -> str:
        """Return the name, with a number if it is taken: two names can look the same once they are text."""
        number, free = 1, name
        while self.has(free):
            number += 1
            free = f"{name} ({number})"
        return free

    def has(self, name: str) -> bool:
        """Whether something of that name is in it."""
        return name in self.folders or name in self.files or name in self.refused


def open_tree(path: Path) -> Folder:
    """Look at a folder or an archive. Raises UsageError if it is neither."""
    shown = one_line(str(path), 300)
    if path.is_dir():
        return _read_folder(path)
    if path.is_file() and is_archive(path.name):
        try:
            return _as_folder(stem(path.name), open_archive(path, DOWNLOADED))
        except (ArchiveError, OSError) as error:
            raise UsageError(f"{shown} could not be read as an archive: {error}") from error
    raise UsageError(f"{shown} is not a folder of submissions, nor an archive with them")


def unpack(file: File, limits: Limits = HANDED_IN) -> Folder:
    """Return what is in an archive. Raises ArchiveError if it cannot be read."""
    if file.path is not None and limits is not HANDED_IN:
        return _as_folder(stem(file.name), open_archive(file.path, limits))
    content, reason = file.read(HANDED_IN.packed)
    if content is None:
        raise ArchiveError(reason)
    return _as_folder(stem(file.name), open_archive(content, limits))


def join_parts(folder: Folder) -> Folder:
    """Return a folder in which a download in parts, `Week 1-20260301T120000Z-001.zip` and so on, is one again."""
    parts: dict[str, list[str]] = {}
    for name in sorted((*folder.folders, *folder.files)):
        match = _PART.fullmatch(name)
        if match is not None and (name in folder.folders or is_archive(name)):
            parts.setdefault(match["whole"], []).append(name)
    whole = {name: names for name, names in parts.items() if len(names) > 1}
    if not whole:
        return folder
    joined = Folder(folder.name, dict(folder.folders), dict(folder.files), dict(folder.refused), folder.is_repository)
    for name, names in whole.items():
        place = joined.folders[joined.free(name)] = Folder(name)
        for part in names:
            try:
                opened = folder.folders[part] if part in folder.folders else unpack(folder.files[part], PEEKED)
            except ArchiveError as error:
                joined.refused[part] = str(error)
                continue
            finally:
                joined.folders.pop(part, None)
                joined.files.pop(part, None)
            _join(place, opened)
    return joined


def _join(place: Folder, other: Folder) -> None:
    """Put all of a folder into another; of two files of one name the second gets a number."""
    for name, inner in other.folders.items():
        # A part has its own folder of a name, which others still hold.
        own = place.folders[name] = place.folders.get(name) or Folder(name)
        own.is_repository |= inner.is_repository
        _join(own, inner)
    for name, file in other.files.items():
        place.files[place.free(name)] = file
    for name, reason in other.refused.items():
        place.refused[place.free(name)] = reason


def stem(name: str, suffixes: tuple[str, ...] = SUFFIXES) -> str:
    """Return a name without the ending that says what it is."""
    ending = next((end for end in sorted(suffixes, key=len, reverse=True) if name.lower().endswith(end)), "")
    return name[: len(name) - len(ending)] or name


def is_junk(name: str) -> bool:
    """Whether a name is of what an operating system, an editor or a tool leaves behind, and no work of a student."""
    return name.startswith((".", "~$")) or name in SKIPPED_FOLDERS or name.lower() in _JUNK


def _tidy(name: str) -> str:
    """Return a name with an ending in small letters: systems that don't tell them apart write LINEAR.PY."""
    start, dot, ending = name.rpartition(".")
    return f"{start}{dot}{ending.lower()}" if f".{ending.lower()}" in WORK else name


def _as_folder(name: str, archive: Archive) -> Folder:
    root = Folder(name)
    for path in sorted(archive.folders - {""}):
        _make(root, path.split("/"))
    for path in sorted(archive.paths):
        *above, last = path.split("/")
        folder = _make(root, above)
        if folder is not None and not is_junk(last):
            name = folder.free(_tidy(last))
            folder.files[name] = File(name, partial(archive.read, path))
        elif folder is not None and last == ".git":  # of a worktree or a submodule
            folder.is_repository = True
    for path, reason in archive.refused.items():
        *above, last = path.split("/") if path_problem(path) is None else [path]
        folder = _make(root, above)
        if folder is not None and not is_junk(last):
            folder.refused[folder.free(last)] = reason
    _drop_environments(root)
    return root


def _make(root: Folder, parts: list[str]) -> Folder | None:
    """Return the folder at a path, made where it is not there; None if it is in a folder of no interest."""
    folder = root
    for depth, part in enumerate(parts):
        if part == ".git":
            folder.is_repository = True
        if is_junk(part):
            return None
        if depth == MAX_DEPTH:
            folder.refused[one_line(part, 200)] = f"it lies more than {MAX_DEPTH} folders deep"
            return None
        shown = one_line(part, 1_000) or "_"
        folder = folder.folders.setdefault(shown, Folder(shown))
    return folder


def _drop_environments(folder: Folder) -> None:
    for name, inner in list(folder.folders.items()):
        if "pyvenv.cfg" in inner.files:
            del folder.folders[name]
        else:
            _drop_environments(inner)


def _read_folder(path: Path) -> Folder:
    root = Folder(decode_name(os.fsencode(path.resolve().name)))
    waiting = [(str(path), root, 0)]
    while waiting:
        where, folder, depth = waiting.pop()
        try:
            with os.scandir(where) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            if folder is root:
                raise UsageError(f"{one_line(where, 300)} could not be opened: {error.strerror}") from error
            folder.refused["the folder"] = f"it could not be opened: {error.strerror}"
            continue
        for entry in entries:
            below = _read_dir_entry(entry, folder, depth)
            if below is not None:
                waiting.append((entry.path, below, depth + 1))
    _drop_environments(root)
    return root


def _read_dir_entry(entry: os.DirEntry[str], folder: Folder, depth: int) -> Folder | None:
    """Put an entry of a folder on the disk into the tree; return it if it is a folder to look into."""
    if entry.name == ".git":
        folder.is_repository = True
    if is_junk(entry.name):
        return None
    # On Linux a name is any bytes, and those that are no text could be written into no gradebook.
    name = folder.free(one_line(decode_name(os.fsencode(entry.name)), 1_000) or "_")
    try:
        is_folder = entry.is_dir(follow_symlinks=False)
        is_link, is_file = entry.is_symlink(), entry.is_file(follow_symlinks=False)
    except OSError as error:
        folder.refused[name] = f"it could not be opened: {error.strerror}"
        return None
    if is_link:
        folder.refused[name] = _LINK
    elif not is_folder and not is_file:
        folder.refused[name] = "a device or a pipe, which is not opened"
    elif len(os.fsencode(entry.path)) > MAX_PATH_BYTES:
        folder.refused[one_line(name, 200)] = f"its path is longer than {MAX_PATH_BYTES} bytes"
    elif depth == MAX_DEPTH:
        folder.refused[one_line(name, 200)] = f"it lies more than {MAX_DEPTH} folders deep"
    elif is_folder:
        return folder.folders.setdefault(name, Folder(name))
    else:
        path, name = Path(entry.path), name if _tidy(name) == name else folder.free(_tidy(name))
        folder.files[name] = File(name, partial(read_file, path), path)
    return None
