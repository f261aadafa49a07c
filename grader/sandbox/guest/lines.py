"""What the syntax of a function says: the line that made each gradient, and whether it is written at all.

Runs in the confined child only.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from typing import Any

MAX_LINES = 6
MAX_TEXT = 800
MAX_NAMES = 200
MAX_NAME = 60

# A line number and the text from there on.
Passage = tuple[int, str]


def find_lines(tree: ast.Module, source: bytes, function: str, gradients: Sequence[str]) -> dict[str, Passage]:
    """Return the last line that sets each gradient that a function returns, if the file defines that."""
    node, lines = _definition(tree, function), source.splitlines()
    places: dict[str, Passage] = {}
    for name, made in _made(node, gradients).items() if node is not None else ():
        last = min(made.end_lineno or made.lineno, made.lineno + MAX_LINES - 1)
        text = b"\n".join(lines[made.lineno - 1 : last])[:MAX_TEXT]
        places[name] = (made.lineno, text.decode("utf-8", errors="replace"))
    return places


def find_names(tree: ast.Module, function: str, gradients: Sequence[str]) -> dict[str, Any]:
    """Return the names that a function computes, each with the last line that does, and those that it returns.

    Of those there are the ones in the order in which they stand, and the one for each gradient; what is no plain name
    is an empty text.
    """
    node = _definition(tree, function)
    statements = list(_statements(node.body)) if node is not None else []
    names = {name: each.lineno for each in statements if not _sets_none(each) for name in sorted(_set_by(each))}
    made = [(name, line) for name, line in names.items() if len(name) <= MAX_NAME][:MAX_NAMES]
    returned = next((each for each in reversed(statements) if isinstance(each, ast.Return)), None)
    if returned is None or returned.value is None:
        return {"made": dict(made), "order": [], "returned": {}, "line": None}
    order = returned.value.elts if isinstance(returned.value, ast.Tuple | ast.List) else []
    places = {name: _name(each) for name, each in _returned(returned.value, gradients).items() if name in gradients}
    return {
        "made": dict(made),
        "order": list(map(_name, order))[:MAX_NAMES],
        "returned": places,
        "line": returned.lineno,
    }


def _definition(tree: ast.Module, function: str) -> ast.FunctionDef | None:
    """Return the last definition of a function in a file; one that is left as a stub only where no other is."""
    defined = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    written = [node for node in defined if not is_stub(node)] if len(defined) > 1 else []
    return next(iter([*written[::-1], *defined[::-1]]), None)


def _name(value: ast.expr) -> str:
    return value.id if isinstance(value, ast.Name) and len(value.id) <= MAX_NAME else ""


def is_stub(function: ast.FunctionDef) -> bool:
    """Return whether a function is as a template leaves it: it raises NotImplementedError, or returns only None."""
    if any("NotImplementedError" in ast.dump(each) for each in function.body if isinstance(each, ast.Raise)):
        return True
    statements = list(_statements(function.body))
    empty = {name for each in statements if _sets_none(each) for name in _set_by(each)}
    empty -= {name for each in statements if not _sets_none(each) for name in _set_by(each)}
    returned = [each.value for each in statements if isinstance(each, ast.Return)]
    return all(_is_none(value, empty) for value in returned)


def _sets_none(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign | ast.AnnAssign) and _is_none(statement.value, ())


def _is_none(value: ast.expr | None, empty: Collection[str]) -> bool:
    """Return whether an expression is None, or holds nothing but None and names that are."""
    match value:
        case None | ast.Constant(value=None):
            return True
        case ast.Name(id=name):
            return name in empty
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Dict(values=parts):
            return all(_is_none(part, empty) for part in parts)
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=pairs):
            return all(_is_none(pair.value, empty) for pair in pairs)
    return False


def _made(function: ast.FunctionDef, gradients: Sequence[str]) -> dict[str, ast.stmt | ast.expr]:
    """Return the statement or the returned expression that made each gradient."""
    statements = list(_statements(function.body))
    returned = next((each for each in reversed(statements) if isinstance(each, ast.Return)), None)
    values = _returned(returned.value, gradients) if returned is not None and returned.value is not None else {}
    last = {name: each for each in statements for name in _set_by(each)}
    made: dict[str, ast.stmt | ast.expr] = {}
    for gradient in gradients:
        value = values.get(gradient)
        name = value.id if isinstance(value, ast.Name) else gradient
        if name in last:
            made[gradient] = last[name]
        elif value is not None and not isinstance(value, ast.Name | ast.Constant):
            made[gradient] = value
    return made


def _returned(value: ast.expr, gradients: Sequence[str]) -> dict[str, ast.expr]:
    match value:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) if len(parts) > len(gradients):
            # A loss beside its gradient: what is which, their names tell.
            return {part.id: part for part in parts if isinstance(part, ast.Name) and part.id in gradients}
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return dict(zip(gradients, parts, strict=False))
        case ast.Dict(keys=keys, values=parts):
            pairs = zip(keys, parts, strict=True)
            return {str(key.value): part for key, part in pairs if isinstance(key, ast.Constant)}
        case _ if len(gradients) == 1:
            return {gradients[0]: value}
    return {}


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the simple statements of a function in their order, not those of functions inside it."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        # Handlers of a try and cases of a match are blocks with a body, as statements are.
        parts = ("body", "handlers", "cases", "orelse", "finalbody")
        inner = [block for part in parts for block in getattr(statement, part, [])]
        if inner:
            yield from _statements(inner)
        else:
            yield statement


def _set_by(statement: ast.stmt) -> set[str]:
    """Return the names that a statement sets or changes: `dx = ...`, `dx[i] += ...`, `dx.add_(...)`."""
    targets: list[ast.expr] = []
    match statement:
        case ast.Assign(targets=found):
            targets = list(found)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target, value=ast.expr()):
            targets = [target]
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=target, attr=method))) if method.endswith("_"):
            targets = [target]
    names: set[str] = set()
    while targets:
        match targets.pop():
            case ast.Name(id=name):
                names.add(name)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                targets.extend(parts)
            case ast.Subscript(value=target) | ast.Starred(value=target):
                targets.append(target)
    return names
