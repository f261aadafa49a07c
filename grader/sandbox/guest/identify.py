"""Which of the course's values a student's names stand for, by what their forward pass computes. In the child only.

`hidden = torch.tanh(pre)` makes `h` of `hpreact`, whatever the two are called: with the course's numbers in their
places, both sides are equal. So a forward pass in names of one's own is read with the course's.
"""

from __future__ import annotations

import ast
import builtins
import itertools
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 # the name that students know it by
from torch import Tensor

from grader.sandbox.guest.dataflow import blocks, loaded

# What a forward pass is made of: it is pure, and cheap on the course's own data.
_CALLED = frozenset(
    {"amax", "div", "exp", "flatten", "log", "log_softmax", "max", "mean", "mul", "pow"}
    | {"reshape", "rsqrt", "softmax", "sqrt", "square", "squeeze", "std", "sub", "sum", "t", "tanh", "unsqueeze"}
    | {"var", "view"}
)
_BUILTINS = frozenset({"len", "range"})
_READ = frozenset({"T", "indices", "mT", "shape", "values"})
_ALLOWED = (
    ast.BinOp | ast.UnaryOp | ast.Name | ast.Constant | ast.Attribute | ast.Subscript | ast.Call | ast.Tuple | ast.List
    | ast.keyword | ast.operator | ast.unaryop | ast.expr_context | ast.Slice
)  # fmt: skip
_GIVEN = {"torch": torch, "F": F}
MOST_UNKNOWN, MOST_TRIALS = 2, 4_000
# Of numbers, of exponents, and of powers in one expression: what is made of them stays small.
LARGEST, STEEPEST, MOST_POWERS = 1_000, 4, 2


def identify(trees: Iterable[ast.Module], data: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    """Return the course's name for each name that the assignments of a text show to stand for one of its values.

    `known` are those of which it is known already.
    """
    names = dict(known)
    trials = itertools.count()
    found = [each for tree in trees for each in _assignments(tree.body) if _is_pure(each.value)]
    before = -1
    while before != len(names) and found:
        before = len(names)
        for each in found:
            target = each.targets[0]
            assert isinstance(target, ast.Name)
            if not target.id.startswith("d"):  # a gradient
                names |= _solve(target.id, each.value, data, names, trials)
    return {own: value for own, value in names.items() if own not in known}


def _solve(
    target: str, value: ast.expr, data: Mapping[str, Any], names: Mapping[str, str], trials: Iterator[int]
) -> dict[str, str]:
    """Return what an assignment shows its names to be; nothing where it shows nothing, or may be read in two ways."""
    reads = sorted(loaded(value) - set(_GIVEN) - set(dir(builtins)))
    unknown = [name for name in reads if name not in names]
    if len(unknown) > MOST_UNKNOWN or not (target in names or set(reads) & set(names)):
        return {}
    if not unknown and target in names:
        return {}
    code = compile(ast.Expression(value), "forward", "eval", dont_inherit=True)
    given = {name: data[names[name]] for name in reads if name in names}
    taken = set(names.values())
    free = [name for name, each in data.items() if name not in taken and isinstance(each, int | Tensor)]
    results = [names[target]] if target in names else [name for name in free if isinstance(data[name], Tensor)]
    found: list[dict[str, str]] = []
    for chosen in itertools.permutations(free, len(unknown)):
        if next(trials) > MOST_TRIALS:
            return {}
        made = _evaluate(code, {**given, **{own: data[name] for own, name in zip(unknown, chosen, strict=True)}})
        if made is not None:
            own = dict(zip(unknown, chosen, strict=True))
            found += [{**own, target: name} for name in results if name not in chosen and _are_equal(made, data[name])]
    # Two names of the course for one number are one.
    distinct = {tuple(id(data[name]) for name in each.values()): each for each in reversed(found)}
    return next(iter(distinct.values())) if len(distinct) == 1 else {}


def _evaluate(code: CodeType, names: dict[str, Any]) -> Tensor | None:
    try:
        made = eval(code, {**_GIVEN, **names})  # noqa: S307 # an expression of what is allowed above
    except Exception:  # noqa: BLE001 # of shapes that do not fit, as most do not
        return None
    return made if isinstance(made, Tensor) else None


def _are_equal(made: Tensor, value: Tensor) -> bool:
    if made.shape != value.shape or made.is_floating_point() != value.is_floating_point():
        return False
    return torch.allclose(made, value.to(made.dtype), rtol=1e-9, atol=1e-12)


def _assignments(body: Iterable[ast.stmt]) -> Iterator[ast.Assign]:
    """Yield the assignments to one name, at any depth, in the order of the text."""
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name()]):
                yield statement
            case _:
                for block in blocks(statement):
                    yield from _assignments(block)


def _is_pure(value: ast.expr) -> bool:
    """Return whether an expression only computes, and what it makes is about as large as the course's own data."""
    powers = 0
    for node in ast.walk(value):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in _BUILTINS:
                pass
            case ast.Call(func=ast.Attribute(attr=name)) if name in _CALLED:
                pass
            case ast.Attribute(attr=name) if name in _READ or name in _CALLED:
                pass
            case ast.BinOp(left=ast.List() | ast.Tuple()) | ast.BinOp(right=ast.List() | ast.Tuple()):
                return False
            case ast.BinOp(op=ast.Pow(), right=ast.Constant() | ast.UnaryOp(operand=ast.Constant()) as exponent):
                powers += 1
                number = exponent.operand if isinstance(exponent, ast.UnaryOp) else exponent
                if powers > MOST_POWERS or not _is_number(number, STEEPEST):
                    return False
            case ast.BinOp(op=op) if isinstance(op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.MatMult):
                pass
            case ast.Constant() if node.value is None or isinstance(node.value, bool) or _is_number(node, LARGEST):
                pass
            case ast.Call() | ast.Attribute() | ast.BinOp() | ast.Constant():
                return False
            case _ if not isinstance(node, _ALLOWED):
                return False
    return True


def _is_number(node: ast.expr, largest: int) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and abs(node.value) <= largest
