"""A folder to the list of submissions in it: whose they are, which attempt counts, and what is wrong with it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from grader.batch.archives import SUFFIXES as ARCHIVES
from grader.batch.archives import is_archive
from grader.batch.entry import Entry, Found, Person
from grader.batch.systems import recognise
from grader.batch.tree import Tree
from grader.errors import SubmissionError, UsageError
from grader.submission import SUFFIXES
from grader.text import one_line

# NAME_attempt_2 and NAME_attempt_2026-03-01-23-59-00, as some systems write it and anybody can.
_ATTEMPT = re.compile(
    r"(?P<student>.+?)[_-]attempt[_-]?(?:(?P<time>\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)|(?P<number>\d+))(?P<rest>[_.].*)?"
)


def discover(tree: Tree, before: datetime | None = None) -> Found:
    """Return what was handed in. Raises SubmissionError if that is nothing."""
    recognised = recognise(tree)
    found = recognised if recognised is not None and recognised.entries else _read_plain(tree)
    if recognised is not None and recognised is not found:
        found = replace(found, notes=(*recognised.notes, *found.notes))
    if not found.entries:
        said = "".join(f"; {note}" for note in found.notes)
        raise SubmissionError(
            f"there is no submission here; each is a folder, a .py file, a notebook or an archive{said}"
        )
    entries, notes = _choose_attempts(found.entries, before)
    return Found(found.system, tuple(sorted(entries, key=lambda entry: entry.name)), (*found.notes, *notes))


def describe(found: Found) -> Iterator[str]:
    """Say what was found and how it was understood, one line each."""
    entries = found.entries
    groups = sum(len(entry.people) > 1 for entry in entries)
    late = sum(bool(entry.is_late) for entry in entries)
    known = [text for count, text in ((groups, f"{groups} of groups"), (late, f"{late} late")) if count]
    count = f"{len(entries)} submission{'s' * (len(entries) != 1)}"
    yield f"{count}, laid out as {found.system}{''.join(f', {text}' for text in known)}"
    yield from found.notes


def parse_time(text: str) -> datetime:
    """Return a time that a person or a system wrote; without a zone it is taken as UTC. Raises UsageError."""
    plain = re.sub(r"\s*(UTC|Z)$", "+00:00", text.strip())
    plain = re.sub(r"\s+([+-]\d\d:?\d\d)$", r"\1", plain)
    try:
        found = datetime.fromisoformat(plain)
    except ValueError as error:
        raise UsageError(f"{one_line(text, 60)!r} is not a time; write it as 2026-03-01T23:59+01:00") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _read_plain(tree: Tree) -> Found:
    """Every folder, file and archive at the top is a submission, named after itself."""
    entries = [
        _plain(tree, folder, tuple((path.removeprefix(f"{folder}/"), path) for path in tree.files_of(folder)))
        for folder in tree.folders
    ]
    for path in tree.files:
        if "/" not in path and (path.endswith(SUFFIXES) or is_archive(path)):
            name = path
            entry = _plain(tree, name, ((_without_attempt(name), path),))
            entries.append(replace(entry, is_single=path.endswith(SUFFIXES)))
    for path, reason in tree.refused.items():
        if "/" not in path and path not in tree.folders:
            entries.append(Entry(path, (Person(id=path),), (), problem=f"{one_line(path, 200)} is {reason}"))
    return Found("a folder of submissions", tuple(entries))


def _plain(tree: Tree, name: str, files: tuple[tuple[str, str], ...]) -> Entry:  # noqa: ARG001
    match = _ATTEMPT.fullmatch(name)
    student = match["student"] if match else _stem(name)
    time = match["time"] if match else None
    number = match["number"] if match else None
    submitted_at = f"{time[:10]}T{time[11:].replace('-', ':')}" if time else None
    return Entry(
        name,
        (Person(id=student),),
        files,
        label=name,
        submitted_at=submitted_at,
        attempt=int(number) if number else None,
    )


def _without_attempt(name: str) -> str:
    match = _ATTEMPT.fullmatch(name)
    rest = match["rest"] if match else None
    return rest[1:] if rest and rest[0] == "_" else f"{match['student']}{rest or ''}" if match else name


def _stem(name: str) -> str:
    ending = next((end for end in (*ARCHIVES, *SUFFIXES) if name.lower().endswith(end)), "")
    return name[: len(name) - len(ending)] or name


def _choose_attempts(entries: Sequence[Entry], before: datetime | None) -> tuple[list[Entry], list[str]]:
    """Return of each student the newest attempt handed in by `before`, and what there is to say about the others."""
    attempts: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        attempts[tuple(sorted(person.key for person in entry.people)) or (entry.name,)].append(entry)
    chosen: list[Entry] = []
    notes: list[str] = []
    for own in attempts.values():
        in_time = [entry for entry in own if before is None or _time(entry) is None or _time(entry) <= before]  # type: ignore[operator]
        if not in_time:
            newest = max(own, key=_age)
            assert before is not None
            chosen.append(replace(newest, files=(), problem=f"nothing was handed in before {before.isoformat()}"))
        elif len(own) == 1 or all(_age(entry) == _age(own[0]) for entry in own):
            # Without a time or a number there is no telling which is newer: each gets its row.
            chosen.extend(in_time)
            if len(own) > 1:
                notes.append(f"the same student, and no telling which is newer: {_names(own)}")
        else:
            newest = max(in_time, key=_age)
            chosen.append(newest)
            others = [entry for entry in own if entry is not newest]
            notes.append(f"{one_line(newest.name, 100)} counts, not {_names(others)} of the same student")
    if before is not None and (timeless := sum(_time(entry) is None for entry in entries)):
        notes.append(f"{timeless} without a known time: --before leaves them in")
    return chosen, notes


def _time(entry: Entry) -> datetime | None:
    try:
        return parse_time(entry.submitted_at) if entry.submitted_at else None
    except UsageError:
        return None


def _age(entry: Entry) -> tuple[float, int]:
    time = _time(entry)
    return (time.timestamp() if time else 0.0, entry.attempt or 0)


def _names(entries: Sequence[Entry]) -> str:
    return ", ".join(one_line(entry.name, 100) for entry in entries)
