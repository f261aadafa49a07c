"""An assignment added to the list of a course.yaml, which stays as it is but for that."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from grader.errors import CourseError


def write_listing(title: str, name: str) -> str:
    """Return the course.yaml of a course with one assignment."""
    return f"format: 1\ntitle: {title}\nassignments:\n  - {name}\n"


def add_to_listing(path: Path, name: str) -> str | None:
    """Return the text of a course.yaml with an assignment at the end of its list, or None if it is there already.

    Raises CourseError if the file has no such list.
    """
    text = path.read_text(encoding="utf-8")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise CourseError([f"{path}: not YAML, so {name} was not added to it"]) from error
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    listed = next((value for key, value in pairs if key.value == "assignments"), None)
    if not isinstance(listed, yaml.SequenceNode) or not listed.value:
        raise CourseError([f"{path}:1: `assignments` must be a list; write the line `  - {name}` below it"])
    if name in [_name(entry) for entry in listed.value]:
        return None
    if listed.flow_style:
        end = _end(listed.value[-1])
        return f"{text[:end]}, {name}{text[end:]}"
    # Behind the line on which the last entry ends, with its comment.
    end = text.find("\n", _end(listed.value[-1]))
    before, after = (text + "\n", "") if end < 0 else (text[: end + 1], text[end + 1 :])
    line = text[text.rfind("\n", 0, listed.value[-1].start_mark.index) + 1 :]
    indent = re.match(r"\s*", line)
    assert indent is not None
    return f"{before}{indent[0]}- {name}\n{after}"


def _name(entry: yaml.Node) -> str | None:
    if isinstance(entry, yaml.MappingNode):
        return next((value.value for key, value in entry.value if key.value == "name"), None)
    return str(entry.value)


def _end(node: yaml.Node) -> int:
    """Return where a node ends in the text; what PyYAML says of a block is where the next thing begins."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        return _end(node.value[-1][1])
    end: int = node.end_mark.index
    return end
