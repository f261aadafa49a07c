"""The files that an instructor has collected: a folder, or the zip as it was downloaded."""

from __future__ import annotations

import mmap
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from grader.batch.archives import MAX_ARCHIVE_BYTES, ArchiveError, OpenZip, is_archive, is_junk, read_archive
from grader.batch.entry import Entry
from grader.batch.task import Task
from grader.errors import UsageError
from grader.submission import MAX_BYTES, MAX_FILES, SKIPPED_FOLDERS, SUFFIXES, Submission, max_file_bytes, read_file
from grader.text import one_line

MAX_MEMBERS = 500_000
Read = Callable[[str, int], "tuple[bytes | None, str]"]


@dataclass(frozen=True)
class Tree:
    """Paths with `/`, and a way to read one within a bound: its content, or None and the reason.

    `folders` are the folders at the top, also empty ones; `repositories` those of them that are git clones.
    """

    files: tuple[str, ...]
    folders: tuple[str, ...]
    refused: Mapping[str, str]
    repositories: frozenset[str]
    read: Read

    def inside(self, folder: str) -> Tree:
        """Return the tree in one of the folders at the top."""
        start = f"{folder}/"
        files = tuple(path.removeprefix(start) for path in self.files if path.startswith(start))
        return replace(
            self,
            files=files,
            folders=tuple(sorted({path.split("/")[0] for path in files if "/" in path})),
            refused={path.removeprefix(start): why for path, why in self.refused.items() if path.startswith(start)},
            repositories=frozenset(path.removeprefix(start) for path in self.repositories if path.startswith(start)),
            read=lambda path, limit: self.read(start + path, limit),
        )

    def files_of(self, folder: str) -> tuple[str, ...]:
        """Return the paths of the files in one of the folders at the top."""
        return self._by_folder.get(folder, ())

    @cached_property
    def _by_folder(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for path in self.files:
            folder, slash, _ = path.partition("/")
            if slash:
                found.setdefault(folder, []).append(path)
        return {folder: tuple(paths) for folder, paths in found.items()}


def open_tree(path: Path) -> Tree:
    """Look at a folder or a zip archive. Raises UsageError if it is neither."""
    shown = one_line(str(path), 300)
    if path.is_dir():
        return _open_folder(path)
    if path.is_file() and path.suffix.lower() == ".zip":
        try:
            return _open_zip(path)
        except (ArchiveError, zipfile.BadZipFile, OSError, ValueError) as error:
            raise UsageError(f"{shown} could not be read as a zip archive: {error}") from error
    raise UsageError(f"{shown} is not a folder of submissions, nor a zip archive with them")


def _open_folder(root: Path) -> Tree:
    files: list[str] = []
    refused: dict[str, str] = {}
    repositories: set[str] = set()
    top: list[str] = []
    for where, folders, names in os.walk(root):
        place = "" if Path(where) == root else Path(where).relative_to(root).as_posix() + "/"
        if ".git" in folders:
            repositories.add(place.rstrip("/"))
        for name in folders:
            if Path(where, name).is_symlink():
                refused[place + name] = "a link, which is not followed"
        folders[:] = sorted(name for name in folders if not _is_skipped(Path(where, name)))
        top = top if place else folders[:]
        files.extend(place + name for name in names if not is_junk(name))

    def read(path: str, limit: int) -> tuple[bytes | None, str]:
        return read_file(root / path, limit)

    return Tree(tuple(sorted(files)), tuple(top), MappingProxyType(refused), frozenset(repositories), read)


def _is_skipped(folder: Path) -> bool:
    return (
        folder.name.startswith(".")
        or folder.name in SKIPPED_FOLDERS
        or folder.is_symlink()
        or (folder / "pyvenv.cfg").exists()
    )


def _open_zip(path: Path) -> Tree:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        zipped = OpenZip(path, content, MAX_MEMBERS)
    paths = zipped.paths
    folders = sorted({name.split("/")[0] for name in paths if "/" in name} | zipped.folders)
    return Tree(tuple(paths), tuple(folders), MappingProxyType(zipped.refused), frozenset(), zipped.read)


_INSIDE = "an archive inside an archive is not opened; hand in one archive"


def read_entry(tree: Tree, entry: Entry) -> Task:
    """Return what there is to grade: at most MAX_FILES files and MAX_BYTES; the rest is refused with a reason."""
    files: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for inside, path in entry.files:
        if is_archive(inside):
            content, reason = tree.read(path, MAX_ARCHIVE_BYTES)
            if content is None:
                refused[inside] = reason
                continue
            try:
                found, missed = read_archive(content, _wanted)
            except ArchiveError as error:
                refused[inside] = str(error)
                continue
            refused |= {name: _INSIDE if is_archive(name) else why for name, why in missed.items()}
            for name, data in _unwrapped(found).items():
                if name.endswith(SUFFIXES):
                    files.setdefault(name, data)
        elif inside.endswith(SUFFIXES):
            content, reason = tree.read(path, max_file_bytes(inside))
            if content is None:
                refused[inside] = reason
            else:
                files[inside] = content
    kept = _bounded(_unwrapped(files), refused)
    submission = Submission(one_line(entry.name, 200), kept, refused, single=entry.is_single and len(kept) == 1)
    return Task(submission, entry.submitted_at)


def _wanted(name: str) -> int:
    if is_archive(name):
        return 1  # so that it is mentioned among the refused
    return max_file_bytes(name) if name.endswith(SUFFIXES) else 0


def _unwrapped(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Take off the folder that everything is in: the files in it then import one another as at home."""
    tops = {name.split("/")[0] for name in files}
    is_package = any(name.count("/") == 1 and name.endswith("/__init__.py") for name in files)
    if len(tops) == 1 and all("/" in name for name in files) and not is_package:
        return _unwrapped({name.partition("/")[2]: content for name, content in files.items()})
    return dict(files)


def _bounded(files: Mapping[str, bytes], refused: dict[str, str]) -> dict[str, bytes]:
    kept: dict[str, bytes] = {}
    room = MAX_BYTES
    for name, content in sorted(files.items()):
        if len(kept) == MAX_FILES:
            refused[name] = f"the submission holds more than {MAX_FILES} Python files"
        elif len(content) > room:
            refused[name] = f"the submission is larger than {MAX_BYTES // 1_000_000} MB in all"
        else:
            kept[name] = content
            room -= len(content)
    return kept
