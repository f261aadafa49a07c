"""Archives that are handed in or downloaded, read within limits: no member of one ever becomes a file on a disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mmap
import re
import stat
import struct
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from grader.errors import GraderError
from grader.text import decode_name, one_line

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".rar", ".7z")
MAX_RATIO = 1_000
SMALL_TAR = 16_000_000  # a larger one unpacks to MAX_TAR_RATIO times its size at most
MAX_TAR_RATIO = 200
MAX_PARTS = 10_000  # gzip, bzip2 and xz are read part by part; a million empty ones take seconds
MAX_HEADERS = 8_000_000  # in all, and a kilobyte for each member more
MAX_PATH = 4_000
MAX_NAME = 500
MEGABYTE = 1_000_000
_DIGITS = re.compile(rb"\d{100}")
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
_COMPRESSED: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b\x08": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_OTHERS = {
    b"Rar!": "a RAR archive, which is not opened here; hand in a zip",
    b"7z\xbc\xaf": "a 7-Zip archive, which is not opened here; hand in a zip",
    b"%PDF": "a PDF and no archive; hand in a zip",
}


class ArchiveError(GraderError):
    """An archive could not be read, for the reason that its text gives."""


@dataclass(frozen=True)
class Limits:
    """How large an archive may be; `unpacked` is of a tar, which has to be unpacked to be read."""

    packed: int
    unpacked: int
    members: int


HANDED_IN = Limits(packed=64 * MEGABYTE, unpacked=256 * MEGABYTE, members=10_000)
PEEKED = Limits(packed=1 << 40, unpacked=256 * MEGABYTE, members=100_000)  # a class may be in it
DOWNLOADED = Limits(packed=1 << 40, unpacked=8_000 * MEGABYTE, members=500_000)


class Archive(Protocol):
    """An open archive: its regular files by their path, its folders, and of other members why they are refused."""

    paths: dict[str, Any]
    folders: set[str]
    refused: dict[str, str]

    def read(self, path: str, limit: int) -> tuple[bytes | None, str]:
        """Return the content of a file, or None and the reason why not."""


def is_archive(name: str) -> bool:
    """Whether a file's name says that it is an archive."""
    return name.lower().endswith(SUFFIXES)


def open_archive(source: bytes | Path, limits: Limits = HANDED_IN) -> Archive:
    """Open a zip or a tar, whatever it is called.

    Raises ArchiveError if it is neither, is broken, or is larger than any honest one.
    """
    try:
        with _bytes_of(source) as content:
            if len(content) > limits.packed:
                raise ArchiveError(f"larger than {limits.packed // MEGABYTE} MB")
            if content[:4] in (b"PK\3\4", b"PK\5\6"):
                return OpenZip(source, content, limits)
            return OpenTar(source, content, limits)
    except ArchiveError:
        raise
    except _BROKEN as error:
        raise ArchiveError(f"the archive is broken: {one_line(str(error), 200) or type(error).__name__}") from error


@contextmanager
def _bytes_of(source: bytes | Path) -> Iterator[bytes | mmap.mmap]:
    if isinstance(source, bytes):
        yield source
    elif source.stat().st_size == 0:  # which cannot be mapped
        yield b""
    else:
        with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield content


class OpenZip:
    """A zip whose directory was checked; members are read one by one, each within a bound."""

    def __init__(self, source: bytes | Path, content: bytes | mmap.mmap, limits: Limits) -> None:
        # Counted before the directory is parsed, which takes a kilobyte of memory for each entry.
        if _count(content, b"PK\1\2", limits.members) > limits.members:
            raise ArchiveError(f"the archive holds more than {limits.members} files")
        self._zip = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
        self.paths: dict[str, zipfile.ZipInfo] = {}
        self.folders: set[str] = set()
        self.refused: dict[str, str] = {}
        self._check_overlap()
        for info in self._zip.infolist():
            self._sort(info)

    def read(self, path: str, limit: int) -> tuple[bytes | None, str]:
        """Return the content of a file, or None and the reason why not."""
        info = self.paths[path]
        if info.file_size > limit:
            return None, f"larger than {limit // MEGABYTE} MB"
        if info.file_size > MEGABYTE and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            return None, "it unpacks to more than any honest file"
        try:
            with self._zip.open(info) as file:
                content = file.read(limit + 1)
        except _BROKEN as error:
            return None, f"it is broken in the archive: {one_line(str(error), 200) or type(error).__name__}"
        return (content, "") if len(content) <= limit else (None, f"larger than {limit // MEGABYTE} MB")

    def _check_overlap(self) -> None:
        end = 0
        for info in sorted(self._zip.infolist(), key=lambda info: info.header_offset):
            if info.header_offset < end:
                raise ArchiveError("the archive's members overlap, as in no honest one")
            end = info.header_offset + 30 + info.compress_size

    def _sort(self, info: zipfile.ZipInfo) -> None:
        # Older programs on Windows separate folders by backslashes.
        path, mode = _zip_name(info).replace("\\", "/"), info.external_attr >> 16
        if (problem := path_problem(path)) is not None:
            self.refused[_refused_as(path)] = problem
        elif path.endswith("/"):
            self.folders.add(_plain_path(path))
        elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            self.refused[_plain_path(path)] = "not a regular file (a link, a device or a pipe)"
        elif info.flag_bits & 1:
            self.refused[_plain_path(path)] = "encrypted; hand it in without a password"
        else:
            _add(self, _plain_path(path), info)


