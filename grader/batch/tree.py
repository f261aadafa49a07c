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

from grader.batch.archives import ArchiveError, OpenZip, is_junk
from grader.errors import UsageError
from grader.submission import SKIPPED_FOLDERS, read_file
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
