"""One row of the list of what was handed in, before anything of it is graded."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from grader.batch.tree import File, Folder
from grader.text import one_line

PLAIN = "a folder of submissions"


@dataclass(frozen=True)
class Person:
    """A student as the system that collected the work knows them; what it does not say is empty."""

    name: str = ""
    id: str = ""
    email: str = ""

    @property
    def key(self) -> str:
        """What tells one student from another."""
        return self.id or self.email or self.name


def person(name: str = "", id: str = "", email: str = "") -> Person:
    """Return a person of whom a download tells: in one spelling, and with nothing that a terminal would act on."""
    return Person(*(one_line(unicodedata.normalize("NFC", each), 200) for each in (name, id, email)))


@dataclass(frozen=True)
class Entry:
    """One submission: whose it is, and its files by their path inside it; `refused` says what cannot be read.

    `label` is what the system wants to read again at the beginning of a feedback file's name. `submitted_at`
    is the time as the system wrote it; None, as of `is_late` and `attempt`, where it does not say. `problem` is
    there where the layout alone shows that nothing can be graded. `place` is the folders around it.
    """

    name: str
    people: tuple[Person, ...]
    files: tuple[tuple[str, File], ...] = ()
    refused: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    system: str = PLAIN
    label: str = ""
    submitted_at: str | None = None
    is_late: bool | None = None
    attempt: int | None = None
    problem: str | None = None
    place: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What a folder was understood to hold; `notes` are for the instructor to read."""

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()

    @property
    def system(self) -> str:
        """The systems that the submissions come from."""
        return " and ".join(dict.fromkeys(entry.system for entry in self.entries))


@dataclass(frozen=True)
class Claim:
    """What one system makes of a folder: its submissions, and the names in the folder that they are under."""

    system: str
    entries: tuple[Entry, ...]
    names: frozenset[str]
    notes: tuple[str, ...] = ()


def files_of(folder: Folder) -> tuple[tuple[tuple[str, File], ...], Mapping[str, str]]:
    """Return all files of a folder by their path in it, and what cannot be read, as an entry has them."""
    return tuple(folder.walk()), MappingProxyType(dict(folder.walk_refused()))