class _CheckedMember(tarfile.TarInfo):
    """A member of a tar whose extended header is looked at before tarfile searches it.

    Some Pythons search it with patterns that take forever on many digits.
    """

    def _proc_pax(self, tar: Any) -> tarfile.TarInfo:
        start = tar.fileobj.tell()
        header = tar.fileobj.read(min(self.size, MAX_HEADERS))
        tar.fileobj.seek(start)
        tar.header_bytes = getattr(tar, "header_bytes", 0) + self.size
        if tar.header_bytes > MAX_HEADERS + 1_000 * len(tar.members) or _DIGITS.search(header):
            raise ArchiveError("its extended headers are longer than those of any honest archive")
        return super()._proc_pax(tar)  # type: ignore[misc, no-any-return] # typeshed leaves it out


class OpenTar:
    """A tar, unpacked as a whole into memory or a temporary file without a name, and read member by member."""

    def __init__(self, source: bytes | Path, content: bytes | mmap.mmap, limits: Limits) -> None:
        self._file = _unpacked(source, content, limits)
        self._tar = tarfile.open(  # noqa: SIM115 # read from as long as this lives
            fileobj=self._file, mode="r:", encoding="utf-8", errors="surrogateescape", tarinfo=_CheckedMember
        )
        self.paths: dict[str, tarfile.TarInfo] = {}
        self.folders: set[str] = set()
        self.refused: dict[str, str] = {}
        for number, member in enumerate(self._tar, start=1):
            if number > limits.members:
                raise ArchiveError(f"the archive holds more than {limits.members} files")
            if member.size < 0:  # which leads back to where it came from
                raise ArchiveError("the archive is broken: a file in it has a size below zero")
            self._sort(member)

    def __del__(self) -> None:
        # As a zip does; there is no other end to what entries read from.
        if hasattr(self, "_file"):
            self._file.close()

    def read(self, path: str, limit: int) -> tuple[bytes | None, str]:
        """Return the content of a file, or None and the reason why not."""
        if self.paths[path].size > limit:
            return None, f"larger than {limit // MEGABYTE} MB"
        try:
            file = self._tar.extractfile(self.paths[path])
            assert file is not None
            return file.read(limit), ""
        except _BROKEN as error:
            return None, f"it is broken in the archive: {one_line(str(error), 200) or type(error).__name__}"

    def _sort(self, member: tarfile.TarInfo) -> None:
        path = decode_name(member.name.encode(errors="surrogateescape"))
        if (problem := path_problem(path)) is not None:
            self.refused[_refused_as(path)] = problem
        elif member.isdir():
            self.folders.add(_plain_path(path))
        elif not member.isreg():
            self.refused[_plain_path(path)] = "not a regular file (a link, a device or a pipe)"
        else:
            _add(self, _plain_path(path), member)


def path_problem(path: str) -> str | None:
    """Say what is wrong with a member's path, if it would leave the archive or means different things elsewhere."""
    parts = path.rstrip("/").split("/")
    if not path or "\0" in path:
        return "its name is empty or cut by a NUL"
    if path.startswith("/") or "\\" in path or (len(path) > 1 and path[1] == ":") or ".." in parts:
        return "its path leads out of the archive"
    if len(path) > MAX_PATH or any(len(part) > MAX_NAME for part in parts):
        return f"its name is longer than {MAX_NAME} characters, or its path than {MAX_PATH}"
    if any(unicodedata.category(character) == "Cc" for character in parts[-1]):
        return "its name holds control characters"
    return None


def _add(archive: OpenZip | OpenTar, path: str, member: Any) -> None:
    if path in archive.paths or path in archive.refused:
        archive.paths.pop(path, None)
        archive.refused[path] = "two files of this name are in the archive"
    else:
        archive.paths[path] = member


def _plain_path(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _refused_as(path: str) -> str:
    """Return what to call a member with such a path: as it is in the folders it names, if these can be shown."""
    folders, name = path.rstrip("/").rpartition("/")[::2]
    shown = one_line(name, 200) or "a file without a name"
    is_safe = folders and path_problem(folders) is None
    return f"{_plain_path(folders)}/{shown}" if is_safe else one_line(path, 200) or shown


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name, which many programs write in an encoding of their own and do not say which."""
    name = info.orig_filename
    return name if name.isascii() or info.flag_bits & 0x800 else decode_name(name.encode("cp437", errors="replace"))


def _unpacked(source: bytes | Path, content: bytes | mmap.mmap, limits: Limits) -> IO[bytes]:
    start = next((start for start in _COMPRESSED if content[: len(start)] == start), None)
    raw: IO[bytes] = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    if start is None:
        if content[257:262] == b"ustar":
            return raw
        raw.close()
        said = next((said for start, said in _OTHERS.items() if content[: len(start)] == start), None)
        raise ArchiveError(said or "neither a zip nor a tar archive; hand in a zip")
    with raw, ExitStack() as closed_on_error:
        if _count(content, start, MAX_PARTS) > MAX_PARTS:
            raise ArchiveError(f"it is packed in more than {MAX_PARTS} parts, as no honest archive")
        file: IO[bytes] = io.BytesIO() if isinstance(source, bytes) else tempfile.TemporaryFile()  # noqa: SIM115 # closed with the archive
        closed_on_error.enter_context(file)
        stream = _COMPRESSED[start](raw)
        most = min(limits.unpacked, max(SMALL_TAR, MAX_TAR_RATIO * len(content)))
        while part := stream.read(MEGABYTE):
            file.write(part)
            if file.tell() > most:
                raise ArchiveError(f"the archive unpacks to more than {most // MEGABYTE} MB")
        closed_on_error.pop_all()
    file.seek(0)
    return file


def _count(content: bytes | mmap.mmap, sign: bytes, enough: int) -> int:
    found, place = 0, content.find(sign)
    while place >= 0 and found <= enough:
        found += 1
        place = content.find(sign, place + 1)
    return found
