"""The files of one submission as bytes, out of folders and archives; nothing in them is parsed here."""

from __future__ import annotations

from collections.abc import Mapping

from grader.batch.archives import MAX_ARCHIVE_BYTES, ArchiveError, is_archive, read_archive
from grader.batch.entry import Entry
from grader.batch.order import Task
from grader.batch.tree import Tree
from grader.submission import MAX_BYTES, MAX_FILES, SUFFIXES, max_file_bytes
from grader.text import one_line

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
    return Task(one_line(entry.name, 200), kept, refused, entry.is_single and len(kept) == 1, entry.submitted_at)


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
