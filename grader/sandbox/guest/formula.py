"""What a student computes gradients from: a slice of a function's statements, with the other gradients given.

Runs in the confined child only.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from grader.sandbox.guest.dataflow import blocks, effect_of

# Under this name, with the gradient's own behind it, a formula leaves what has no name.
RESULT = "__made__"

Made = TypeVar("Made", bound=ast.stmt)


@dataclass(frozen=True)
class Formula:
    """Statements that make some gradients and leave each under a name, by gradient in `results`.

    They read the arguments of the function and other gradients; `locals_of` has the student's names for those. `known`
    are names for values that are unpacked before, `probs = cache.probs` say, with what they stand for. `tiers` are the
    places of statements in which a slip may be, the likeliest first: where several gradients are wrong, one on which
    just these rest, then one on which some of them do and nothing else.
    """

    statements: list[ast.stmt]
    results: Mapping[str, str]
    locals_of: Mapping[str, str]
    known: Mapping[str, ast.expr]
    tiers: tuple[frozenset[int], ...]


@dataclass(frozen=True)
class Written:
    """A function as it is written, the gradients that it returns, and the functions beside it by name.

    `around` are the names that it finds in its file, and `line_of` counts a line where the function stands.
    """

    definition: ast.FunctionDef
    gradients: Sequence[str]
    helpers: Mapping[str, ast.FunctionDef]
    around: Mapping[str, Any] = field(default_factory=dict)
    line_of: Callable[[int], int | None] = int


def find_formula(written: Written, wanted: Sequence[str], given: Collection[str]) -> Formula | None:
    """Return the formula of some gradients of a function, where those in `given` are there.

    None if the text does not show it.
    """
    body = [_Homes(written.gradients).visit(each) for each in copy.deepcopy(_flat(written.definition.body))]
    returned = next((each.value for each in reversed(body) if isinstance(each, ast.Return)), None)
    statements = [each for each in body if not isinstance(each, ast.Return)]
    made = {name: each for name, each in _returned(returned, written.gradients).items() if not _is_none(each)}
    if returned is not None and not _returned(returned, written.gradients):
        made = _picked(statements, returned, written.gradients)
    if not set(wanted) <= set(made):
        return None
    results: dict[str, str] = {}
    for name, each in made.items():
        results[name] = each.id if isinstance(each, ast.Name) else f"{RESULT}{name}"
        if not isinstance(each, ast.Name):
            statements.append(_at(each, ast.Assign([ast.Name(results[name], ast.Store())], each)))
    # What is returned under a gradient's name is that gradient, and so is a local of its name.
    locals_of = {name: name for name in written.gradients} | results
    own = {results[name] for name in wanted}
    others = {name: local for name, local in locals_of.items() if name in given and local not in own}
    statements = [*copy.deepcopy(list(written.helpers.values())), *statements]
    kept = _slice(statements, own, set(others.values()))
    if not kept or any(isinstance(node, ast.While | ast.Await | ast.Yield) for each in kept for node in ast.walk(each)):
        return None
    rest = _resting(statements, kept, results, set(others.values()))
    tiers = _tiers(rest, set(wanted)) if len(wanted) > 1 else (frozenset(range(len(kept))),)
    return Formula(kept, {name: results[name] for name in wanted}, others, _unpacked(body), tiers)


def _picked(statements: list[ast.stmt], returned: ast.expr, gradients: Sequence[str]) -> dict[str, ast.expr]:
    """Return what picks each gradient out of what is returned, whatever that is, once it is made."""
    statements.append(_at(returned, ast.Assign([ast.Name(RESULT, ast.Store())], returned)))
    found = {}
    for place, name in enumerate(gradients):
        text = f"{RESULT}[{name!r}] if isinstance({RESULT}, dict) else {RESULT}[{place}]"
        found[name] = ast.parse(text, mode="eval").body
    return found


def _resting(
    statements: Sequence[ast.stmt], kept: Sequence[ast.stmt], results: Mapping[str, str], given: Collection[str]
) -> list[set[str]]:
    """Return for each of the kept statements the gradients that rest on it."""
    resting: dict[int, set[str]] = {}
    for name, local in results.items():
        for each in _slice(statements, {local}, set(given) - {local}):
            resting.setdefault(id(each), set()).add(name)
    return [resting.get(id(each), set()) for each in kept]


def _tiers(rest: Sequence[set[str]], wanted: set[str]) -> tuple[frozenset[int], ...]:
    exact = frozenset(place for place, names in enumerate(rest) if names == wanted)
    some = frozenset(place for place, names in enumerate(rest) if len(names) > 1 and names < wanted)
    return exact, some


def _slice(statements: Sequence[ast.stmt], results: Collection[str], others: Collection[str]) -> list[ast.stmt]:
    """Return the statements that results rest on, in their order, but for those that only make other gradients."""
    needed = set(results)
    kept: list[ast.stmt] = []
    for statement in reversed(statements):
        copied = _given(statement, needed, others)
        if copied:
            # A running variable has that gradient here: whatever made it, the formula goes on from the gradient.
            kept += copied
            needed -= {target.id for each in copied for target in each.targets if isinstance(target, ast.Name)}
            continue
        effect = effect_of(statement)
        if not needed.intersection(effect.sets | effect.changes):
            continue
        kept.append(ast.fix_missing_locations(statement))
        if not list(blocks(statement)):  # what stands in a branch or a loop may not run
            # A result is looked for further up: it may have been meant to be added to what was there.
            needed -= effect.sets - set(results)
        needed |= (effect.reads | effect.changes) - set(others)
    return kept[::-1]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _given(statement: ast.stmt, needed: Collection[str], others: Collection[str]) -> list[ast.Assign]:
    """Return what gives a name that is needed another gradient: `d = dprobs` for `dprobs = d` or `dprobs = d = …`."""
    if not isinstance(statement, ast.Assign):
        return []
    names = [each.id for each in [*statement.targets, statement.value] if isinstance(each, ast.Name)]
    gradient = next((name for name in names if name in others), None)
    if gradient is None:
        return []
    same = [name for name in names if name in needed and name != gradient]
    return [_at(statement, ast.Assign([ast.Name(name, ast.Store())], ast.Name(gradient, ast.Load()))) for name in same]


def _flat(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return a function's statements, those inside of `with torch.no_grad():` among them."""
    found: list[ast.stmt] = []
    for each in body:
        found += _flat(each.body) if isinstance(each, ast.With) else [each]
    return found


