"""Archives that students hand in, read in memory within limits: nothing is ever unpacked to a disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mmap
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any

from grader.errors import GraderError
from grader.submission import SKIPPED_FOLDERS
from grader.text import one_line

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".rar", ".7z")
MAX_ARCHIVE_BYTES = 64_000_000
MAX_UNPACKED_BYTES = 256_000_000  # of a tar, which can only be read from its beginning
MAX_MEMBERS = 10_000
MAX_RATIO = 1_000
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    OverflowError,
    ValueError,
    RuntimeError,  # an encrypted member, or a compression that is not known
    RecursionError,
    MemoryError,
)


class ArchiveError(GraderError):
    """An archive could not be read, for the reason that its text gives."""


Wanted = Callable[[str], int]
"""How many bytes of a member are wanted at most, by its path; 0 if it is not wanted at all."""


def is_archive(name: str) -> bool:
    """Whether a file's name says that it is an archive."""
    return name.lower().endswith(SUFFIXES)


def is_junk(path: str) -> bool:
    """Whether a path is what an operating system, an editor or a tool leaves behind, and no work of a student."""
    return any(part.startswith(".") or part in SKIPPED_FOLDERS for part in path.split("/"))


def read_archive(content: bytes, wanted: Wanted) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the wanted regular files of a zip or tar, and of those that were refused, why.

    Raises ArchiveError if it is no archive, is broken, or is larger than any honest one.
    """
    if len(content) > MAX_ARCHIVE_BYTES:
        raise ArchiveError(f"larger than {MAX_ARCHIVE_BYTES // 1_000_000} MB")
    try:
        if content[:4] in (b"PK\3\4", b"PK\5\6"):
            zipped = OpenZip(io.BytesIO(content), content, MAX_MEMBERS)
            files = {path: zipped.read(path, wanted(path)) for path in zipped.paths if wanted(path)}
            found = {path: data for path, (data, _) in files.items() if data is not None}
            refused = {path: reason for path, (data, reason) in files.items() if data is None}
            return found, {**zipped.refused, **refused}
        return _read_tar(content, wanted)
    except ArchiveError:
        raise
    except _BROKEN as error:
        raise ArchiveError(f"the archive is broken: {one_line(str(error), 200) or type(error).__name__}") from error


class OpenZip:
    """A zip whose directory was checked; members are read one by one, each within a bound.

    `paths` are its regular files, `refused` says of the other members why they are not among them. Raises
    ArchiveError for too many members and for members that overlap.
    """

    def __init__(self, file: IO[bytes] | Path, content: bytes | mmap.mmap, max_members: int) -> None:
        # Counted before the directory is parsed, which takes a kilobyte of memory for each entry.
        if _count(content, b"PK\1\2", max_members) > max_members:
            raise ArchiveError(f"the archive holds more than {max_members} files")
        self._zip = zipfile.ZipFile(file)
        self._members: dict[str, zipfile.ZipInfo] = {}
        self.refused: dict[str, str] = {}
        self.folders: set[str] = set()
        self._check_overlap()
        for info in self._zip.infolist():
            self._sort(info)

    @property
    def paths(self) -> list[str]:
        """The regular files that can be read."""
        return sorted(self._members)

    def read(self, path: str, limit: int) -> tuple[bytes | None, str]:
        """Return the content of a member, or None and the reason why not."""
        info = self._members[path]
        if info.file_size > limit:
            return None, f"larger than {limit // 1_000_000} MB"
        if info.file_size > 1_000_000 and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            return None, "it unpacks to more than any honest file"
        try:
            with self._zip.open(info) as file:
                content = file.read(limit + 1)
        except _BROKEN as error:
            return None, f"it is broken in the archive: {one_line(str(error), 200) or type(error).__name__}"
        return (content, "") if len(content) <= limit else (None, f"larger than {limit // 1_000_000} MB")

    def _check_overlap(self) -> None:
        end = 0
        for info in sorted(self._zip.infolist(), key=lambda info: info.header_offset):
            if info.header_offset < end:
                raise ArchiveError("the archive's members overlap, as in no honest one")
            end = info.header_offset + 30 + info.compress_size

    def _sort(self, info: zipfile.ZipInfo) -> None:
        path, mode = info.orig_filename, info.external_attr >> 16
        name = one_line(path, 200) or "a file without a name"
        if (problem := path_problem(path)) is not None:
            self.refused[name] = problem
        elif path.endswith("/"):
            self.folders.add(path.split("/")[0])
        elif is_junk(path):
            return
        elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            self.refused[name] = "not a regular file (a link, a device or a pipe)"
        elif info.flag_bits & 1:
            self.refused[name] = "encrypted; hand it in without a password"
        elif path in self._members or path in self.refused:
            self._members.pop(path, None)
            self.refused[name] = "two files of this name are in the archive"
        else:
            self._members[path] = info


def path_problem(path: str) -> str | None:
    """Say what is wrong with a member's path, if it would leave the archive or means different things elsewhere."""
    parts = path.rstrip("/").split("/")
    if not path or "\0" in path:
        return "its name is empty or cut by a NUL"
    if path.startswith("/") or "\\" in path or (len(path) > 1 and path[1] == ":") or ".." in parts:
        return "its path leads out of the archive"
    if len(path) > 500 or any(unicodedata.category(character) == "Cc" for character in path):
        return "its name is longer than 500 characters or holds control characters"
    return None


def _read_tar(content: bytes, wanted: Wanted) -> tuple[dict[str, bytes], dict[str, str]]:
    files: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    stream: Any = _Bounded(_decompress(content))
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for number, member in enumerate(archive, start=1):
            if number > MAX_MEMBERS:
                raise ArchiveError(f"the archive holds more than {MAX_MEMBERS} files")
            path = str(PurePosixPath(member.name)) if member.name.startswith("./") else member.name
            if (problem := path_problem(path)) is not None:
                refused[one_line(path, 200)] = problem
            elif member.isdir() or is_junk(path):
                continue
            elif not member.isreg():
                refused[one_line(path, 200)] = "not a regular file (a link, a device or a pipe)"
            elif path in files or path in refused:
                files.pop(path, None)
                refused[path] = "two files of this name are in the archive"
            elif limit := wanted(path):
                if member.size > limit:
                    refused[path] = f"larger than {limit // 1_000_000} MB"
                elif (file := archive.extractfile(member)) is not None:
                    files[path] = file.read(limit)
    return files, refused


def _decompress(content: bytes) -> Any:
    raw = io.BytesIO(content)
    if content[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=raw)
    if content[:3] == b"BZh":
        return bz2.BZ2File(raw)
    if content[:6] == b"\xfd7zXZ\0":
        return lzma.LZMAFile(raw)
    if content[257:262] == b"ustar":
        return raw
    raise ArchiveError("neither a zip nor a tar archive; hand in a zip")


class _Bounded:
    """A stream that ends in an error where an honest archive has long ended."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._left = MAX_UNPACKED_BYTES

    def read(self, size: int) -> bytes:
        part: bytes = self._stream.read(min(size, self._left + 1))
        self._left -= len(part)
        if self._left < 0:
            raise ArchiveError(f"the archive unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB")
        return part


def _count(content: bytes | mmap.mmap, sign: bytes, enough: int) -> int:
    found, place = 0, content.find(sign)
    while place >= 0 and found <= enough:
        found += 1
        place = content.find(sign, place + 1)
    return found
