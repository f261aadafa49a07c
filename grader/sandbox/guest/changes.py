"""Small changes of a student's statements, each of them what they may have meant, the likeliest first.

Runs in the confined child only.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import chain

from grader.sandbox.guest.call_changes import arguments, axes, indices, not_reduced
from grader.sandbox.guest.places import (
    Change,
    Leaf,
    Shapes,
    Slot,
    blocks_of,
    call_text,
    inside,
    make_change,
    number,
    text_of,
)

_TURNED = frozenset({"T", "mT"})


# Functions that may stand around a value by mistake, or be forgotten.
_CURVES = ("exp", "log", "tanh", "sqrt")


_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**"}


# What one may write for another; a sum for a difference is a slip of the sign.
_MISTAKEN = {
    ast.Add: (ast.Mult,),
    ast.Sub: (ast.Mult, ast.Div),
    ast.Mult: (ast.Div, ast.MatMult, ast.Add, ast.Sub),
    ast.Div: (ast.Mult, ast.Sub),
    ast.MatMult: (ast.Mult,),
    ast.Pow: (ast.Mult,),
}


_COMPARISONS = (ast.Gt, ast.GtE, ast.Lt, ast.LtE, ast.Eq, ast.NotEq)


def changes(
    statements: list[ast.stmt], places: Collection[int], leaves: Sequence[Leaf], shapes: Shapes
) -> Iterator[tuple[int, Change]]:
    """Yield changes of the statements at these places, each with its place, that may read these leaves.

    `shapes` are those of the expressions in the first case: what does not fit there is no factor and no term.
    """
    slots = [(place, slot) for place in sorted(places) for slot in inside(Slot(statements, place))]
    found = [(place, slot) for place, slot in slots if isinstance(slot.node, ast.expr)]
    wholes = [(place, slot) for place, slot in found if _is_whole(slot)]
    inner = [
        (place, block) for place in sorted(places) for node in ast.walk(statements[place]) for block in blocks_of(node)
    ]
    yield from chain(
        _each(found, _signs),
        _each(found, partial(_names, leaves=leaves, alike=True)),
        _each(found, axes),
        _each(found, _numbers),
        _each(found, _turned),
        _each(found, _operators),
        _each(found, _swapped),
        _each(found, _brackets),
        _each(found, indices),
        _each(found, _too_much),
        _each(found, arguments),
        _each(found, _slopes),
        _each([each for each in found if _is_leaf(each[1].node)], _wrapped),
        ((place, each) for place in sorted(places) for each in _statement(statements, place, places)),
        ((place, each) for place, block in inner for k in range(len(block)) for each in _statement(block, k)),
        _each(wholes, partial(_factors, leaves=leaves, shapes=shapes)),
        _each(found, partial(_names, leaves=leaves, alike=False)),
        _each(wholes, not_reduced),
        _each(found, partial(_terms, leaves=leaves, shapes=shapes)),
        _each(wholes, partial(_missing_slopes, leaves=leaves, shapes=shapes)),
        _each([each for each in found if not _is_leaf(each[1].node)], _wrapped),
    )


def _each(slots: Sequence[tuple[int, Slot]], make: Callable[[Slot], Iterator[Change]]) -> Iterator[tuple[int, Change]]:
    for place, slot in slots:
        for change in make(slot):
            yield place, change


def _is_whole(slot: Slot) -> bool:
    """Return whether a factor can be missing here and not further in: a value, a term, an operand of a product."""
    holder, node = slot.holder, slot.node
    if isinstance(holder, ast.Assign | ast.AugAssign | ast.AnnAssign):
        return slot.field == "value"
    if isinstance(node, ast.Constant):
        return False
    if isinstance(holder, ast.BinOp):
        return isinstance(holder.op, ast.Add | ast.Sub | ast.MatMult | ast.Pow)
    return isinstance(holder, ast.Attribute) and not isinstance(node, ast.Name)


def _signs(slot: Slot) -> Iterator[Change]:
    match slot.node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield make_change("sign", slot, operand)
        case ast.BinOp(op=ast.Add() | ast.Sub() as op, left=left, right=right):
            other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield make_change("sign", slot, ast.BinOp(left, other, right))
        case ast.expr() as node if isinstance(slot.holder, ast.Assign | ast.AugAssign):
            yield make_change("sign", slot, ast.UnaryOp(ast.USub(), node))


def _names(slot: Slot, leaves: Sequence[Leaf], *, alike: bool) -> Iterator[Change]:
    """Yield another value in the place of one: those of its shape, or all others."""
    node = slot.node
    if not _is_leaf(node) or slot.is_called:
        return
    dumped = ast.dump(node)
    own = next((leaf for leaf in leaves if ast.dump(leaf.node) == dumped), None)
    for leaf in leaves if own is not None else ():
        if leaf is not own and not leaf.is_size and own is not None and (leaf.shapes == own.shapes) is alike:
            yield make_change("name", slot, leaf.node, after=partial(str, leaf.text))


def _is_leaf(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))


def _numbers(slot: Slot) -> Iterator[Change]:
    node, sign = slot.node, 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1
    if not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
        return
    value = sign * float(str(node.value))
    others: list[float] = [-value, value + 1, value - 1, 2 * value, value / 2, 0, 1, 2, 3, -1, -2, 0.5, -0.5, 1.5, -1.5]
    others += [1 / value] if value else []
    for other in dict.fromkeys(int(each) if each == int(each) else each for each in others):
        if other != value:
            yield make_change("number", slot, number(other))


def _turned(slot: Slot) -> Iterator[Change]:
    match slot.node:
        case ast.Attribute(value=inner, attr=name) if name in _TURNED:
            yield make_change("turned too much", slot, inner)
        case ast.Name() | ast.Attribute() | ast.BinOp() | ast.Call() as node:
            if not slot.is_called:
                yield make_change(
                    "not turned", slot, ast.Attribute(node, "mT", ast.Load()), after=lambda: f"{text_of(node)}.T"
                )


def _operators(slot: Slot) -> Iterator[Change]:
    match slot.node:
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
            for other in _MISTAKEN.get(type(op), ()):
                said = partial("{} belongs in place of {}".format, _OPERATORS[other], _OPERATORS[type(op)])
                yield make_change("operator", slot, ast.BinOp(left, other(), right), after=said)
        case ast.Compare(ops=[op], left=left, comparators=[right]):
            for comparison in _COMPARISONS:
                if comparison is not type(op):
                    yield make_change("comparison", slot, ast.Compare(left, [comparison()], [right]))


def _swapped(slot: Slot) -> Iterator[Change]:
    match slot.node:
        case ast.BinOp(op=ast.Sub() | ast.Div() | ast.MatMult() | ast.Pow() as op, left=left, right=right):
            yield make_change("swapped", slot, ast.BinOp(right, op, left))
            if isinstance(op, ast.MatMult):
                yield make_change("swapped", slot, ast.BinOp(_transposed(right), op, left))
                yield make_change("swapped", slot, ast.BinOp(right, op, _transposed(left)))


def _transposed(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Attribute) and node.attr in _TURNED:
        return node.value
    return ast.Attribute(node, "mT", ast.Load())


def _brackets(slot: Slot) -> Iterator[Change]:
    """Yield the same operators in another order of evaluation."""
    match slot.node:
        case ast.BinOp(left=ast.BinOp(left=a, op=first, right=b), op=second, right=c):
            yield make_change("brackets", slot, ast.BinOp(a, first, ast.BinOp(b, second, c)))
    match slot.node:
        case ast.BinOp(left=a, op=first, right=ast.BinOp(left=b, op=second, right=c)):
            yield make_change("brackets", slot, ast.BinOp(ast.BinOp(a, first, b), second, c))
        case ast.UnaryOp(op=ast.USub(), operand=ast.BinOp(left=a, op=first, right=b)):
            yield make_change("brackets", slot, ast.BinOp(ast.UnaryOp(ast.USub(), a), first, b))
    match slot.node:
        # (a - b).sum() for a - b.sum(), and the other way round.
        case ast.Call(func=ast.Attribute(value=ast.BinOp(left=a, op=op, right=b))) as call:
            yield make_change("brackets", slot, ast.BinOp(a, op, _called_on(call, b)))
            yield make_change("brackets", slot, ast.BinOp(_called_on(call, a), op, b))
        case ast.BinOp(left=a, op=op, right=ast.Call(func=ast.Attribute(value=b)) as call):
            yield make_change("brackets", slot, _called_on(call, ast.BinOp(a, op, b)))
    match slot.node:
        case ast.BinOp(left=ast.Call(func=ast.Attribute(value=a)) as call, op=op, right=b):
            yield make_change("brackets", slot, _called_on(call, ast.BinOp(a, op, b)))


def _called_on(call: ast.Call, node: ast.expr) -> ast.expr:
    """Return a call of the same method of something else."""
    assert isinstance(call.func, ast.Attribute)
    return ast.Call(ast.Attribute(node, call.func.attr, ast.Load()), call.args, call.keywords)


def _too_much(slot: Slot) -> Iterator[Change]:
    """Yield an expression without one of its parts."""
    whole = partial(text_of, slot.node)
    match slot.node:
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
            sign = _OPERATORS[type(op)]
            yield make_change("too much", slot, left, lambda: f"{sign} {text_of(right)}", whole)
            if not isinstance(op, ast.Pow):
                yield make_change("too much", slot, right, lambda: f"{text_of(left)} {sign}", whole)
        case ast.Call(func=ast.Attribute(value=inner) as called) as call:
            yield make_change("too much", slot, inner, lambda: f".{call_text(call)}", whole)
            # torch.exp(x), and what is no method; torch.zeros_like(x) says nothing of x but its shape.
            if len(call.args) == 1 and not called.attr.endswith("_like"):
                yield make_change("too much", slot, call.args[0], partial(text_of, call.func), whole)
        case ast.Call(func=ast.Name(), args=[argument]) as call:
            yield make_change("too much", slot, argument, partial(text_of, call.func), whole)
        case ast.Subscript(value=inner) as node:
            yield make_change("too much", slot, inner, lambda: f"[{text_of(node.slice)}]", whole)


def _statement(block: list[ast.stmt], place: int, places: Collection[int] | None = None) -> Iterator[Change]:
    """Yield an assignment that adds in place of setting, or the other way, and statements in another order."""
    statement, slot = block[place], Slot(block, place)
    match statement:
        case ast.AugAssign(target=target, op=ast.Add() | ast.Sub() as op, value=value):
            other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield make_change("sign", slot, ast.AugAssign(target, other, value))
            yield make_change("added", slot, ast.Assign([target], value))
        case ast.Assign(targets=[ast.Name() | ast.Subscript() as target], value=value):
            yield make_change("overwritten", slot, ast.AugAssign(target, ast.Add(), value))
    match statement:
        case (
            ast.Assign(targets=[ast.Subscript() as target], value=value)
            | ast.AugAssign(target=ast.Subscript() as target, op=ast.Add(), value=value)
        ):
            index = target.slice if isinstance(target.slice, ast.Tuple) else ast.Tuple([target.slice], ast.Load())
            call = ast.Call(
                ast.Attribute(_loaded(target.value), "index_put_", ast.Load()),
                [index, value],
                [ast.keyword("accumulate", ast.Constant(value=True))],
            )
            yield make_change("repeated index", slot, ast.Expr(call))
    if len(block) > 1:
        yield make_change("one too many", slot, ast.Pass())
    if place + 1 in (places or range(len(block))):
        first, second = block[place : place + 2]
        texts = partial(text_of, first), partial(text_of, second)
        yield Change("order", Slot(block, slice(place, place + 2)), [second, first], *texts, first.lineno)


def _loaded(node: ast.expr) -> ast.expr:
    node = copy.copy(node)
    if hasattr(node, "ctx"):
        node.ctx = ast.Load()
    return node


def _factors(slot: Slot, leaves: Sequence[Leaf], shapes: Shapes) -> Iterator[Change]:
    for text, value in (("* 2", 2), ("/ 2", 0.5)):
        product = ast.BinOp(slot.node, ast.Mult(), number(value))
        yield make_change("factor", slot, product, after=partial(str, text))
    for leaf in _fitting(slot, leaves, shapes):
        for op, text in ((ast.Mult(), "*"), (ast.Div(), "/")):
            after = partial("{} {}".format, text, leaf.text)
            yield make_change("factor", slot, ast.BinOp(slot.node, op, leaf.node), after=after)


def _terms(slot: Slot, leaves: Sequence[Leaf], shapes: Shapes) -> Iterator[Change]:
    if isinstance(slot.holder, ast.Assign | ast.AugAssign) and slot.field == "value":
        for leaf in _fitting(slot, leaves, shapes):
            for op, text in ((ast.Add(), "+"), (ast.Sub(), "-")):
                after = partial("{} {}".format, text, leaf.text)
                yield make_change("term", slot, ast.BinOp(slot.node, op, leaf.node), after=after)


def _fitting(slot: Slot, leaves: Sequence[Leaf], shapes: Shapes) -> Iterator[Leaf]:
    """Yield the leaves that leave an expression its shape; all, where that is not known."""
    shape = shapes.get(id(slot.node))
    for leaf in leaves:
        own = leaf.shapes[0] if leaf.shapes else ()
        sizes = zip(reversed(own), reversed(shape or ()), strict=False)
        if shape is None or (len(own) <= len(shape) and all(size in (1, whole) for size, whole in sizes)):
            yield leaf


def _slopes(slot: Slot) -> Iterator[Change]:
    """Yield a slope of the usual curves in place of what is made of one value."""
    node = slot.node
    if isinstance(node, ast.BinOp):
        values = [each for each in ast.walk(node) if isinstance(each, ast.expr) and _is_leaf(each)]
        read = {ast.dump(each): each for each in values}
        for made in _slopes_of(next(iter(read.values()))) if len(read) == 1 else ():
            yield make_change("slope", slot, made)


def _missing_slopes(slot: Slot, leaves: Sequence[Leaf], shapes: Shapes) -> Iterator[Change]:
    for leaf in _fitting(slot, leaves, shapes):
        for made in _slopes_of(leaf.node) if not leaf.is_size else ():
            product = ast.BinOp(slot.node, ast.Mult(), made)
            yield make_change("slope missing", slot, product, after=partial(str, leaf.text))


def _slopes_of(value: ast.expr) -> Iterator[ast.expr]:
    one, two = ast.Constant(1), ast.Constant(2)
    tanh = _method(value, "tanh")
    yield ast.BinOp(one, ast.Sub(), ast.BinOp(value, ast.Pow(), two))
    yield ast.BinOp(one, ast.Sub(), ast.BinOp(tanh, ast.Pow(), two))
    yield ast.BinOp(value, ast.Mult(), ast.BinOp(one, ast.Sub(), value))
    yield ast.Compare(value, [ast.Gt()], [ast.Constant(0)])


def _wrapped(slot: Slot) -> Iterator[Change]:
    node = slot.node
    if isinstance(node, ast.Constant) or slot.is_called:
        return
    one, two = ast.Constant(1), ast.Constant(2)
    ways: list[tuple[str, ast.expr]] = [
        ("1 - …", ast.BinOp(one, ast.Sub(), node)),
        ("1 / …", ast.BinOp(one, ast.Div(), node)),
        ("… ** 2", ast.BinOp(node, ast.Pow(), two)),
        *((f"….{name}()", _method(node, name)) for name in _CURVES),
        *((f"….unsqueeze({axis})", _method(node, "unsqueeze", number(axis))) for axis in (0, 1, -1)),
        ("….flip(0)", _method(node, "flip", ast.Constant(0))),
    ]
    for text, made in ways:
        yield make_change("wrapped", slot, made, after=partial(str, text))


def _method(node: ast.expr, name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Attribute(node, name, ast.Load()), list(arguments), [])
