"""Places in a syntax tree, and another node in one of them. Runs in the confined child only."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

MAX_TEXT = 80


Text = Callable[[], str]
# Of expressions, by their nodes' identity.
Shapes = Mapping[int, tuple[int, ...]]


@dataclass(frozen=True)
class Leaf:
    """A value that a formula may read: how it is written and called, and its shape in each case."""

    node: ast.expr
    text: str
    shapes: tuple[tuple[int, ...], ...] = ()
    is_size: bool = False


@dataclass(frozen=True)
class Slot:
    """A place in a syntax tree that holds a node: a field of another node, or one or more places in a list."""

    holder: Any
    field: str | int | slice

    @property
    def node(self) -> Any:
        """What is there."""
        return getattr(self.holder, self.field) if isinstance(self.field, str) else self.holder[self.field]

    @property
    def is_called(self) -> bool:
        """Whether it is what a call calls."""
        return isinstance(self.holder, ast.Call) and self.field == "func"

    def put(self, node: Any) -> None:
        """Put something else there."""
        if isinstance(self.field, str):
            setattr(self.holder, self.field, node)
        else:
            self.holder[self.field] = node


@dataclass(frozen=True)
class Change:
    """Another node in a slot; `before` and `after` give the text of what differs, which costs more than to try it."""

    kind: str
    slot: Slot
    node: Any
    before: Text
    after: Text
    line: int


def inside(slot: Slot) -> Iterator[Slot]:
    """Yield the slots of all expressions that are read, the outer ones first."""
    node = slot.node
    if isinstance(node, ast.expr) and not isinstance(getattr(node, "ctx", None), ast.Store):
        yield slot
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.expr | ast.stmt | ast.keyword | ast.slice):
            yield from inside(Slot(node, field))
        elif isinstance(value, list):
            for place, each in enumerate(value):
                if isinstance(each, ast.expr | ast.stmt | ast.keyword):
                    yield from inside(Slot(value, place))


def blocks_of(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the lists of statements in a node."""
    for part in ("body", "orelse"):
        block = getattr(node, part, None)
        if isinstance(block, list):
            yield block


def make_change(kind: str, slot: Slot, node: ast.AST, before: Text | None = None, after: Text | None = None) -> Change:
    """Return another node in a slot, with texts where those of the two nodes say too much or too little."""
    old = slot.node
    made = ast.fix_missing_locations(ast.copy_location(node, old))
    return Change(kind, slot, made, before or partial(text_of, old), after or partial(text_of, node), old.lineno)


def text_of(node: ast.AST) -> str:
    """Return the text of a node in one line, which is cut where it is long."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def call_text(call: ast.Call) -> str:
    """Return a call of a method without what it is called on: `sum(1, keepdim=True)`."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
    return text_of(ast.Call(ast.Name(name, ast.Load()), call.args, call.keywords))


def number(value: float) -> ast.expr:
    """Return a number as Python writes it."""
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)
