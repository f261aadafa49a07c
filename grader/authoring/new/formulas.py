"""Lines of a forward pass as formulas in TeX."""

from __future__ import annotations

import ast
import re

from grader.authoring.new.axes import UNKNOWN, name_axes
from grader.authoring.new.passes import Pass
from grader.report.maths import MathsError, to_mathml

# How closely parts hold together: a sum, a product, a sign, a power, and what needs no parentheses.
SUM, PRODUCT, SIGN, POWER, WHOLE = range(5)
FUNCTIONS = {"exp": r"\exp", "log": r"\log", "tanh": r"\tanh", "sigmoid": r"\sigma", "relu": r"\mathrm{relu}"}
OVER_AN_AXIS = {"sum": r"\mathrm{sum}", "mean": r"\mathrm{mean}", "softmax": r"\mathrm{softmax}", "max": r"\max"}


class _UntoldError(Exception):
    """An expression that has no formula here."""


def tex_of_line(found: Pass, name: str) -> str | None:
    """Return the line that computes a value as TeX, or None if it says more than a formula can."""
    expression = found.lines.get(name)
    if expression is None:
        return None
    try:
        tex = f"{tex_of_name(name)} = {_Writer(found).write(expression, SUM)}"
        to_mathml(tex)
    except (_UntoldError, MathsError):
        return None
    return tex


def tex_of_name(name: str) -> str:
    """Return the name of a value as TeX."""
    return name if len(name) == 1 else rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"


class _Writer:
    """Writes the expressions of one forward pass; an axis is named by its size."""

    def __init__(self, found: Pass) -> None:
        self.found = found

    def write(self, node: ast.expr, around: int) -> str:
        tex, binding = self._parts(node)
        return tex if binding >= around else rf"\left({tex}\right)"

    def _parts(self, node: ast.expr) -> tuple[str, int]:
        match node:
            case ast.Attribute(value=ast.Name(id=trace), attr=name) if trace == self.found.trace:
                return tex_of_name(name), WHOLE
            case ast.Name(id=name) if name in self.found.locals:
                return tex_of_name(name), WHOLE
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return _number(number), WHOLE
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return f"-{_number(number)}", SIGN
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"-{self.write(operand, PRODUCT)}", SUM
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return f"{self.write(left, SUM)} + {self.write(right, SUM)}", SUM
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return f"{self.write(left, SUM)} - {self.write(right, PRODUCT)}", SUM
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return rf"{self.write(left, PRODUCT)} \cdot {self.write(right, PRODUCT)}", PRODUCT
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                return rf"{self.write(left, PRODUCT)} \, {self.write(right, PRODUCT)}", PRODUCT
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return rf"\frac{{{self.write(left, SUM)}}}{{{self.write(right, SUM)}}}", WHOLE
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return f"{self.write(left, WHOLE)}^{{{self.write(right, SUM)}}}", POWER
            case ast.Attribute(value=operand, attr="T" | "mT"):
                return rf"{self.write(operand, WHOLE)}^{{\top}}", POWER
            case ast.Attribute(value=ast.Call() as call, attr="values"):
                return self._call(call)
            case ast.Call():
                return self._call(node)
        raise _UntoldError

    def _call(self, node: ast.Call) -> tuple[str, int]:
        match node.func:
            case ast.Attribute(value=ast.Name(id="torch"), attr=name) if node.args:
                operand, rest = node.args[0], node.args[1:]
            case ast.Attribute(value=operand, attr=name):
                rest = node.args
            case _:
                raise _UntoldError
        keywords = {each.arg: each.value for each in node.keywords}
        inner = self.write(operand, SUM)
        if name in OVER_AN_AXIS and set(keywords) <= {"dim", "keepdim"}:
            dim = keywords.get("dim", rest[0] if rest else None)
            return rf"{OVER_AN_AXIS[name]}{self._below(operand, dim)}\left({inner}\right)", WHOLE
        if keywords or rest:
            raise _UntoldError
        if name == "sqrt":
            return rf"\sqrt{{{inner}}}", WHOLE
        if name in FUNCTIONS:
            return rf"{FUNCTIONS[name]}\left({inner}\right)", WHOLE
        raise _UntoldError

    def _below(self, operand: ast.expr, dim: ast.expr | None) -> str:
        """Return the letter of the axis that is gone, if a value of that shape is read."""
        if dim is None:
            return ""
        try:
            axis = ast.literal_eval(dim)
            reads = [
                each.attr
                for each in ast.walk(operand)
                if isinstance(each, ast.Attribute) and each.attr in self.found.forward.leaves
            ]
            letters = max((name_axes(self.found, read) for read in reads), key=len)
            letter = letters[axis].replace(" * ", r" \, ")
            return (
                "" if letter == UNKNOWN else f"_{{{re.sub(r'[A-Za-z_]+', lambda each: tex_of_name(each[0]), letter)}}}"
            )
        except (ValueError, IndexError, TypeError) as error:
            raise _UntoldError from error


def _number(number: float) -> str:
    mantissa, letter, exponent = f"{number:g}".partition("e")
    if not letter:
        return mantissa
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"
