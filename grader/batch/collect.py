"""A folder to the list of submissions in it: whose they are, which attempt counts, and what is wrong with it."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import yaml

from grader.batch.archives import SUFFIXES as ARCHIVES
from grader.batch.archives import is_archive
from grader.batch.entry import Entry, Found, Person
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


METADATA = "submission_metadata.yml"
MAX_METADATA_BYTES = 256_000_000  # it holds every result that an autograder ever gave
_CANVAS = re.compile(
    r"(?P<label>(?P<name>.*?)(?P<late>_LATE)?_(?P<user>(?:(?<=anon_)|(?<=anon_LATE_))[A-Za-z0-9]+|\d+)"
    r"(?:_(?P<upload>\d+)(?=_))?)_(?P<file>(?(upload).+|(?:text|link)\.html))"
)
_MOODLE = re.compile(r"(?P<name>.*)_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)(?:_(?P<file>.*))?")
_RESUBMITTED = re.compile(r"-\d+(\.\w+)$")


def recognise(tree: Tree) -> Found | None:
    """Return the submissions of a tree whose system is known, at the top or in the only folder there.

    Where a system was recognised but nothing could be made of it, there are notes and no entries.
    """
    failed = None
    places = [tree, tree.inside(tree.folders[0])] if len(tree.folders) == 1 else [tree]
    for place in places:
        for system in SYSTEMS:
            found = system(place)
            if found is not None and found.entries:
                return found
            failed = failed or found
    return failed


def read_gradescope(tree: Tree) -> Found | None:
    """A folder for each submission, and one YAML file that says whose they are."""
    if METADATA not in tree.files:
        return None
    content, reason = tree.read(METADATA, MAX_METADATA_BYTES)
    if content is None:
        return Found("Gradescope", (), (f"{METADATA} could not be read: {reason}",))
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every value is text: nothing is built from it
    try:
        listed = yaml.load(content, Loader=loader)  # noqa: S506 # the base loader builds nothing
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
        return Found("Gradescope", (), (f"{METADATA} is not YAML: {one_line(str(error), 200)}",))
    entries = []
    for folder, said in listed.items() if isinstance(listed, dict) else ():
        files = tuple((path.removeprefix(f"{folder}/"), path) for path in tree.files_of(folder))
        people = tuple(
            Person(_text(each, ":name"), _text(each, ":sid"), _text(each, ":email"))
            for each in _list(said, ":submitters")
            if isinstance(each, dict)
        )
        history = _list(said, ":history")
        entries.append(
            Entry(
                name=folder,
                people=people,
                files=files,
                label=folder,
                submitted_at=_text(said, ":created_at") or None,
                attempt=len(history) + 1 if history else None,
            )
        )
    return Found("Gradescope", tuple(entries))


def read_moodle(tree: Tree) -> Found | None:
    """A folder `Name_id_assignsubmission_file` for each participant; all in one folder in the flat mode."""
    paths: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    typed: dict[tuple[str, str], str] = {}
    top = [*tree.folders, *(path for path in tree.files if "/" not in path)]
    matches = [(name, match) for name in top if (match := _MOODLE.fullmatch(name))]
    if len(matches) * 2 < len(top) or not matches:
        return None
    folders = frozenset(tree.folders)
    for name, match in matches:
        key = (match["name"], match["id"])
        if match["kind"] == "onlinetext":
            typed[key] = name
        elif name in folders:
            paths[key] += [(path.removeprefix(f"{name}/"), path) for path in tree.files_of(name)]
        else:
            paths[key].append((match["file"] or name, name))
    entries = []
    for name, number in dict.fromkeys([*paths, *typed]):
        files = tuple(paths.get((name, number), ()))
        problem = "text typed into the page, and no file" if not files and (name, number) in typed else None
        label = f"{name}_{number}_assignsubmission_file"
        entries.append(Entry(f"{name}_{number}", (Person(name, number),), files, label, problem=problem))
    return Found("Moodle", tuple(entries), _left(top, [name for name, _ in matches]))


def read_canvas(tree: Tree) -> Found | None:
    """Flat files `name[_LATE]_user_upload_file`; those of one user are one submission."""
    top = [path for path in tree.files if "/" not in path]
    matches = [(path, match) for path in top if (match := _CANVAS.fullmatch(path))]
    if tree.folders or len(matches) * 2 < len(top) or not matches:
        return None
    users: dict[str, list[tuple[str, re.Match[str]]]] = defaultdict(list)
    for path, match in matches:
        users[match["user"]].append((path, match))
    entries = []
    for user, uploads in users.items():
        names = [match["file"] for _, match in uploads]
        files = tuple((_as_named(match["file"], names), path) for path, match in uploads)
        first = uploads[0][1]
        entries.append(
            Entry(
                name=f"{first['name']}_{user}",
                people=(Person("" if first["name"] == "anon" else first["name"], user),),
                files=files,
                label=first["label"],
                is_late=any(match["late"] for _, match in uploads),
                is_single=len(files) == 1 and files[0][0].endswith(SUFFIXES),
                problem=None if any(_is_work(name) for name in names) else "text or a link, and no file",
            )
        )
    return Found("Canvas", tuple(entries), _left(top, [path for path, _ in matches]))


def read_classroom(tree: Tree) -> Found | None:
    """A clone `assignment-user` for each student or team."""
    if not tree.folders or len(tree.repositories.intersection(tree.folders)) * 2 < len(tree.folders):
        return None
    prefix = os.path.commonprefix(list(tree.folders))  # noqa: RUF071 # letters in common, cut at the last hyphen
    prefix = prefix[: prefix.rfind("-") + 1] if len(tree.folders) > 1 else ""
    if len(tree.folders) > 1 and not prefix:
        return None
    entries = tuple(
        Entry(
            name=folder,
            people=(Person("", folder.removeprefix(prefix)),),
            files=tuple((path.removeprefix(f"{folder}/"), path) for path in tree.files_of(folder)),
            label=folder,
        )
        for folder in tree.folders
    )
    return Found("GitHub Classroom", entries)


SYSTEMS: tuple[Callable[[Tree], Found | None], ...] = (read_gradescope, read_moodle, read_canvas, read_classroom)


def _as_named(name: str, names: list[str]) -> str:
    """Return the name as the student had it: Canvas calls the second linear.py of a student linear-1.py."""
    before = _RESUBMITTED.sub(r"\1", name)
    return name if before in names else before


def _is_work(name: str) -> bool:
    return name.endswith(SUFFIXES) or is_archive(name)


def _left(everything: list[str], matched: list[str]) -> tuple[str, ...]:
    left = sorted(set(everything).difference(matched))
    shown = ", ".join(one_line(name, 60) for name in left[:5]) + (", ..." if len(left) > 5 else "")
    return (f"left aside, not named as a submission: {shown}",) if left else ()


def _text(said: Any, key: str) -> str:
    value = said.get(key) if isinstance(said, dict) else None
    return value if isinstance(value, str) else ""


def _list(said: Any, key: str) -> list[Any]:
    value = said.get(key) if isinstance(said, dict) else None
    return value if isinstance(value, list) else []
