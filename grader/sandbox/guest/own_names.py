"""The course's names for what a student calls otherwise: near names, aliases, sizes. In the confined child only."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from grader.sandbox.guest.identify import identify

# How alike two names are of which one is taken for the other; in a short one each letter tells.
NEAR, SHORT = 0.8, 4
MOST_NAMES = 1_000
# What makes a tensor from its sizes, in torch and in numpy.
_MAKERS = frozenset({"empty", "normal", "ones", "rand", "randn", "standard_normal", "zeros"})


@dataclass(frozen=True)
class Vocabulary:
    """The course's values by name, the names of its gradients, and in `aliases` other names for values."""

    data: Mapping[str, Any]
    gradients: Collection[str]
    aliases: Mapping[str, str]


def rename(trees: Collection[ast.Module], course: Vocabulary) -> dict[str, str]:
    """Give values and gradients the course's names where a near one is written; return those of gradients."""
    nodes = [each for tree in trees for each in ast.walk(tree) if isinstance(each, ast.Name)]
    written = {each.id for each in nodes}
    assigned = {each.id for each in nodes if isinstance(each.ctx, ast.Store)}
    strangers = assigned.difference(course.data, course.gradients)
    strangers = strangers if len(strangers) <= MOST_NAMES else set()
    values = {own: value for own, value in course.aliases.items() if own in written and value not in written}
    if any(isinstance(each, Tensor) and name not in written for name, each in course.data.items()):
        known = {name: name for name in written.intersection(course.data)}
        values |= identify(trees, course.data, {**known, **values})
    for value in sorted(set(course.data).difference(written, values.values())):
        # A name with a d before it is a gradient's.
        found = _nearest(value, {name for name in strangers - set(values) if not name.startswith("d")})
        if found is not None:
            values[found] = value
    # What is the gradient of a value by another name, has another name as well; and some write logits_grad for dlogits.
    missing = set(course.gradients) - assigned
    spelled = {f"d{own}": f"d{value}" for own, value in values.items()}
    for own, value in {**{name: name for name in course.data}, **values}.items():
        spelled |= dict.fromkeys(spellings(own)[1:], f"d{value}")
    near = {own: gradient for own in sorted(strangers) if (gradient := _spelled_as(own, spelled)) in missing}
    for gradient in sorted(set(course.gradients).difference(assigned, near.values())):
        found = _nearest(gradient, {name for name in strangers - set(near) if name.lower().startswith("d")})
        if found is not None:
            near[found] = gradient
    for tree in trees:
        _Renamed({**values, **near}).visit(tree)
    return near


def spellings(value: str) -> list[str]:
    """Return what the gradient of a value is called, without underscores: as the course calls it, and as others do."""
    plain = value.replace("_", "")
    return [f"d{plain}", f"{plain}grad", f"grad{plain}", f"dLd{plain}", f"dlossd{plain}"]


def are_named(values: Iterable[str], text: bytes) -> bool:
    """Return whether a text, in UTF-8 or UTF-16, has a name for the gradient of one of some values."""
    plain = text.replace(b"_\0", b"").replace(b"_", b"")
    sought = {name for value in values for name in spellings(value)}
    return any(name.encode(encoding) in plain for name in sought for encoding in ("utf-8", "utf-16-le"))


def _spelled_as(own: str, spelled: Mapping[str, str]) -> str:
    return spelled.get(own) or spelled.get(own.replace("_", ""), "")


def sizes_in(statement: ast.stmt, axes: Mapping[str, int]) -> dict[str, str]:
    """Return the names that a statement has for sizes of the course's tensors, each with the expression for it.

    `C = torch.randn((voc, emb))` says what voc and emb are; so does `logprobs[range(size), Yb]`. What a student has
    computed them from, data that are not here, is then not needed. `axes` has how many axes a tensor has.
    """
    found: dict[str, str] = {}
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in axes:
            for made in (each for each in ast.walk(value) if isinstance(each, ast.Call)):
                sizes = _made_of(made)
                if len(sizes) == axes[name]:
                    found |= {each: f"{name}.shape[{axis}]" for axis, each in enumerate(sizes) if each}
    for node in ast.walk(statement):
        match node:
            case ast.Subscript(
                slice=ast.Tuple(elts=[ast.Call(func=function, args=[ast.Name(id=size)]), ast.Name(id=index)])
            ) if _last_name(function) in ("range", "arange") and axes.get(index) == 1:
                found[size] = f"{index}.shape[0]"
    return found


def _made_of(call: ast.Call) -> list[str]:
    """Return what a call is given as sizes, the empty text for one that is no name."""
    if _last_name(call.func) not in _MAKERS:
        return []
    match call.args:
        case [ast.Tuple(elts=sizes) | ast.List(elts=sizes), *_]:
            pass
        case sizes:
            pass
    return [each.id if isinstance(each, ast.Name) else "" for each in sizes]


def _last_name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:  # the transformer's own name
        node.id = self._names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._names.get(node.arg, node.arg)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        # Of a function of the student's: torch.addmm has a beta of its own.
        for keyword in node.keywords if isinstance(node.func, ast.Name) else ():
            keyword.arg = self._names.get(keyword.arg or "", keyword.arg)
        return node


def _nearest(name: str, strangers: Collection[str]) -> str | None:
    """Return the one name that is nearly the same, but for case, underscores, the word for a square, or a letter."""
    plain = [each for each in strangers if _plain(each) == _plain(name)]
    if plain:
        return plain[0] if len(plain) == 1 else None
    known = {_plain(each): each for each in strangers if _plain(each)[-1:].isdigit() == _plain(name)[-1:].isdigit()}
    near = difflib.get_close_matches(_plain(name), known, n=1, cutoff=NEAR) if len(name) >= SHORT else []
    return known[near[0]] if near else None


def _plain(name: str) -> str:
    """Return a name without case and underscores; a square is a square however it is written."""
    return re.sub(r"sq[a-z]*$", "2", name.lower().replace("_", ""))
