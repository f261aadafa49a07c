"""One zip that gives every student their report: named as the system named the submissions it gave out."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from grader.batch.gradebook import Row
from grader.batch.store import Store
from grader.errors import UsageError

# Canvas reads user and upload from a file's name, Moodle the participant from the folder's.
NAMES = {"canvas": "{}_report.html", "moodle": "{}/report.html"}


def write_feedback_zip(path: Path, rows: Sequence[Row], store: Store, to: str) -> Path:
    """Write the reports of all who have a score into one zip."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for row in rows:
                report = store.report_path(row.file)
                if row.score is not None and report.is_file():
                    # The time is fixed, so that the same reports give the same zip.
                    info = zipfile.ZipInfo(NAMES[to].format(row.label))
                    info.compress_type = zipfile.ZIP_DEFLATED
                    info.external_attr = 0o644 << 16
                    archive.writestr(info, report.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror}") from error
    return path
