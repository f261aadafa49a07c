"""What a folder remembers of the last run, so that the next one can say what changed: one small file that says so.

It decides about nothing. A submission may come with one that anybody wrote, so what is odd in it is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from grader.report.file import write_file
from grader.report.progress import Standing
from grader.submission import read_file
from grader.verdict.compare import Verdict

NAME = ".grade-history.json"
ABOUT = (
    "Written by `grade`: how the gradients of this folder stood at the last run, so that the next one can say what "
    "changed, and the hints that were given. No points come from it, and nobody else reads it. It may be deleted; "
    "with --no-history it is neither read nor written."
)
FORMAT = 1
MAX_BYTES = 1_000_000
MOST = 500  # submissions of a folder, functions of one, gradients of a function
_WORD = re.compile(r"[^\W\d]\w{0,99}")


@dataclass(frozen=True)
class Given:
    """How many hints were given for a slip, and which slip that was: its verdict and what is wrong with it."""

    slip: str
    hints: int


@dataclass(frozen=True)
class History:
    """How the gradients stood at the last run, and the hints that were given, by function and gradient."""

    standing: Standing | None = None
    given: Mapping[str, Given] = field(default_factory=lambda: MappingProxyType({}))

    def after(self, standing: Standing) -> History:
        """Return the history with a run added: what it did not grade stands as before, if it rests on the same data."""
        before = self.standing
        if before is None or (before.course, before.version, before.seed) != (
            standing.course,
            standing.version,
            standing.seed,
        ):
            return History(standing)
        return replace(self, standing=replace(standing, functions={**before.functions, **standing.functions}))

    def with_hint(self, gradient: str, given: Given) -> History:
        """Return the history with the hints given for a gradient, `function.gradient`."""
        return replace(self, given={**self.given, gradient: given})


def read_history(submission: Path) -> History:
    """Return what the folder of a submission remembers of it; nothing where that cannot be read or is not ours."""
    return _history(_load(submission).get(_key(submission)))


def write_history(submission: Path, history: History) -> bool:
    """Let the folder of a submission remember it; return whether it could be written."""
    others = {name: part for name, part in _load(submission).items() if name != _key(submission)}
    others = dict(list(others.items())[-MOST + 1 :])
    content = {"about": ABOUT, "format": FORMAT, "submissions": {**others, _key(submission): _as_data(history)}}
    try:
        place = _place(submission)
        if place.is_symlink():  # it would be written wherever that leads
            return False
        write_file(place, json.dumps(content, indent=1) + "\n")
    except (OSError, ValueError):
        return False
    return True


def _place(submission: Path) -> Path:
    return (submission if submission.is_dir() else submission.parent) / NAME


def _key(submission: Path) -> str:
    """Return what a submission is called in the file: a folder by a dot, a file by its name."""
    return "." if submission.is_dir() else submission.name


def _load(submission: Path) -> dict[str, Any]:
    content, _ = read_file(_place(submission), MAX_BYTES)
    if content is None:
        return {}
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    found = data.get("submissions") if isinstance(data, dict) and data.get("format") == FORMAT else None
    return found if isinstance(found, dict) else {}


def _as_data(history: History) -> dict[str, Any]:
    standing = history.standing
    run = standing and {
        "course": standing.course,
        "version": standing.version,
        "seed": standing.seed,
        "functions": {
            function: {name: verdict.value for name, verdict in gradients.items()}
            for function, gradients in standing.functions.items()
        },
    }
    given = {name: {"slip": each.slip, "hints": each.hints} for name, each in history.given.items()}
    return {"run": run, "hints": given}


def _history(data: object) -> History:
    if not isinstance(data, dict):
        return History()
    given = {
        name: Given(each["slip"], each["hints"])
        for name, each in _entries(data.get("hints"))
        if isinstance(each, dict) and isinstance(each.get("slip"), str) and _is_number(each.get("hints"))
    }
    return History(_standing(data.get("run")), given)


def _standing(run: object) -> Standing | None:
    if not isinstance(run, dict) or not isinstance(run.get("course"), str) or not _is_number(run.get("seed")):
        return None
    version = run.get("version")
    if version is not None and not isinstance(version, str):
        return None
    known = {verdict.value for verdict in Verdict}
    functions = {
        function: {
            name: Verdict(verdict)
            for name, verdict in _entries(gradients)
            if isinstance(verdict, str) and verdict in known and _WORD.fullmatch(name)
        }
        for function, gradients in _entries(run.get("functions"))
    }
    return Standing(run["course"], version, run["seed"], functions)


def _entries(data: object) -> list[tuple[str, Any]]:
    return list(data.items())[:MOST] if isinstance(data, dict) else []


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
