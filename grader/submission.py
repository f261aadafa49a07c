"""A submission: the folder or file that one student handed in, read as bytes and never parsed here."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import MappingProxyType

from grader.errors import SubmissionError, UsageError
from grader.text import clean, one_line

MAX_FILES = 200
MAX_FILE_BYTES = 1_000_000
MAX_NOTEBOOK_BYTES = 16_000_000  # most of it is pictures, which nobody looks at
MAX_BYTES = 24_000_000
SUFFIXES = (".py", ".ipynb")
NOTEBOOK_DOWNLOAD = "give the notebook itself (in Jupyter: File, Download; in Colab: File, Download, Download .ipynb)"
# A browser, an editor or a mail program adds to a name, or writes it in capitals: linear.py.txt, HW.IPYNB.
_HIDDEN_SUFFIX = re.compile(r"(.+)(\.(?:py|ipynb))(?:[.\s].*)?", re.IGNORECASE)
_WRITES_FILE = re.compile(r"\s*%%(?:write)?file\b")
SKIPPED_FOLDERS = frozenset({"__pycache__", "__MACOSX", "node_modules", "site-packages", "venv"})


@dataclass(frozen=True)
class Submission:
    """The Python files and notebooks of one student, by their path inside the submission.

    `refused` says of a file that could not be taken why not; `single` is set if one file was handed in. In the file
    `first` a function is looked for before its home: what a notebook has run counts before a file beside it.
    """

    name: str
    files: Mapping[str, bytes]
    refused: Mapping[str, str]
    single: bool = False
    first: str = ""


def read_submission(path: Path) -> Submission:
    """Read a folder, with the folders in it, or one file.

    Links, devices and pipes are not followed or opened. Raises UsageError if the path is not there, and
    SubmissionError if it is no place for a submission or holds far more than one.
    """
    check_path(path)
    name = one_line(path.resolve().name, 200)
    if path.is_dir():
        files, refused = _read_all(path)
        if not files and not refused and (stranger := _find_stranger(path)):
            raise SubmissionError(f"{name} holds no Python file; {explain_suffix(one_line(stranger, 200))}")
        return Submission(name, MappingProxyType(files), MappingProxyType(refused))
    if path.suffix not in SUFFIXES:
        raise SubmissionError(explain_suffix(name))
    content, reason = read_file(path)
    own = _shown(path.name)
    found, missed = ({}, {own: reason}) if content is None else ({own: content}, {})
    return Submission(name, MappingProxyType(found), MappingProxyType(missed), single=True)


def read_session(folder: Path, notebook: str, cells: Sequence[str], imported: Sequence[str]) -> Submission:
    """Take what a notebook has run, cell by cell, and the Python files beside it.

    `imported` are files further down in the folder that it has imported from.
    """
    last = {cell: number for number, cell in enumerate(cells)}
    # A cell that ran again as it was counts once. What one writes into a file is there, and may be changed by now.
    is_left_out = [last[cell] != number or bool(_WRITES_FILE.match(cell)) for number, cell in enumerate(cells)]
    cells = ["" if left_out else cell for cell, left_out in zip(cells, is_left_out, strict=True)]
    own = _shown(notebook)
    files, refused = {}, {}
    if any(map(str.strip, cells)):
        content = {"cells": [{"cell_type": "code", "source": cell} for cell in cells]}
        files[own] = json.dumps(content).encode()
    beside = sorted(each.name for each in folder.glob("*.py") if not each.name.startswith("."))
    # A notebook may lie in a folder of everything; what is not imported is there for the functions in it.
    for name in list(dict.fromkeys([*imported, *beside]))[: MAX_FILES - 1]:
        found, reason = read_file(folder / name)
        if found is None:
            refused[_shown(name)] = reason
        elif sum(map(len, files.values())) + len(found) <= MAX_BYTES:
            files[_shown(name)] = found
    return Submission(one_line(notebook, 200), MappingProxyType(files), MappingProxyType(refused), True, own)


def check_path(path: Path) -> None:
    """Raise UsageError if a path does not lead to anything."""
    if not is_there(path):
        raise UsageError(f"{one_line(str(path), 300)} is not there; give the folder or the file with your functions")


def explain_suffix(name: str) -> str:
    """Say why a file of this name is no Python file or notebook, and how to get one."""
    found = _HIDDEN_SUFFIX.match(name)
    if found:
        kind = "Python file" if found[2].lower() == ".py" else "notebook"
        return f"{name} is not a {kind} by its name; rename it to {found[1]}{found[2].lower()}"
    suffix = PurePath(name.lower()).suffix
    if suffix in (".html", ".htm"):
        return f"{name} is not a notebook but a page made from one; {NOTEBOOK_DOWNLOAD}"
    if suffix in (".pdf", ".doc", ".docx", ".odt", ".rtf", ".pages"):
        return f"{name} is not a Python file but a document; give a .py file, or {NOTEBOOK_DOWNLOAD}"
    if suffix in (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"):
        return f"{name} is not a Python file but an archive; unpack it and give the folder (of a class: `grade batch`)"
    if suffix in (".txt", ".md", ".json", ""):
        return f"{name} is not a Python file by its name; if it holds your functions, let its name end in .py or .ipynb"
    return f"{name} is not a Python file; give a .py file, a notebook or the folder that holds them"


def _find_stranger(folder: Path) -> str:
    """Return the name of a file in a folder without Python that may have been meant to be it, or nothing."""
    names = sorted(each.name for each in folder.iterdir() if each.is_file() and not each.name.startswith("."))
    documents = (".html", ".htm", ".pdf", ".doc", ".docx", ".odt", ".rtf", ".txt", ".zip")
    likely = [name for name in names if _HIDDEN_SUFFIX.match(name)]
    return next(iter([*likely, *(name for name in names if name.lower().endswith(documents))]), "")


def _shown(name: str) -> str:
    # On Linux a name is any bytes, and those that are no text could be written into no report.
    return clean(name, 5_000).replace("\n", " ").replace("\t", " ")


def is_there(path: Path) -> bool:
    """Return whether a path leads to anything."""
    try:
        return path.exists()
    except OSError:  # a name that is too long, a folder that may not be searched
        return False


def _read_all(folder: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    files: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for number, path in enumerate(_python_files(folder), start=1):
        if number > MAX_FILES:
            where = one_line(str(folder), 300)
            text = f"{where} holds more than {MAX_FILES} Python files; give the folder with your functions only"
            raise SubmissionError(text)
        inside = _shown(path.relative_to(folder).as_posix())
        if inside in files or inside in refused:
            continue  # two names that differ in what cannot be shown: the first counts
        content, reason = read_file(path)
        if content is None:
            refused[inside] = reason
        elif sum(map(len, files.values())) + len(content) > MAX_BYTES:
            refused[inside] = f"the submission is larger than {MAX_BYTES // 1_000_000} MB in all"
        else:
            files[inside] = content
    return files, refused


def _python_files(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in SKIPPED_FOLDERS
            and not name.startswith(".")
            and not (Path(where, name) / "pyvenv.cfg").exists()
        )
        yield from (Path(where, name) for name in sorted(names) if name.endswith(SUFFIXES) and not name.startswith("."))


def read_file(path: Path, limit: int | None = None) -> tuple[bytes | None, str]:
    """Return the content of a regular file, or None and the reason; `limit` is by default the one of its name."""
    limit = max_file_bytes(path.name) if limit is None else limit
    try:
        # Looked at before it is opened: opening a pipe would wait for ever.
        if not stat.S_ISREG(path.lstat().st_mode):
            return None, "not a regular file (a link, a device or a pipe)"
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        return None, f"it could not be opened: {error.strerror}"
    if len(content) > limit:
        advice = "; clear the outputs of all its cells and save it"
        if path.suffix != ".ipynb":
            advice = "; keep data out of the file with your functions, and hand in that"
        return None, f"larger than {limit // 1_000_000} MB{advice}"
    return content, ""


def max_file_bytes(name: str) -> int:
    """Return how large a file of this name may be."""
    return MAX_NOTEBOOK_BYTES if name.endswith(".ipynb") else MAX_FILE_BYTES
