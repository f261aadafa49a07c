"""What a statement reads, sets afresh and changes, by the names in its syntax. Runs in the confined child only."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

# Methods that change what they are called on and have no name that ends in an underscore.
_CHANGING = frozenset({"append", "extend", "insert", "update"})
_MODULES = frozenset({"torch", "np", "numpy", "F"})
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Effect:
    """The names that a statement reads before it sets them, sets afresh, and changes; and other names for the same.

    `aliases` has for a name the one whose tensor it may share: a change of the one is a change of the other.
    """

    reads: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)


def effect_of(statement: ast.stmt) -> Effect:
    """Return the effect of a statement, with all that is inside it, seen from outside."""
    effect = Effect()
    _scan([statement], effect)
    effect.reads |= effect.changes
    return effect


def binds_any(body: Iterable[ast.stmt], names: Collection[str]) -> set[str]:
    """Return which of some names the statements of a body set or change."""
    found: set[str] = set()
    for statement in body:
        effect = effect_of(statement)
        found |= (effect.sets | effect.changes) & set(names)
    return found


def _scan(body: Iterable[ast.stmt], effect: Effect) -> None:
    for statement in body:
        match statement:
            case ast.For(target=target, iter=source) | ast.AsyncFor(target=target, iter=source):
                _read(source, effect)
                effect.sets |= {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}
            case ast.While(test=test) | ast.If(test=test):
                _read(test, effect)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    _read(item.context_expr, effect)
                    if item.optional_vars is not None:
                        _assign(item.optional_vars, effect)
            case ast.Match(subject=subject):
                _read(subject, effect)
            case ast.Try():
                pass
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                effect.reads |= free_names(statement) - effect.sets
                effect.sets.add(name)
                continue
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                effect.sets |= {(each.asname or each.name).split(".")[0] for each in names}
                continue
            case _:
                _simple(statement, effect)
                continue
        for block in blocks(statement):
            _scan(block, effect)


def _simple(statement: ast.stmt, effect: Effect) -> None:
    reads = loaded(statement)
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            for name in _changed_by(node):
                _change(name, effect)
        elif isinstance(node, ast.NamedExpr):
            effect.sets.add(node.target.id)
    effect.reads |= reads - effect.sets
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _assign(target, effect, reads, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            _assign(target, effect, reads, value)
        case ast.AugAssign(target=target):
            _change(root(target), effect)


def _assign(target: ast.expr, effect: Effect, reads: Collection[str] = (), value: ast.expr | None = None) -> None:
    match target:
        case ast.Name(id=name) if name in reads:
            _change(name, effect)  # dlogits = dlogits / n
        case ast.Name(id=name):
            effect.sets.add(name)
            shared = _shared(value)
            if shared is not None:
                effect.aliases[name] = shared
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            values = (
                value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(parts) else [None] * len(parts)
            )
            for part, own in zip(parts, values, strict=True):
                _assign(part, effect, reads, own)
        case ast.Starred(value=inner):
            _assign(inner, effect, reads)
        case _:
            _change(root(target), effect)


def _change(name: str | None, effect: Effect) -> None:
    if name is not None and name not in effect.sets:
        effect.changes.add(name)


def _changed_by(call: ast.Call) -> Iterator[str]:
    """Yield what a call changes: `dC.index_add_(…)`, `torch.add(a, b, out=dC)`, `np.add.at(dC, …)`."""
    changed: list[ast.expr] = [keyword.value for keyword in call.keywords if keyword.arg == "out"]
    match call.func:
        case ast.Attribute(value=holder, attr=method) if root(holder) in _MODULES:
            changed += call.args[:1] if method.endswith("_") or method == "at" else []
        case ast.Attribute(value=holder, attr=method) if _changes(method):
            changed.append(holder)
    yield from (name for each in changed if (name := root(each)) is not None)


def _changes(method: str) -> bool:
    return (method.endswith("_") and not method.endswith("__")) or method in _CHANGING


def root(place: ast.expr) -> str | None:
    """Return the name that an expression is a part, an item or a view of: dC of `dC.view(-1, 10)[ix]`."""
    inner: ast.expr = place
    while True:
        match inner:
            case ast.Name(id=name):
                return name
            case ast.Subscript(value=value) | ast.Attribute(value=value) | ast.Call(func=ast.Attribute(value=value)):
                inner = value
            case _:
                return None


def _shared(value: ast.expr | None) -> str | None:
    """Return the name whose tensor a value may be, or be a view of."""
    match value:
        case ast.Call(func=ast.Attribute(attr="clone")) | None:
            return None
        case _:
            return root(value)


def loaded(node: ast.AST) -> set[str]:
    """Return the names that are read anywhere in a piece of syntax, but for those that a part of it has for itself."""
    found: set[str] = set()
    pending: list[ast.AST] = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            found |= _inner(each)
        else:
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
                found.add(each.id)
            pending += ast.iter_child_nodes(each)
    return found


def _inner(node: ast.AST) -> set[str]:
    own = {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
    own |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)} - own


def free_names(definition: ast.stmt) -> set[str]:
    """Return the names that a function or a class takes from outside."""
    return _inner(definition)


def _read(expression: ast.expr, effect: Effect) -> None:
    effect.reads |= loaded(expression) - effect.sets


def blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of statements inside a statement; handlers of a try and cases of a match have a body, too."""
    for part in ("body", "orelse", "finalbody"):
        block = getattr(statement, part, None)
        if isinstance(block, list):
            yield block
    for inner in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
        yield inner.body
