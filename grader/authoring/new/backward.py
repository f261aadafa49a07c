"""A line of a forward pass backward, as code: right, and with one slip in it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor

from grader.authoring.new.passes import Pass
from grader.authoring.new.rules import FUNCTIONS, RULES, Rule


@dataclass(frozen=True)
class Slip:
    """What went wrong on the way, as a name and as a sentence to a student."""

    name: str
    sentence: str


@dataclass(frozen=True)
class Way:
    """What comes back from one value to another as code, right if `slip` is None."""

    code: ast.expr
    slip: Slip | None = None


class _Unknown(Exception):  # noqa: N818 # no fault: a line that is not taken apart
    """An operation that has no rule here."""


class Line:
    """The line of a forward pass that computes a value, taken apart on the values of one run."""

    def __init__(self, found: Pass, name: str) -> None:
        self.found = found
        self.name = name
        self.expression = _inlined(found, name)
        self._known = {**vars(found.module), found.trace: SimpleNamespace(**found.forward.values)}

    def ways(self, read: str, upstream: ast.expr) -> list[Way]:
        """Return how the value's gradient comes back to one that it reads: right first, then with each slip.

        Of a line that holds an operation without a rule, nothing is returned.
        """
        if self.expression is None:
            return []
        try:
            return self._back(self.expression, upstream, read)
        except (_Unknown, RuntimeError, TypeError, ValueError, IndexError, AttributeError, NameError):
            return []

    def _back(self, node: ast.expr, g: ast.expr, read: str) -> list[Way]:
        """Return the ways to `read` through an expression, of which at least one is right; none if it is not in it."""
        match node:
            case ast.Attribute(value=ast.Name(id=trace), attr=name) if trace == self.found.trace:
                return [Way(g)] if name == read else []
        if read not in self._reads(node):
            return []
        each: list[list[Way]] = []
        for operand, (code, slips), parts in self._operands(node):
            if read not in self._reads(operand):
                continue
            here: list[Way] = []
            for way in self._fit(_fill(code, {**parts, "g": g}), node, operand):
                ways = self._back(operand, way.code, read)
                here += [Way(ways[0].code, way.slip)] if way.slip else ways
            for name, wrong, sentence in slips:
                fitted = next(self._fit(_fill(wrong, {**parts, "g": g}), node, operand))
                slip = Slip(name, self._say(sentence, operand, read))
                here.append(Way(self._back(operand, fitted.code, read)[0].code, slip))
            each.append(here)
        right = [ways[0].code for ways in each]
        found = [Way(add_up(right))]
        for place, ways in enumerate(each):
            # What comes back through the other operands stays right.
            found += [Way(add_up([*right[:place], way.code, *right[place + 1 :]]), way.slip) for way in ways[1:]]
        return found

    def _say(self, sentence: str, operand: ast.expr, read: str) -> str:
        name = operand.attr if isinstance(operand, ast.Attribute) else read
        return sentence.format(step=self.name, read=name)

    def _operands(self, node: ast.expr) -> Iterator[tuple[ast.expr, Rule, dict[str, ast.expr]]]:
        """Yield each operand of an operation with its rule, and with what the letters of the rule stand for."""
        z = self._named(node)
        match node:
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                exponent = self._value(right)
                if isinstance(exponent, Tensor):
                    raise _Unknown
                yield from self._power(left, float(exponent))
            case ast.BinOp(left=left, op=op, right=right) if type(op).__name__ in RULES:
                first, second = RULES[type(op).__name__]
                if isinstance(op, ast.MatMult) and min(len(self._shape(left)), len(self._shape(right))) < 2:
                    raise _Unknown
                yield left, first, {"a": left, "b": right}
                yield right, second, {"a": right, "b": left}
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                yield operand, RULES["USub"][0], {"a": operand}
            case ast.Attribute(value=operand, attr="T" | "mT"):
                yield operand, RULES["mT"][0], {"a": operand}
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr=name), args=[operand, *rest]):
                yield from self._called(node, name, operand, rest, z)
            case ast.Call(func=ast.Attribute(value=operand, attr=name), args=rest):
                yield from self._called(node, name, operand, rest, z)
            case _:
                raise _Unknown

    def _power(self, base: ast.expr, exponent: float) -> Iterator[tuple[ast.expr, Rule, dict[str, ast.expr]]]:
        code, slips = RULES["Pow"][0]
        less = exponent - 1
        parts = {"a": base, "k": _as_number(exponent)}
        own = [(name, wrong.replace("(k - 1)", "m"), said) for name, wrong, said in slips]
        match base:
            case ast.BinOp(left=inner, op=ast.Add(), right=ast.Constant(value=float() as small)) if small < 1e-3:
                said = f"You left out the {small:g}. The forward takes the power of a sum with that number in it."
                own.append(("small_number_missing", "g * k * i**m", said))
                parts["i"] = inner
        parts["m"] = _as_number(less)
        code = code.replace("(k - 1)", "m") if less != 1 else "g * k * a"
        if less == 1:
            own = [(name, wrong.replace("a**m", "a"), said) for name, wrong, said in own]
        yield base, (code, own), parts

    def _called(
        self, node: ast.Call, name: str, operand: ast.expr, rest: Sequence[ast.expr], z: ast.expr
    ) -> Iterator[tuple[ast.expr, Rule, dict[str, ast.expr]]]:
        keywords = {each.arg: self._value(each.value) for each in node.keywords}
        if name in FUNCTIONS and not rest and not keywords:
            yield operand, RULES[name][0], {"a": operand, "z": z}
        elif name in ("sum", "mean") and set(keywords) <= {"dim", "keepdim"}:
            dim = keywords.get("dim", self._value(rest[0]) if rest else None)
            yield operand, *self._over(name, operand, dim, is_kept=bool(keywords.get("keepdim")))
        else:
            raise _Unknown

    def _over(self, name: str, operand: ast.expr, dim: object, *, is_kept: bool) -> tuple[Rule, dict[str, ast.expr]]:
        """Return the rule of a sum or a mean over one axis, or over all."""
        (code, slips), count = RULES[name][0], self._value(operand).dim()
        parts = {"a": operand}
        if dim is None:
            parts |= {"k": _fill("a.numel()", parts), "o": _fill("len(a)", parts)}
        elif isinstance(dim, int):
            parts |= {"k": _fill(f"a.shape[{dim}]", parts), "o": _fill(f"a.shape[{(dim + 1) % count}]", parts)}
            if not is_kept:
                unsqueezed = f"g.unsqueeze({dim})"
                code = code.replace("g.expand", f"{unsqueezed}.expand")
                slips = [(slip, wrong.replace("g.expand", f"{unsqueezed}.expand"), said) for slip, wrong, said in slips]
        else:
            raise _Unknown
        return (code, slips), parts

    def _fit(self, code: ast.expr, node: ast.expr, operand: ast.expr) -> Iterator[Way]:
        """Yield code summed over the axes that were broadcast from an operand, then with slips in that."""
        there, own = self._shape(node), self._shape(operand)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            there = (*there[:-2], *own[-2:])
        if not isinstance(node, ast.BinOp) or isinstance(node.op, ast.Pow) or there == own:
            yield Way(code)
            return
        lost = len(there) - len(own)
        kept = tuple(lost + axis for axis, size in enumerate(own) if size == 1 and there[lost + axis] > 1)
        front = tuple(range(lost))
        text = "c" + _over_axes("sum", kept, keepdim=True) + _over_axes("sum", front, keepdim=False)
        yield Way(_fill(text, {"c": code}))
        said = (
            "The forward used {read} many times over. What comes back from all its uses is added up, and yours is not."
        )
        yield Way(code, Slip("not_summed", self._say(said, operand, "it")))
        said = "You took a mean. A value that is used many times over collects all of what comes back, not a share."
        yield Way(_fill(text.replace("sum", "mean"), {"c": code}), Slip("averaged", said))
        shape = "The numbers are right and the shape is not. An axis of size 1 is {}."
        if kept and not front:
            text = "c" + _over_axes("sum", kept, keepdim=False)
            yield Way(_fill(text, {"c": code}), Slip("axis_lost", shape.format("lost")))
        elif front and not kept:
            text = "c" + _over_axes("sum", front, keepdim=True)
            yield Way(_fill(text, {"c": code}), Slip("axis_kept", shape.format("left over")))

    def _named(self, node: ast.expr) -> ast.expr:
        """Return an expression as the value of the forward that it is, if it has a name."""
        if node is self.expression:
            return ast.Attribute(ast.Name(self.found.trace), self.name)
        return node

    def _reads(self, node: ast.AST) -> set[str]:
        """Return the values whose numbers an expression reads; a size comes from no number."""
        match node:
            case ast.Attribute(value=ast.Name(id=trace), attr=name) if trace == self.found.trace:
                return {name}
            case ast.Attribute(attr="shape") | ast.Call(func=ast.Name(id="len")):
                return set()
            case ast.Call(func=ast.Attribute(attr="size" | "numel")):
                return set()
        return {name for child in ast.iter_child_nodes(node) for name in self._reads(child)}

    def _shape(self, node: ast.expr) -> tuple[int, ...]:
        value = self._value(node)
        return tuple(value.shape) if isinstance(value, Tensor) else ()

    def _value(self, node: ast.expr) -> Tensor:
        code = compile(ast.fix_missing_locations(ast.Expression(node)), "<forward>", "eval")
        with torch.no_grad():
            return eval(code, dict(self._known))  # type: ignore[no-any-return] # noqa: S307 # the author's own line


def _inlined(found: Pass, name: str) -> ast.expr | None:
    """Return the line of a value with what it reads from local names put in their place."""
    line = found.lines.get(name)
    if line is None:
        return None
    inlined = _Filling(found.locals).visit(copy.deepcopy(line))
    assert isinstance(inlined, ast.expr)
    return inlined


def add_up(terms: Sequence[ast.expr]) -> ast.expr:
    """Return the sum of terms as code."""
    total = terms[0]
    for term in terms[1:]:
        total = ast.BinOp(total, ast.Add(), term)
    return total


def _over_axes(operation: str, axes: tuple[int, ...], *, keepdim: bool) -> str:
    if not axes:
        return ""
    dim = str(axes[0]) if len(axes) == 1 else str(axes)
    return f".{operation}(dim={dim}{', keepdim=True' if keepdim else ''})"


def _as_number(number: float) -> ast.expr:
    return ast.parse(repr(int(number) if number == int(number) else number), mode="eval").body


class _Filling(ast.NodeTransformer):
    def __init__(self, parts: Mapping[str, ast.expr]) -> None:
        self.parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Put what a letter stands for in its place."""
        return self.parts.get(node.id, node)


def _fill(code: str, parts: Mapping[str, ast.expr]) -> ast.expr:
    """Return code with expressions in place of its letters."""
    filled = _Filling(parts).visit(ast.parse(code, mode="eval").body)
    assert isinstance(filled, ast.expr)
    return filled
