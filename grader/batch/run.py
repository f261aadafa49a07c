"""A folder of submissions, graded one after the other into a folder of results."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grader.errors import GraderError, SubmissionError, UsageError
from grader.feedback import Report
from grader.grading import Grader
from grader.report.as_json import report_as_json
from grader.report.html import render_html
from grader.rubric import Course
from grader.sandbox.warm import Warm
from grader.submission import read_submission
from grader.text import one_line


@dataclass(frozen=True)
class Summary:
    """How a batch went: how many submissions there were, how many have a result, and the seed."""

    found: int
    graded: int
    seed: int


def grade_batch(
    folder: Path, out: Path, course: Course, seed: int | None, warm: Warm, say: Callable[[str], None]
) -> Summary:
    """Grade every folder and .py file in `folder`; write results, reports and grades.csv to `out`.

    A submission that cannot be graded gets a row that says why. The seed is drawn once, kept in
    batch.json, and used again when the same `out` is given. Raises UsageError for a folder without submissions.
    """
    paths = _find(folder)
    for part in (out / "results", out / "reports"):
        part.mkdir(parents=True, exist_ok=True)
    seed = _settle_seed(out / "batch.json", seed)
    grader = Grader(course, seed)
    rows: list[dict[str, object]] = []
    for path in paths:
        name, file = one_line(path.name, 200), safe_file_name(path.name)
        try:
            report = grader.grade(read_submission(path), warm)
        except GraderError as error:
            rows.append({"submission": name, "problem": one_line(str(error), 500)})
        else:
            _write(out, file, report)
            rows.append({"submission": name, "score": report.score, "max_score": report.max_score})
        say(f"{name}: {rows[-1].get('score', rows[-1].get('problem'))}")
    _write_grades(out / "grades.csv", rows)
    return Summary(len(paths), sum("problem" not in row for row in rows), seed)


def safe_file_name(name: str) -> str:
    """Return a name that is safe on any file system; with a hash of the real one where it had to change."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:80].lstrip(".-") or "_"
    if plain == name:
        return plain
    return f"{plain}-{hashlib.sha256(name.encode(errors='surrogateescape')).hexdigest()[:8]}"


def _find(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UsageError(f"{one_line(str(folder), 300)} is not a folder of submissions")
    found = sorted(
        path for path in folder.iterdir() if not path.name.startswith(".") and (path.is_dir() or path.suffix == ".py")
    )
    if not found:
        raise SubmissionError(f"{folder} holds no submission; each is a folder or a .py file in it")
    return found


def _settle_seed(path: Path, seed: int | None) -> int:
    kept = json.loads(path.read_text(encoding="utf-8"))["seed"] if path.is_file() else None
    settled = seed if seed is not None else kept if kept is not None else secrets.randbelow(2**31)
    path.write_text(json.dumps({"format": 1, "seed": settled}) + "\n", encoding="utf-8")
    return int(settled)


def _write(out: Path, file: str, report: Report) -> None:
    content = json.dumps(report_as_json(report), indent=2, allow_nan=False)
    (out / "results" / f"{file}.json").write_text(content + "\n", encoding="utf-8")
    (out / "reports" / f"{file}.html").write_text(render_html(report), encoding="utf-8")


def _write_grades(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, ["submission", "score", "max_score", "problem"], restval="")
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)


def _cell(value: object) -> object:
    """Return a cell that no spreadsheet runs: text that begins like a formula gets a quote before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value
