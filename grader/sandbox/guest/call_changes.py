"""Changes of calls and indices: over which axes, in which order, up to where. Runs in the confined child only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from itertools import combinations, permutations

from grader.sandbox.guest.places import MAX_TEXT, Change, Slot, call_text, make_change, number

# Axes that a sum may run over.
AXES = range(4)


_REDUCTIONS = frozenset({"sum", "mean"})


def axes(slot: Slot) -> Iterator[Change]:
    """Yield other axes of a sum or a mean, with and without its axis of size 1, and one for the other."""
    call = slot.node
    reduced = _reduction(call)
    if reduced is None:
        return
    name, axis, keeps = reduced
    sets: list[ast.expr | None] = [ast.Constant(each) for each in AXES]
    sets += [ast.Constant(-1), ast.UnaryOp(ast.USub(), ast.Constant(2))]
    sets += [ast.Tuple([ast.Constant(each) for each in pair], ast.Load()) for pair in combinations(AXES, 2)]
    sets += [ast.Tuple([ast.Constant(each) for each in three], ast.Load()) for three in combinations(AXES, 3)]
    sets += [None]
    own = "" if axis is None else ast.dump(axis)
    for kept in (keeps, not keeps):
        for other in sets:
            is_own = ("" if other is None else ast.dump(other)) == own
            if is_own and kept == keeps:
                continue
            kind = "keepdim" if is_own else "axis" if kept == keeps else "axis and keepdim"
            yield _reduced(kind, slot, name, other, keeps=kept)
    yield _reduced("method", slot, "mean" if name == "sum" else "sum", axis, keeps=keeps)


def _reduction(node: ast.AST) -> tuple[str, ast.expr | None, bool] | None:
    """Return the name, the axes and the keepdim of a sum or a mean that is a method."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=positional, keywords=keywords) if name in _REDUCTIONS:
            named = {each.arg: each.value for each in keywords}
            last = positional[1] if len(positional) > 1 else ast.Constant(value=False)
            keeps = named.get("keepdim", named.get("keepdims", last))
            axis = positional[0] if positional else named.get("dim", named.get("axis"))
            return name, axis, isinstance(keeps, ast.Constant) and keeps.value is True
    return None


def _reduced(kind: str, slot: Slot, name: str, axis: ast.expr | None, *, keeps: bool) -> Change:
    old = slot.node
    is_numpy = any(each.arg in ("axis", "keepdims") for each in old.keywords)
    keywords = [] if axis is None else [ast.keyword("axis" if is_numpy else "dim", axis)]
    if keeps:
        keywords.append(ast.keyword("keepdims" if is_numpy else "keepdim", ast.Constant(value=True)))
    positional = [axis] if axis is not None and old.args else []
    node = ast.Call(ast.Attribute(old.func.value, name, ast.Load()), positional, keywords[bool(positional) :])
    return make_change(kind, slot, node, partial(call_text, old), partial(call_text, node))


def not_reduced(slot: Slot) -> Iterator[Change]:
    """Yield a sum of what is there, over some axes."""
    node = slot.node
    for keeps in (False, True):
        keywords = [ast.keyword("keepdim", ast.Constant(value=True))] if keeps else []
        for axes in [(each,) for each in AXES] + list(combinations(AXES, 2)) + list(combinations(AXES, 3)):
            numbers: list[ast.expr] = [ast.Constant(each) for each in axes]
            over = numbers[0] if len(numbers) == 1 else ast.Tuple(numbers, ast.Load())
            made = ast.Call(ast.Attribute(node, "sum", ast.Load()), [over], keywords)
            yield make_change("not summed", slot, made, after=partial(call_text, made))


def indices(slot: Slot) -> Iterator[Change]:
    """Yield slices, indices and ranges that begin or end one place further, or run the other way."""
    match slot.node:
        case ast.Slice(lower=lower, upper=upper, step=step):
            ends = [None, number(1), number(-1)]
            for first, last in [(a, b) for a in (lower, *ends) for b in (upper, *ends)]:
                made = ast.Slice(first, last, step)
                if ast.dump(made) != ast.dump(slot.node):
                    yield make_change("index", slot, made)
        case ast.Name() | ast.BinOp() as node if isinstance(slot.holder, ast.Subscript) and slot.field == "slice":
            yield from _beside(slot, node)
        case ast.Name() | ast.BinOp() as node if isinstance(slot.holder, list):
            yield from _beside(slot, node)
        case ast.Call(func=ast.Name(id="range") as called, args=args) as node:
            yield make_change("range", slot, ast.Call(ast.Name("reversed", ast.Load()), [node], []))
            for place, each in enumerate(args):
                for by in (1, -1):
                    moved = [*args[:place], ast.BinOp(each, ast.Add(), number(by)), *args[place + 1 :]]
                    yield make_change("range", slot, ast.Call(called, moved, []))
            if len(args) == 1:
                yield make_change("range", slot, ast.Call(called, [ast.Constant(1), *args], []))
        case ast.Call(func=ast.Name(id="reversed"), args=[inner]):
            yield make_change("range", slot, inner)


def _beside(slot: Slot, node: ast.expr) -> Iterator[Change]:
    for step in (1, -1):
        yield make_change("index", slot, ast.BinOp(node, ast.Add() if step > 0 else ast.Sub(), ast.Constant(1)))


def arguments(slot: Slot) -> Iterator[Change]:
    """Yield the arguments of a call in another order, and other letters of an einsum."""
    match slot.node:
        case ast.List(elts=parts, ctx=ast.Load()) | ast.Tuple(elts=parts, ctx=ast.Load()) if 2 <= len(parts) <= 4:
            for changed in permutations(parts):
                if list(changed) != parts:
                    yield make_change("argument", slot, type(slot.node)(list(changed), ast.Load()))
        case ast.Call(func=func, args=args, keywords=keywords) if 2 <= len(args) <= 4:
            if isinstance(args[0], ast.Constant) and isinstance(args[0].value, str):
                for text in _einsums(args[0].value):
                    yield make_change("argument", Slot(args, 0), ast.Constant(text))
                return
            for order in permutations(args):
                if list(order) != args:
                    made = ast.Call(func, list(order), keywords)
                    yield make_change("argument", slot, made, partial(call_text, slot.node), partial(call_text, made))
            if isinstance(func, ast.Attribute) and func.attr in ("transpose", "swapaxes"):
                for pair in combinations((-1, -2, 0, 1, 2, 3), 2):
                    made = ast.Call(func, [number(each) for each in pair], keywords)
                    yield make_change("argument", slot, made, partial(call_text, slot.node), partial(call_text, made))


def _einsums(text: str) -> Iterator[str]:
    if "->" not in text or len(text) > MAX_TEXT:
        return
    inputs, _, output = text.replace(" ", "").partition("->")
    parts = [*inputs.split(","), output]
    for place, part in enumerate(parts):
        for order in permutations(part) if len(part) <= 4 else ():
            found = [*parts[:place], "".join(order), *parts[place + 1 :]]
            if found != parts:
                yield f"{','.join(found[:-1])}->{found[-1]}"
