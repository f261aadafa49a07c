"""The results folder: what was graded, from what, and what became of it; a kill at any moment loses nothing.

A submission's record is written after its result and its report, so it vouches for both. Every file is
written beside its place and then moved there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grader.course.graph import Graph, NamedValue
from grader.errors import UsageError
from grader.rules import OLDEST
from grader.text import one_line

RECORDS, GRAPHS = ".records", ".graphs.json"
# So many that nobody can try them all with the numbers of a report, and each still a number that JSON can hold.
SEEDS = 2**53


@dataclass(frozen=True)
class Record:
    """What a submission's result was made from (`key`), and what came of it.

    There is a `problem` where nothing could be graded, and a score with it if a person has given points all the
    same. `handed_in` are the assignments of which there was something; `history` has one event for each time that
    it was graded. `is_final` is not set where a fault of the grader left something unjudged.
    `lines` are the lines of code that made wrong gradients, by function and gradient, for the class report.
    """

    key: Mapping[str, Any]
    score: float | None
    problem: str | None = None
    is_final: bool = True
    submission: str = ""
    handed_in: Sequence[str] = ()
    history: Sequence[Mapping[str, Any]] = ()
    lines: Mapping[str, str] = field(default_factory=dict)


class Store:
    """One results folder; `shard` keeps the unfinished files of parallel batches apart."""

    def __init__(self, out: Path, shard: int = 0) -> None:
        self.out = out
        self._shard = shard
        self._lock: int | None = None

    def create(self) -> None:
        """Make the folders. Raises UsageError if that is not allowed here."""
        try:
            for part in ("results", "reports", RECORDS):
                (self.out / part).mkdir(parents=True, exist_ok=True)
            probe = self.out / RECORDS / f".{self._shard}.probe"
            probe.write_bytes(b"")
            probe.unlink()
            if self._lock is None:
                self._lock = _locked(self.out / RECORDS / f".{self._shard}.lock")
                if self._lock is not None:
                    weakref.finalize(self, os.close, self._lock)  # and it ends with this process, however that ends
        except BlockingIOError as error:
            text = f"another batch is writing to {self.out}; wait until it has ended, or give another --out"
            raise UsageError(text) from error
        except OSError as error:
            raise UsageError(f"{self.out} cannot be written to: {error.strerror}; give another --out") from error

    def result_path(self, file: str) -> Path:
        """Return where the result of a submission is."""
        return self.out / "results" / f"{file}.json"

    def report_path(self, file: str) -> Path:
        """Return where the report of a submission is."""
        return self.out / "reports" / f"{file}.html"

    @property
    def class_path(self) -> Path:
        """Where the class as a whole is kept, for the next class report to stand beside it."""
        return self.out / RECORDS / ".class.json"

    def keep_graphs(self, graphs: Mapping[str, Graph]) -> None:
        """Keep the graphs of functions, beside those of others, for the class report."""
        kept = {**self.graphs(), **graphs}
        content = {name: [[value.name, value.reads] for value in graph.values] for name, graph in kept.items()}
        self.write(self.out / RECORDS / GRAPHS, json.dumps(content) + "\n")

    def graphs(self) -> dict[str, Graph]:
        """Return the graphs that are kept, by function; none where they cannot be read."""
        found = read_json(self.out / RECORDS / GRAPHS)
        try:
            return {
                str(name): Graph(tuple(NamedValue(str(value), (), tuple(map(str, reads))) for value, reads in values))
                for name, values in (found.items() if isinstance(found, dict) else ())
            }
        except (TypeError, ValueError):  # of another version
            return {}

    def result(self, file: str) -> dict[str, Any] | None:
        """Return a submission's result, if there is one that can be read."""
        found = read_json(self.result_path(file))
        return found if isinstance(found, dict) else None

    def record(self, file: str) -> Record | None:
        """Return a submission's record, if there is one and what it vouches for is still there."""
        found = read_json(self._record_path(file))
        try:
            record = Record(**found) if isinstance(found, dict) else None
        except TypeError:  # of another version
            return None
        has_result = record is not None and (record.problem is None or record.score is not None)
        return None if has_result and not self.result_path(file).is_file() else record

    def records(self) -> Iterator[Record]:
        """Yield the records of all submissions, also of those that are no longer among them."""
        for path in sorted((self.out / RECORDS).glob("*.json")):
            record = self.record(path.name.removesuffix(".json"))
            if record is not None:
                yield record

    def keep(self, file: str, record: Record, result: str | None, report: str | None) -> None:
        """Keep what came of a submission, the record last."""
        for path, content in ((self.result_path(file), result), (self.report_path(file), report)):
            if content is not None:
                self.write(path, content)
        self.write(self._record_path(file), json.dumps(asdict(record)) + "\n")
        if result is None:
            self.result_path(file).unlink(missing_ok=True)
            self.report_path(file).unlink(missing_ok=True)

    def read_batch(self) -> dict[str, Any]:
        """Return what batch.json says, or nothing. Raises UsageError if it is not one of ours."""
        path = self.out / "batch.json"
        if not path.is_file():
            return {}
        found = read_json(path)
        if not isinstance(found, dict) or found.get("format") != 1 or not _has_numbers(found):
            raise UsageError(f"{path} is not from this grader, or broken; move it away or give another --out")
        return found

    def settle_seed(self, seed: int | None) -> int:
        """Return the seed of this folder, drawing one if there is none; of several batches at once, one draws."""
        kept = self.read_batch().get("seed")
        if seed is None and kept is None:
            path = self.out / RECORDS / ".seed"
            drawn = self.out / RECORDS / f".seed.{self._shard}.{os.getpid()}"
            drawn.write_text(str(draw_seed()), encoding="ascii")
            try:
                os.link(drawn, path)  # which fails if another batch was first
            except FileExistsError:
                pass
            except OSError:  # a file system without links
                drawn.replace(path)
            drawn.unlink(missing_ok=True)
            return int(path.read_text(encoding="ascii"))
        return seed if seed is not None else int(kept or 0)

    def write(self, path: Path, content: str, encoding: str = "utf-8") -> None:
        """Write a file whole or not at all."""
        unfinished = path.with_name(f".{path.name[:200]}.{self._shard}.new")
        try:
            with unfinished.open("w", encoding=encoding, newline="") as file:
                file.write(content)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise

    def _record_path(self, file: str) -> Path:
        return self.out / RECORDS / f"{file}.json"


def _locked(path: Path) -> int | None:
    """Return a descriptor with a lock, None where there are none. Raises BlockingIOError if another batch has it."""
    try:
        import fcntl
    except ImportError:  # Windows has none
        return None
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if isinstance(error, BlockingIOError):
            raise
        return None  # a file system without locks
    return lock


def _has_numbers(batch: Mapping[str, Any]) -> bool:
    return isinstance(batch.get("seed"), int) and isinstance(batch.get("rules", OLDEST), int)


def draw_seed() -> int:
    """Return a seed that nobody knows."""
    return secrets.randbelow(SEEDS)


def read_json(path: Path) -> Any:
    """Return what a JSON file holds, None if it is not there or not JSON."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


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
