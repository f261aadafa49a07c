"""One row of the list of what was handed in, before anything of it is read."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True)
class Entry:
    """One submission: whose it is, and its files as (path inside the submission, path in the tree).

    `label` is what the system wants to read again at the beginning of a feedback file's name. `submitted_at`
    is the time as the system wrote it; None, as of `is_late` and `attempt`, where it does not say.
    """

    name: str
    people: tuple[Person, ...]
    files: tuple[tuple[str, str], ...]
    label: str = ""
    submitted_at: str | None = None
    is_late: bool | None = None
    attempt: int | None = None
    is_single: bool = False
    problem: str | None = None


@dataclass(frozen=True)
class Found:
    """What a folder was understood to hold; `notes` are for the instructor to read."""

    system: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
