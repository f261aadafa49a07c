"""What is in a submission: the Python files that are to be graded, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.batch.archives import ArchiveError, is_archive
from grader.batch.entry import Entry
from grader.batch.task import Task
from grader.batch.tree import File, Folder, stem, unpack
from grader.batch.versions import newest_version
from grader.submission import MAX_BYTES, MAX_FILES, SUFFIXES, Submission, max_file_bytes
from grader.text import one_line

MAX_TRIED = 2 * MAX_FILES  # a broken file costs as much as a good one
MAX_NESTED = 3
MAX_ARCHIVES = 20
_TOO_MANY = f"the submission holds more than {MAX_FILES} Python files"
KINDS = {
    ".pdf": "a PDF",
    ".doc": "a Word document",
    ".docx": "a Word document",
    ".odt": "a text document",
    ".rtf": "a text document",
    ".png": "a picture",
    ".jpg": "a picture",
    ".jpeg": "a picture",
    ".heic": "a picture",
    ".html": "a web page",
    ".htm": "a web page",
    ".pyc": "compiled Python",
    ".url": "a link",
    ".webloc": "a link",
    ".gdoc": "a link",
    ".lnk": "a link",
    ".gz": "an archive that is not opened here; hand in a zip",
    ".xz": "an archive that is not opened here; hand in a zip",
    ".zst": "an archive that is not opened here; hand in a zip",
    ".dmg": "an archive that is not opened here; hand in a zip",
    ".001": "a part of an archive; hand in one zip that is whole",
    ".002": "a part of an archive; hand in one zip that is whole",
    ".z01": "a part of an archive; hand in one zip that is whole",
    ".pages": "a document",
    ".py3": "let its name end in .py",
    ".pyw": "let its name end in .py",
}


def read_entry(entry: Entry) -> Task:
    """Return what there is to grade: at most MAX_FILES files and MAX_BYTES; the rest is refused with a reason."""
    newest, older = newest_version(entry.files)
    taken = _Taken({**entry.refused, **older})
    taken.take(newest, depth=0)
    files = _unwrapped(taken.files)
    submission = Submission(one_line(entry.name, 200), files, taken.refused)
    problem = entry.problem if entry.problem is not None or files else _say_nothing(taken)
    return Task(submission, entry.submitted_at, problem=problem)


@dataclass
class _Taken:
    """What was taken so far of one submission; `others` are the names of files that are no work."""

    refused: dict[str, str]
    files: dict[str, bytes] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    archives: int = 0
    tried: int = 0
    room: int = MAX_BYTES

    def take(self, files: tuple[tuple[str, File], ...], depth: int, around: str = "") -> None:
        opened: list[tuple[str, Folder]] = []
        for path, file in files:
            if path.endswith(SUFFIXES):
                self._take_file(around + path, file)
            elif is_archive(path):
                opened.extend(self._open(around + path, file, depth))
            else:
                self.others.append(around + path)
        for path, folder in opened:
            # Beside other work an archive is a folder of its name, so that nothing in it hides anything.
            inner, older = newest_version(tuple(folder.walk()))
            names = {name for name, _ in _unwrapped_names(inner)}
            is_free = names.isdisjoint(self.files)
            refused = [*folder.walk_refused(), *older.items()]
            self.refused |= {self._as_refused(path, name): why for name, why in refused}
            self.take(_unwrapped_names(inner), depth + 1, "" if is_free else f"{stem(path)}/")

    def _take_file(self, path: str, file: File) -> None:
        self.tried += 1
        if len(self.files) == MAX_FILES or self.tried > MAX_TRIED:
            self.refused.setdefault(path if self.tried <= MAX_TRIED else "the rest", _TOO_MANY)
            return
        content, reason = file.read(max_file_bytes(path))
        if content is None:
            self.refused[path] = reason
        elif len(content) > self.room:
            self.refused[path] = f"the submission is larger than {MAX_BYTES // 1_000_000} MB in all"
        else:
            self.files[path] = content
            self.room -= len(content)

    def _open(self, path: str, file: File, depth: int) -> list[tuple[str, Folder]]:
        self.archives += 1
        if depth == MAX_NESTED:
            self.refused[path] = f"archives inside one another are opened {MAX_NESTED} deep; hand in one archive"
        elif self.archives > MAX_ARCHIVES:
            self.refused[path] = f"the submission holds more than {MAX_ARCHIVES} archives; hand in one"
        else:
            try:
                return [(path, unpack(file))]
            except ArchiveError as error:
                self.refused[path] = str(error)
        return []

    def _as_refused(self, archive: str, path: str) -> str:
        return path if path not in self.refused else f"{archive}/{path}"


def kind_of(name: str) -> str | None:
    """Say what a file is that is no work, None if its name does not tell."""
    lower = name.lower()
    if lower.endswith(tuple(f"{suffix}{more}" for suffix in SUFFIXES for more in (".txt", ".json"))):
        return f"rename it to {one_line(name.rpartition('.')[0].rpartition('/')[2], 100)}"
    return next((said for ending, said in KINDS.items() if lower.endswith(ending)), None)


def _say_nothing(taken: _Taken) -> str:
    said = [f"{one_line(name, 100)} could not be read: {reason}" for name, reason in taken.refused.items()]
    if taken.others:
        shown = [f"{one_line(name, 100)}{_in_brackets(_advice(name))}" for name in taken.others[:3]]
        more = f" and {len(taken.others) - 3} more" if len(taken.others) > 3 else ""
        said.append(f"no Python file, notebook or archive in it, only {', '.join(shown)}{more}")
    return one_line("; ".join(said), 500) or "no Python file, notebook or archive in it"


def _advice(name: str) -> str | None:
    """Say what a file is, or what to do with it if it may be work all the same."""
    is_text = name.lower().endswith((".txt", ".json"))
    return kind_of(name) or ("if it holds the functions, let its name end in .py or .ipynb" if is_text else None)


def _in_brackets(said: str | None) -> str:
    return f" ({said})" if said is not None else ""


def _unwrapped_names(files: tuple[tuple[str, File], ...]) -> tuple[tuple[str, File], ...]:
    """Take off the folder that all work in an archive is in."""
    work = {path: b"" for path, _ in files if path.endswith(SUFFIXES) or is_archive(path)}
    length = _wrapping(work)
    return tuple((path[length:] if path in work else path, file) for path, file in files)


def _unwrapped(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Take off the folder that everything is in: the files in it then import one another as at home."""
    length = _wrapping(files)
    return {path[length:]: content for path, content in sorted(files.items())}


def _wrapping(paths: Mapping[str, bytes]) -> int:
    """Return how many characters of all paths are of the folders that everything is in."""
    length = 0
    while paths:
        rest = [path[length:] for path in paths]
        first = rest[0].partition("/")[0]
        is_package = f"{first}/__init__.py" in rest
        if is_package or not all(path.startswith(f"{first}/") for path in rest):
            break
        length += len(first) + 1
    return length
