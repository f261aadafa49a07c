"""What Gradescope's own file says of a download: whose each submission is, and when it came.

It may as well be a student's, made to end the batch. So it is read event by event, which takes no stack, and nothing is
kept but what is wanted; and of a large one, most of which is the results of its own autograder, these are cut out
first.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from grader.batch.tree import Folder
from grader.text import one_line

METADATA = "submission_metadata.yml"
MAX_BYTES = 256_000_000
MAX_WHOLE = 2_000_000  # read as it is, however it is written; a larger one only as Gradescope writes it
MAX_DEPTH = 100
_KEPT = (b"  :submitters:", b"  :created_at:")
_LIST_ITEM = re.compile(rb"  - ")
_KEY = re.compile(rb"  :\w+:")


@dataclass(frozen=True)
class Said:
    """What the file says of one submission; `people` are mappings of texts, `attempts` those before this one."""

    people: tuple[Mapping[str, str], ...] = ()
    created_at: str = ""
    attempts: int = 0


def read_metadata(folder: Folder) -> tuple[dict[str, Said], str | None]:
    """Return what the file in a folder says of each submission, and what is wrong with the file."""
    if METADATA not in folder.files:
        return {}, None
    content, reason = folder.files[METADATA].read(MAX_BYTES)
    if content is None:
        return {}, f"{METADATA} could not be read: {reason}"
    attempts: dict[str, int] = {}
    if len(content) > MAX_WHOLE:
        content, attempts = _without_results(content)
        if len(content) > MAX_BYTES // 8:
            return {}, f"{METADATA} is larger than any of Gradescope's"
    try:
        found = _Reader(content).read()
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError) as error:
        return {}, f"{METADATA} is not YAML: {one_line(str(error), 200)}"
    if not isinstance(found, dict):
        return {}, f"{METADATA} does not list submissions"
    return {name: _said(each, attempts.get(name, 0)) for name, each in found.items()}, None


def _without_results(content: bytes) -> tuple[bytes, dict[str, int]]:
    """Return a file without what its autograder once said, and how many attempts of each submission it lists."""
    kept: list[bytes] = []
    attempts: dict[str, int] = {}
    name, is_kept, is_history = "", True, False
    for line in io.BytesIO(content):
        if line[:1] not in (b" ", b"\n", b"\r", b"#", b"-"):
            name = line.partition(b":")[0].decode("utf-8", errors="replace").strip("\"' ")
            is_kept, is_history = True, False
        elif _KEY.match(line):
            is_kept, is_history = line.startswith(_KEPT), line.startswith(b"  :history:")
        elif is_history and _LIST_ITEM.match(line):
            attempts[name] = attempts.get(name, 0) + 1
        if is_kept:
            kept.append(line)
    return b"".join(kept), attempts


def _said(value: Any, attempts: int) -> Said:
    fields = value if isinstance(value, dict) else {}
    people = fields.get(":submitters")
    history = fields.get(":history")
    created = fields.get(":created_at")
    return Said(
        tuple(
            {key: text for key, text in each.items() if isinstance(text, str)}
            for each in (people if isinstance(people, list) else ())
            if isinstance(each, dict)
        ),
        created if isinstance(created, str) else "",
        len(history) if isinstance(history, list) else attempts,
    )


class _Reader:
    """A file's first levels as mappings, lists and texts; what lies deeper is passed over, and an alias is nothing."""

    LEVELS = 4  # a submission's name, its fields, its people, and what is said of each

    def __init__(self, content: bytes) -> None:
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        self.events: Iterator[Any] = yaml.parse(content, Loader=loader)

    def read(self) -> Any:
        """Return the first document. Raises YAMLError if it is none, and ValueError if it is nested too deeply."""
        stack: list[Any] = [[]]
        keys: list[str | None] = [None]
        for event in self.events:
            match event:
                case yaml.ScalarEvent() | yaml.AliasEvent():
                    self._put(stack, keys, event.value if isinstance(event, yaml.ScalarEvent) else None)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    made: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                    if len(stack) <= self.LEVELS:
                        self._put(stack, keys, made)
                    elif len(stack) == self.LEVELS + 1:
                        self._put(stack, keys, None)
                    stack.append(made)
                    keys.append(None)
                    if len(stack) > MAX_DEPTH:
                        raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    stack.pop()
                    keys.pop()
                case yaml.DocumentEndEvent():
                    break
        return stack[0][0] if stack[0] else None

    def _put(self, stack: list[Any], keys: list[str | None], value: Any) -> None:
        if len(stack) > self.LEVELS + 1:
            return
        holder = stack[-1]
        if isinstance(holder, list):
            holder.append(value)
        elif keys[-1] is None:
            keys[-1] = value if isinstance(value, str) else ""
        else:
            holder[keys[-1]] = value
            keys[-1] = None
