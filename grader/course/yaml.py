"""A YAML file as plain data, with the line and column of every key and value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Route = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where something stands in a file; line and column count from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class Section(dict[str, object]):
    """A mapping of a YAML file that knows where it stands, and where each of its keys."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.key_places: dict[str, Place] = {}


@dataclass
class Document:
    """What a YAML file says, where each part of it stands, and what is wrong with it as YAML."""

    path: Path
    data: object = None
    keys: dict[Route, Place] = field(default_factory=dict)
    values: dict[Route, Place] = field(default_factory=dict)
    _problems: list[tuple[Place, str]] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What is wrong, one line each, from the top of the file down."""
        ordered = sorted(self._problems, key=lambda problem: (problem[0].line, problem[0].column))
        return [f"{place}: {text}" for place, text in ordered]

    def is_unread(self, route: Route) -> bool:
        """Return whether the value at `route` could not be read, which has been noted already."""
        return self.values.get(route) in [place for place, _ in self._problems]

    def complain(self, place: Place, text: str) -> None:
        """Note something that is wrong at a place."""
        self._problems.append((place, text))

    def place(self, route: Route, *, key: bool = False) -> Place:
        """Return where the value at `route` stands (or its key), or else the nearest part around it."""
        for places in (self.keys, self.values) if key else (self.values, self.keys):
            if route in places:
                return places[route]
        return self.place(route[:-1], key=key) if route else Place(str(self.path), 1, 1)


# libyaml reads a course ten times as fast, where PyYAML was built with it, and explains less well what it can't read.
FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_document(path: Path) -> Document:
    """Read a YAML file, collecting problems (syntax, repeated keys, aliases) instead of raising."""
    document = Document(path)
    start = Place(str(path), 1, 1)
    try:
        text = path.read_text(encoding="utf-8-sig")
        try:
            # libyaml takes some tabs that PyYAML refuses.
            _read(text, yaml.SafeLoader if "\t" in text else FAST_LOADER, document)
        except yaml.YAMLError:
            _read(text, yaml.SafeLoader, document)  # it says better what is wrong
    except FileNotFoundError:
        document.complain(start, "the file is not there")
    except (OSError, UnicodeDecodeError) as error:
        document.complain(start, f"the file could not be read: {error}")
    except RecursionError:
        document.complain(start, "nested too deeply to be a rubric")
    except yaml.MarkedYAMLError as error:
        document.complain(_place(path, error.problem_mark or error.context_mark), f"not YAML: {_explain(error)}")
    except yaml.YAMLError as error:
        document.complain(start, f"not YAML: {str(error).splitlines()[0]}")
    if document.data is None and not document.problems:
        document.complain(start, "the file is empty")
    return document


def _read(text: str, loader: Any, document: Document) -> None:
    aliases = [event.start_mark for event in yaml.parse(text, Loader=loader) if isinstance(event, yaml.AliasEvent)]
    for mark in aliases:
        # An alias can make a small file stand for a huge or an endless one.
        document.complain(_place(document.path, mark), "an alias (*name); write the value out in full")
    root = None if aliases else yaml.compose(text, Loader=loader)
    document.data = None if root is None else _read_node(root, (), document)


def _explain(error: yaml.MarkedYAMLError) -> str:
    text = error.problem or error.context or "it could not be read"
    return "a tab; indent with spaces" if "'\\t'" in text else text


def _place(path: Path, mark: Any) -> Place:
    return Place(str(path), mark.line + 1, mark.column + 1) if mark else Place(str(path), 1, 1)


def _read_node(node: yaml.Node, route: Route, document: Document) -> object:
    document.values[route] = _place(document.path, node.start_mark)
    if isinstance(node, yaml.MappingNode):
        return _read_mapping(node, route, document)
    if isinstance(node, yaml.SequenceNode):
        return [_read_node(child, (*route, index), document) for index, child in enumerate(node.value)]
    return _read_scalar(node, document)


def _read_mapping(node: yaml.MappingNode, route: Route, document: Document) -> Section:
    mapping = Section(document.values[route])
    for key_node, value_node in node.value:
        place = _place(document.path, key_node.start_mark)
        # A key is a name, whatever YAML makes of it: `on:` is not True, `1:` is not a number.
        if not isinstance(key_node, yaml.ScalarNode):
            document.complain(place, "a key must be a plain name")
            continue
        key = str(key_node.value)
        if key in mapping:
            first = document.keys[(*route, key)]
            document.complain(place, f"the key {key!r} is repeated (first on line {first.line}); remove one")
            continue
        document.keys[(*route, key)] = mapping.key_places[key] = place
        mapping[key] = _read_node(value_node, (*route, key), document)
        if value_node.start_mark.index == value_node.end_mark.index:
            document.values[(*route, key)] = place  # what was left empty stands nowhere
    return mapping


def _read_scalar(node: yaml.Node, document: Document) -> object:
    # The loader is only asked to turn one scalar into a Python value; it reads no text.
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        problem = getattr(error, "problem", None) or error
        document.complain(_place(document.path, node.start_mark), f"not a value: {problem}")
        return None
    finally:
        loader.dispose()
