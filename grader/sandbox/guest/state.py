"""Whether statements rest on their arguments alone: on what is remembered or drawn, no change of them tells anything.

Runs in the confined child only.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from grader.sandbox.guest.dataflow import loaded

MODULES = frozenset({"torch", "numpy", "math", "cmath", "functools", "itertools", "operator", "types", "typing"})
# What draws numbers, by the names under which torch and numpy have it.
_DRAWING = frozenset(
    {"rand", "randn", "randint", "randperm", "rand_like", "randn_like", "bernoulli", "normal", "multinomial", "random"}
    | {"random_", "normal_", "uniform_", "bernoulli_", "dropout", "initial_seed", "Generator"}
)
# What tells one object from another with its numbers.
_TELLING = frozenset({"id", "data_ptr", "_version", "globals", "locals", "vars", "getrefcount"})
_PLAIN = (int, float, str, bool, type(None), torch.dtype, torch.Size, torch.Tensor, np.generic, np.ndarray, type)
MOST_DEPTH = 8


def rest_on_state(statements: Sequence[ast.stmt], names: Mapping[str, Any], known: Collection[str]) -> bool:
    """Return whether statements read anything of a file that may be another thing at the next call.

    `names` are those of the file, and `known` the arguments and what else is put in their place.
    """
    read = set().union(*(loaded(each) for each in statements)) if statements else set()
    stored = {
        node.id
        for each in statements
        for node in ast.walk(each)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    defined = {each.name for each in statements if isinstance(each, ast.FunctionDef)}
    free = read - stored - defined - set(known)
    if any(_looks_around(node) for each in statements for node in ast.walk(each)):
        return True
    return any(not _is_constant(names[name], 0) for name in free if name in names)


def _looks_around(node: ast.AST) -> bool:
    """Return whether a piece of syntax draws numbers, or asks whether two things are one, which a change may decide."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in _DRAWING or name in _TELLING
        case ast.Compare(ops=ops, comparators=others):
            pairs = zip(ops, others, strict=True)
            return any(isinstance(op, ast.Is | ast.IsNot) and not _is_none(other) for op, other in pairs)
    return False


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_constant(value: Any, depth: int) -> bool:
    """Return whether a value is the same at every call: a module of numbers, a number, a function of such."""
    if depth > MOST_DEPTH:
        return False
    if isinstance(value, types.ModuleType):
        return value.__name__.partition(".")[0] in MODULES
    if isinstance(value, tuple | frozenset):
        return all(_is_constant(each, depth + 1) for each in value)
    if isinstance(value, types.BuiltinFunctionType):
        # Of random.random it is the generator.
        owner = value.__self__
        return isinstance(owner, type) or (isinstance(owner, types.ModuleType) and _is_constant(owner, depth))
    if not isinstance(value, types.FunctionType):
        return isinstance(value, _PLAIN) or type(value).__module__ == "numpy"
    if value.__module__.partition(".")[0] in MODULES:
        return True
    inner = [value.__globals__[name] for name in value.__code__.co_names if name in value.__globals__]
    own = [*inner, *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    is_open = value.__closure__ is not None or bool(value.__dict__)
    return not is_open and all(_is_constant(each, depth + 1) for each in own if each is not value)