def _returned(value: ast.expr | None, gradients: Sequence[str]) -> dict[str, ast.expr]:
    match value:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) if len(parts) == len(gradients):
            return dict(zip(gradients, parts, strict=True))
        case ast.Dict(keys=keys, values=parts):
            pairs = zip(keys, parts, strict=True)
            return {str(key.value): part for key, part in pairs if isinstance(key, ast.Constant)}
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
            return {each.arg: each.value for each in keywords if each.arg is not None}
        case ast.expr() if len(gradients) == 1:
            return {gradients[0]: value}
        case ast.Name():  # a dict or a namespace, whose gradients have plain names by now
            return {name: ast.Name(name, ast.Load()) for name in gradients}
    return {}


def _unpacked(body: Sequence[ast.stmt]) -> dict[str, ast.expr]:
    """Return the names that a function gives to values of its cache."""
    found: dict[str, ast.expr] = {}
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute(value=ast.Name()) as value):
                found[name] = value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                found |= {
                    each.id: value
                    for each, value in zip(names, values, strict=False)
                    if isinstance(each, ast.Name) and isinstance(value, ast.Attribute)
                }
    return found


class _Homes(ast.NodeTransformer):
    """Gives a gradient that is an item or an attribute, `g["dx"]` or `g.dx`, its plain name."""

    def __init__(self, gradients: Collection[str]) -> None:
        self._gradients = gradients

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Subscript(value=ast.Name(), slice=ast.Constant(value=str(name))) if name in self._gradients:
                return ast.copy_location(ast.Name(name, node.ctx), node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.attr in self._gradients:
            return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return node


def _at(place: ast.AST, made: Made) -> Made:
    return ast.fix_missing_locations(ast.copy_location(made, place))
