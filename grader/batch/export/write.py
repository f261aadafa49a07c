"""Export: from a results folder, or one result, to the files of another system."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.batch.export import canvas, moodle
from grader.batch.export.feedback_zip import write_feedback_zip
from grader.batch.export.github import as_github
from grader.batch.export.gradescope import as_gradescope
from grader.batch.export.junit import as_junit
from grader.batch.export.markdown import as_markdown
from grader.batch.export.sheet import Filled
from grader.batch.export.table import as_table
from grader.batch.gradebook import Row, read_rows
from grader.batch.history import log_csv
from grader.batch.store import Store, read_json
from grader.errors import UsageError
from grader.text import one_line

FORMATS = ("canvas", "moodle", "gradescope", "github", "markdown", "junit", "csv", "log")
FILLS: dict[str, Callable[..., Filled]] = {"canvas": canvas.fill, "moodle": moodle.fill}
SHEETS: dict[str, Callable[..., str]] = {"canvas": canvas.as_sheet, "moodle": moodle.as_sheet}
PER_SUBMISSION: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "gradescope": as_gradescope,
    "github": as_github,
}


@dataclass(frozen=True)
class Export:
    """The files that were written, and what there is to say about them."""

    written: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def export(
    source: Path, to: str, *, into: Path | None = None, column: str | None = None, write: Path | None = None
) -> Export:
    """Write the grades of a results folder, or of one result file, in another system's format.

    `into` is a sheet downloaded from Canvas or Moodle. It is filled in its place and kept beside it as it was;
    with `write` it is not touched. `column` is the one to fill. `write` is where the file goes (for a folder of
    results: the folder), by default export/ in the results.
    Raises UsageError for what cannot be exported.
    """
    if into is not None and to not in FILLS:
        raise UsageError(f"--into fills a sheet of {' or '.join(FILLS)}, not of {to}")
    if source.is_file():
        return _export_one(source, to, write)
    store = Store(source)
    batch = store.read_batch() if source.is_dir() else {}
    if not batch:
        raise UsageError(f"{one_line(str(source), 300)} is neither the --out of a batch nor a result of it")
    if to == "markdown":
        raise UsageError("a summary in Markdown is of one result: give one of the files in results/")
    target = write or source / "export"
    rows = list(read_rows(store)) if to in SHEETS else read_rows(store)
    if to in PER_SUBMISSION:
        return _export_each(rows, to, target)
    if to == "log":
        return _export_logs(rows, store, target)
    if to in SHEETS:
        return _export_sheet(list(rows), to, batch["course"], store, write, into, column)
    endings = {"junit": "junit.xml", "csv": "scores.csv"}
    content = as_junit(rows, batch["course"]) if to == "junit" else as_table(rows)
    return Export((_write(target / endings[to], content, bom=to == "csv"),))


def _export_one(source: Path, to: str, write: Path | None) -> Export:
    result = read_json(source)
    if not isinstance(result, dict) or result.get("format") != 1:
        raise UsageError(f"{one_line(str(source), 300)} is no result: `grade --json FILE` and a batch write them")
    if result["score"] is None:
        raise UsageError("a part could not be judged, a fault of the grader: there is no score to export")
    if to in PER_SUBMISSION:
        content = json.dumps(PER_SUBMISSION[to](result), indent=1)
        return Export((_write(write or source.with_name(f"{source.stem}.{to}.json"), content + "\n"),))
    if to == "markdown":
        return Export((_write(write or source.with_suffix(".md"), as_markdown(result)),))
    row = Row(result["submission"], source.stem, (), "", result["submitted_at"], None, None, None, result)
    if to == "junit":
        return Export((_write(write or source.with_suffix(".xml"), as_junit(iter([row]), result["course"])),))
    if to == "csv":
        return Export((_write(write or source.with_suffix(".csv"), as_table(iter([row])), bom=True),))
    raise UsageError(f"one result says not whose it is; for {to} give the --out of a batch")


def _export_each(rows: Iterator[Row] | list[Row], to: str, target: Path) -> Export:
    written, left = [], []
    for row in rows:
        if row.result is None or row.score is None:
            left.append(row.submission)
            continue
        content = json.dumps(PER_SUBMISSION[to](dict(row.result)), indent=1) + "\n"
        path = target / to / row.file / "results.json" if to == "gradescope" else target / to / f"{row.file}.json"
        written.append(_write(path, content))
    notes = (f"{len(left)} without a score, so without a file: {_some(left)}",) if left else ()
    return Export(tuple(written), notes)


def _export_logs(rows: Iterable[Row], store: Store, target: Path) -> Export:
    written = [
        _write(target / "log" / f"{row.file}.csv", log_csv(record), bom=True)
        for row in rows
        if (record := store.record(row.file)) is not None
    ]
    return Export(tuple(written))


def _export_sheet(
    rows: list[Row],
    to: str,
    course: str,
    store: Store,
    write: Path | None,
    into: Path | None,
    column: str | None,
) -> Export:
    target = store.out / "export" if write is None else write if write.suffix != ".csv" else write.parent
    notes: list[str] = []
    if into is None:
        path = write if write is not None and write != target else target / f"{to}.csv"
        written = [_write(path, SHEETS[to](rows, course), bom=True)]
    else:
        content = _read(into)
        filled = FILLS[to](content, rows, course, column)
        path = into if write is None else write if write != target else write / into.name
        if write is None:
            notes.append(f"the sheet as it was: {_keep_beside(into, content)}")
        elif path.resolve() == into.resolve():
            raise UsageError(f"--write {path} is the sheet itself; give another place, or leave --write out")
        _write_bytes(path, filled.content)
        written = [path]
        notes += filled.notes
    without = [row.submission for row in rows if row.score is None]
    if without:
        notes.append(f"{len(without)} without a score, left blank: {_some(without)}")
    own = [row for row in rows if row.system.lower() == to]
    if own:
        written.append(write_feedback_zip(target / f"{to}-feedback.zip", own, store, to))
    else:
        notes.append(f"no feedback zip: the submissions were not downloaded from {to.capitalize()}")
    return Export(tuple(written), tuple(notes))


def _keep_beside(path: Path, content: bytes) -> Path:
    """Keep a copy of a file, under a name that no other file has."""
    names = (f"{path.stem}.original{f'-{number}' if number else ''}{path.suffix}" for number in itertools.count())
    kept = next(each for name in names if not (each := path.with_name(name)).exists() or each.read_bytes() == content)
    _write_bytes(kept, content)
    return kept


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{one_line(str(path), 300)} could not be read: {error.strerror}") from error


def _write(path: Path, content: str, *, bom: bool = False) -> Path:
    _write_bytes(path, content.encode("utf-8-sig" if bom else "utf-8", errors="replace"))
    return path


def _write_bytes(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        raise UsageError(f"{one_line(str(path), 300)} could not be written: {error.strerror}") from error


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
