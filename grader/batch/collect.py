"""A folder to the list of submissions in it: whose they are, which attempt counts, and what is wrong with it.

The real thing may lie in any number of folders, and several of them beside one another: each folder is asked
whether a system has laid it out, and where none has, whether it is one person's or several people's.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from grader.batch.archives import PEEKED, ArchiveError, is_archive
from grader.batch.archives import SUFFIXES as ARCHIVES
from grader.batch.contents import kind_of
from grader.batch.entry import PLAIN, Claim, Entry, Found, files_of, person
from grader.batch.metadata import METADATA
from grader.batch.people import Words
from grader.batch.systems import recognise
from grader.batch.tree import File, Folder, join_parts, stem, unpack
from grader.errors import SubmissionError, UsageError
from grader.submission import SUFFIXES
from grader.text import one_line

MAX_AROUND = 12  # folders and archives around a class
MAX_PEEKED = 20_000  # archives in an archive that are looked into for a class, with the files in them
COST_OF_TAR = 100  # in files
# NAME_attempt_2 and NAME_attempt_2026-03-01-23-59-00, as some systems write it and anybody can.
_ATTEMPT = re.compile(
    r"(?P<student>.+?)[_-]attempt[_-]?(?:(?P<time>\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)|(?P<number>\d+))(?P<rest>[_.].*)?"
)
# Of a notebook that a browser gave another ending.
_HIDDEN = tuple(f"{suffix}.json" for suffix in SUFFIXES)
# What lies beside submissions and is none: lists, settings, and texts that are called what no student is.
_ASIDE = re.compile(
    r"(?i).*\.(csv|tsv|xlsx?|ods|ya?ml|json|toml|ini|cfg|log|md|rst|lock|sh|bat)|makefile|license|"
    r"(read[ _-]?me|notes?|todo|index|requirements|instructions?|grades?|license|changelog)\b.*\.(txt|html?|pdf|docx?)"
)


def discover(root: Folder, before: datetime | None = None, words: Words | None = None) -> Found:
    """Return what was handed in; `words` are those of the course. Raises SubmissionError if that is nothing."""
    survey = _Survey(words or Words())
    found = survey.read(root)
    if not found:
        said = "".join(f"; {note}" for note in survey.notes)
        raise SubmissionError(
            f"there is no submission here; each is a folder, a .py file, a notebook or an archive{said}"
        )
    entries, notes = _choose_attempts(_with_names(survey.together(found)), before)
    return Found(tuple(sorted(entries, key=lambda entry: entry.name)), (*survey.notes, *notes))


def describe(found: Found) -> Iterator[str]:
    """Say what was found and how it was understood, one line each."""
    entries = found.entries
    groups = sum(len(entry.people) > 1 for entry in entries)
    late = sum(bool(entry.is_late) for entry in entries)
    known = [text for count, text in ((groups, f"{groups} of groups"), (late, f"{late} late")) if count]
    systems = Counter(entry.system for entry in entries)
    laid_out = found.system if len(systems) == 1 else ", ".join(f"{name} ({n})" for name, n in systems.items())
    count = f"{len(entries)} submission{'s' * (len(entries) != 1)}"
    yield f"{count}, laid out as {laid_out}{''.join(f', {text}' for text in known)}"
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


class _Survey:
    """A walk from the top down, until it is known in each branch whose the work is."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.notes: list[str] = []
        self.seen = Counter[tuple[str, ...]]()  # how much within each outermost archive

    def read(self, root: Folder) -> list[Entry]:
        """Return the submissions in the folder that was given, in whatever folders they lie."""
        root = join_parts(root)
        work = [stem(name, SUFFIXES) for name in root.files if name.endswith(SUFFIXES)]
        is_one = work and not root.folders and all(name in self.words.assignments for name in work)
        found = self._read(root, (), is_alone=True) if not is_one else None
        return found if found is not None else [self._only(root)]

    def _read(self, folder: Folder, around: tuple[str, ...], *, is_alone: bool) -> list[Entry] | None:
        """Return the submissions in a folder; None if it is one person's work.

        `around` are the folders it lies in, this one the last; `is_alone` if there is nothing beside it.
        """
        folder = self._without_drafts(join_parts(folder))
        claimed, notes = recognise(folder)
        claims = [claim for claim in claimed if not self._is_own_word(claim, around)]
        self.notes += notes
        if claims:
            names = frozenset(name for claim in claims for name in claim.names)
            return [*(entry for claim in claims for entry in claim.entries), *self._children(folder, names, {})]
        below = _only_one_in(folder) if len(around) < MAX_AROUND else None
        if below is not None:
            name, inner = below
            found = self._read(inner, (*around, name), is_alone=is_alone)
            return _below(name, found) if found is not None else None
        classes = self._classes_in(folder, around)
        if around and not classes and not self.words.is_several(folder, is_alone=is_alone):
            return None
        return self._children(folder, frozenset(), classes)

    def _without_drafts(self, folder: Folder) -> Folder:
        """Return a folder without what Teams keeps beside the work that was handed in: what is still being written."""
        if not {"Submitted files", "Working files"} <= folder.folders.keys():
            return folder
        self.notes.append("Working files were left aside: Submitted files lie beside them")
        folders = {name: inner for name, inner in folder.folders.items() if name != "Working files"}
        return Folder(folder.name, folders, folder.files, folder.refused, folder.is_repository)

    def _is_own_word(self, claim: Claim, around: tuple[str, ...]) -> bool:
        """Whether a student may have said whose the work is: the file came in their only folder, with it."""
        if claim.system != "Gradescope" or len(claim.entries) > 1 or not around or "export" in around[-1].lower():
            return False
        said = f"{one_line(around[-1], 100)} holds one submission and its own {METADATA}, which is not believed"
        self.notes.append(f"{said}; if it is an export of Gradescope, give that folder itself")
        return True

    def _classes_in(self, folder: Folder, around: tuple[str, ...]) -> dict[str, list[Entry]]:
        """Return by name the folders and archives in a folder that hold several people's work, with that work."""
        if len(around) >= MAX_AROUND:
            return {}
        inside = dict(folder.folders)
        for name, file in folder.files.items():
            if is_archive(name) and (opened := self._look_into(file, (*around, name))) is not None:
                inside[name] = opened
        found = {name: self._read(inner, (*around, name), is_alone=False) for name, inner in inside.items()}
        if any(found.values()) or self.words.are_sections(inside.values()):
            # Beside the folder of a class a folder is more likely another than a person's.
            left = [name for name in inside if not found[name] and not self.words.is_work(inside[name])]
            found |= {name: self._read(inside[name], (*around, name), is_alone=True) for name in left}
        return {name: entries for name, entries in found.items() if entries is not None}

    def _look_into(self, file: File, path: tuple[str, ...]) -> Folder | None:
        """Return what is in an archive, for there may be a class in it; those in one another may be without number."""
        outer = path[: next(number for number, name in enumerate(path, start=1) if is_archive(name))]
        if self.seen[outer] > MAX_PEEKED:
            return None
        opened = _opened(file)
        cost = 1 if path[-1].lower().endswith(".zip") else COST_OF_TAR  # which is unpacked as a whole
        self.seen[outer] += cost + (sum(1 for _ in opened.walk()) if opened is not None else 0)
        return opened

    def _children(self, folder: Folder, claimed: frozenset[str], classes: Mapping[str, list[Entry]]) -> list[Entry]:
        """Return what lies in a folder: each a submission, but for the classes in it and what a system has claimed."""
        own: list[Entry] = []
        aside: list[str] = []
        for name in sorted({*folder.folders, *folder.files, *folder.refused}.difference(claimed, classes)):
            if name in folder.folders:
                own.append(self._plain(name, *files_of(folder.folders[name])))
            elif name in folder.refused and "/" not in name:
                own.append(self._plain(name, (), {name: folder.refused[name]}))
            elif name in folder.files and _is_handed_in(name, is_named=bool(claimed)):
                own.append(self._plain(name, ((_without_attempt(name), folder.files[name]),), {}))
            elif name != METADATA:
                aside.append(name)
        if claimed and aside:
            shown = ", ".join(one_line(name, 60) for name in aside[:5]) + (", ..." if len(aside) > 5 else "")
            self.notes.append(f"left aside, not named as a submission: {shown}")
        is_beside_others = any(path.endswith(SUFFIXES) or is_archive(path) for each in own for path, _ in each.files)
        inner = [
            self._questioned(name, entries) if is_beside_others and not claimed else _below(name, entries)
            for name, entries in classes.items()
        ]
        return [*self._joined(own), *(entry for entries in inner for entry in entries)]

    def _questioned(self, name: str, entries: list[Entry]) -> list[Entry]:
        """Return what looks like a class among the work of single students: one of them may have made it up."""
        systems = " and ".join(dict.fromkeys(entry.system for entry in entries))
        said = f"{one_line(name, 100)} lies beside single submissions and looks like {systems} with {len(entries)}"
        self.notes.append(f"{said}: each has a row, and no name in it is believed. Is it a class? Give it by itself")
        return [
            replace(
                entry,
                system=PLAIN,
                people=(person(id="/".join((name, *entry.place, entry.name))),),
                place=(name, *entry.place),
            )
            for entry in entries
        ]

    def _plain(self, name: str, files: tuple[tuple[str, File], ...], refused: Mapping[str, str]) -> Entry:
        match = _ATTEMPT.fullmatch(name)
        time = match["time"] if match else None
        return Entry(
            name,
            (self.words.who(match["student"] if match else stem(name, (*ARCHIVES, *SUFFIXES))),),
            files,
            refused,
            label=name,
            submitted_at=f"{time[:10]}T{time[11:].replace('-', ':')}" if time else None,
            attempt=int(match["number"]) if match and match["number"] else None,
        )

    def _joined(self, own: Sequence[Entry]) -> list[Entry]:
        """Return entries in which single files of one person about different assignments are one submission."""
        files: dict[str, dict[str, Entry]] = defaultdict(dict)
        for entry in own:
            name, assignment = self.words.owner(stem(entry.name, SUFFIXES))
            if assignment and len(entry.files) == 1 and entry.name.endswith(SUFFIXES) and entry.attempt is None:
                # Two about one assignment may be of two people; then all of the name stay apart.
                files[name][assignment if assignment not in files[name] else ""] = entry
        joined = {name: parts for name, parts in files.items() if len(parts) > 1 and "" not in parts}
        left = [entry for entry in own if not any(entry in parts.values() for parts in joined.values())]
        for name, parts in joined.items():
            work = tuple((f"{each}{_ending(entry.name)}", entry.files[0][1]) for each, entry in parts.items())
            left.append(Entry(name, (person(name, name),), work, label=name))
        return left

    def together(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return entries in which a person's work is one, where each assignment has a folder with everybody in it."""
        parts: dict[tuple[str, ...], list[tuple[Entry, frozenset[str]]]] = defaultdict(list)
        for entry in entries:
            keys = sorted(each.key for each in entry.people)
            about = frozenset(each for place in entry.place for each in self.words.named(place))
            if all(keys) and about and entry.problem is None:
                parts[(entry.system, *keys)].append((entry, about))
        joined: list[Entry] = []
        gone: set[int] = set()
        for own in parts.values():
            files = tuple(each for entry, _ in own for each in entry.files)
            if len(own) < 2 or len({about for _, about in own}) < len(own) or len(dict(files)) < len(files):
                continue
            gone |= {id(entry) for entry, _ in own}
            refused = {path: why for entry, _ in own for path, why in entry.refused.items()}
            place = os.path.commonprefix([entry.place for entry, _ in own])  # noqa: RUF071 # of tuples, as below
            joined.append(replace(own[0][0], files=files, refused=refused, place=tuple(place)))
        if joined:
            self.notes.append(f"{len(joined)} have handed in several assignments, each in a folder of its own: one row")
        return [*(entry for entry in entries if id(entry) not in gone), *joined]

    def _only(self, root: Folder) -> Entry:
        """Return the one submission there is, called by the innermost of the folders that may be a person's."""
        chain: list[tuple[str, Folder]] = []
        while len(chain) < MAX_AROUND and (below := _only_one_in(chain[-1][1] if chain else root)) is not None:
            chain.append(below)
        named = [each for each in chain if self.words.personal(stem(each[0]))] or chain[:1] or [(root.name, root)]
        name, folder = named[-1]
        return self._plain(name, *files_of(folder))


def _only_one_in(folder: Folder) -> tuple[str, Folder] | None:
    """Return the one folder or archive that all is in, opened, with its name."""
    others = [name for name in (*folder.files, *folder.refused) if _is_handed_in(name)]
    if len(folder.folders) == 1 and not others:
        return next(iter(folder.folders.items()))
    if len(others) == 1 and not folder.folders and is_archive(others[0]) and others[0] in folder.files:
        opened = _opened(folder.files[others[0]])
        return (others[0], opened) if opened is not None else None
    return None


def _is_handed_in(name: str, *, is_named: bool = False) -> bool:
    """Whether a file can be somebody's hand-in; where the system names them all, only if it could be work."""
    if name.endswith(SUFFIXES) or is_archive(name) or name.lower().endswith(_HIDDEN):
        return True
    return not _ASIDE.fullmatch(name) and (not is_named or kind_of(name) is not None)


def _without_attempt(name: str) -> str:
    match = _ATTEMPT.fullmatch(name)
    rest = match["rest"] if match else None
    return rest[1:] if rest and rest[0] == "_" else f"{match['student']}{rest or ''}" if match else name


def _ending(name: str) -> str:
    return next(suffix for suffix in SUFFIXES if name.endswith(suffix))


def _below(name: str, entries: Iterable[Entry]) -> list[Entry]:
    return [replace(entry, place=(name, *entry.place)) for entry in entries]


def _with_names(entries: Sequence[Entry]) -> list[Entry]:
    """Return entries with names of their own: with the folders around them where several were read."""
    common = min((len(os.path.commonprefix([e.place, entries[0].place])) for e in entries), default=0)  # noqa: RUF071 # of tuples: folders in common
    counts = Counter(entry.name for entry in entries)
    named: list[Entry] = []
    taken: set[str] = set()
    for entry in entries:
        name = entry.name
        if entry.system == PLAIN or counts[name] > 1:
            name = "/".join((*entry.place[common:], name))
        number, own = 1, name
        while own in taken:
            number += 1
            own = f"{name} ({number})"
        taken.add(own)
        named.append(replace(entry, name=own))
    return named


def _opened(file: File) -> Folder | None:
    try:
        return unpack(file, PEEKED)
    except ArchiveError:
        return None  # its row will say so


def _choose_attempts(entries: Sequence[Entry], before: datetime | None) -> tuple[list[Entry], list[str]]:
    """Return of each student the newest attempt handed in by `before`, and what there is to say about the others."""
    attempts: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        keys = tuple(sorted(person.key for person in entry.people))
        # A number of one system is never taken for another's.
        attempts[(entry.system, *keys) if any(keys) else (entry.system, "", entry.name)].append(entry)
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
