"""The rule of each operation of a forward pass, in words: what its backward does, and never how it is written."""

from __future__ import annotations

import ast
from collections.abc import Iterator

USED_TWICE = "two uses add: what comes back from each is added up"
STRETCHED = ("an axis that is stretched to fit", "a sum over that axis, so that the gradient has its value's own shape")
STRETCHING = (ast.Add, ast.Sub, ast.Mult, ast.Div)
ENTRYWISE = "entry by entry: the upstream gradient times the slope at that entry"
MOVED = "no number changes, only where it stands: the gradient is laid back the same way"

OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.MatMult: ("a @ b", "a matmul swaps: each factor gets a matmul with the other one, turned; the shapes say how"),
    ast.Mult: ("a * b", "a multiply swaps: each factor gets the upstream gradient times the other one"),
    ast.Add: ("a + b", "each term gets the upstream gradient whole"),
    ast.Sub: ("a - b", "each term gets the upstream gradient, the second one with a minus"),
    ast.Div: ("a / b", "a product of a and b**-1: the numerator is scaled, and the denominator has a slope of its own"),
    ast.Pow: ("a**p", f"a power, {ENTRYWISE}"),
}
NEGATION = ("-a", "the gradient changes its sign")
INDEX = ("a[...]", "only the entries that were read have a gradient; one that was read twice gets both")
CALLS: dict[str, tuple[str, str]] = {
    "sum": ("a sum", "every entry that was added gets the upstream gradient; it is stretched back over the axis"),
    "mean": ("a mean", "as a sum, and shared out: divided by the number of entries that were averaged"),
    "max": ("a maximum", "the winner gets everything, the others nothing"),
    "var": ("a variance", "every entry moves it twice: by itself and through the mean"),
    "masked_fill": ("masked_fill", "an entry that was filled in passes nothing back"),
    "where": ("where", "each entry passes back to the side that it was taken from"),
} | {
    name: (name, MOVED)
    for name in ("view", "reshape", "transpose", "permute", "flatten", "squeeze", "unsqueeze", "cat", "chunk", "split")
}
CALLS |= {
    name: (name, f"a function of each entry by itself, {ENTRYWISE}")
    for name in ("exp", "log", "tanh", "sigmoid", "relu", "sqrt", "rsqrt", "gelu", "sin", "cos", "erf", "clamp")
}


def find_rules(forward: str, value: str = "") -> Iterator[tuple[str, str]]:
    """Yield each operation of a forward's lines with its rule, once, in the order in which they are written.

    Of a `value` that is named it is also said if it is read more than once. Nothing of text that is not Python.
    """
    try:
        tree = ast.parse(forward)
    except SyntaxError:
        return
    found = [rule for node in _in_order(tree) if (rule := _rule(node)) is not None]
    yield from dict.fromkeys(found)
    if any(isinstance(node, ast.BinOp) and isinstance(node.op, STRETCHING) for node in ast.walk(tree)):
        yield STRETCHED
    reads = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    if value and sum(node.id == value for node in reads) > 1:
        yield f"{value}, which is read more than once", USED_TWICE


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        yield from _in_order(node)
        yield node


def _rule(node: ast.AST) -> tuple[str, str] | None:
    match node:
        case ast.BinOp(op=operator):
            return OPERATORS.get(type(operator))
        case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
            return NEGATION
        case ast.Attribute(attr="T" | "mT"):
            return ".T", MOVED
        case ast.Subscript(value=ast.Attribute(attr="shape")):
            return None
        case ast.Subscript(ctx=ast.Load()):
            return INDEX
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return CALLS.get(name)
    return None
