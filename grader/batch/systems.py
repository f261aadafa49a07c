"""How Canvas, Moodle, Gradescope and GitHub Classroom lay out what an instructor downloads from them.

Each function looks at a tree and returns what it found, or None if the tree is not of its system. Names
are matched liberally: not every system has published its format.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import yaml

from grader.batch.archives import is_archive
from grader.batch.entry import Entry, Found, Person
from grader.batch.tree import Tree
from grader.submission import SUFFIXES
from grader.text import one_line

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
