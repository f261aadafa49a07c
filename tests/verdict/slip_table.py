"""Slips in all functions of the course that work step by step, generated: kinds times places times ways of writing.

The right answer is the solution. A slip goes into the statement that makes a gradient last, or behind it; then the
whole function is written in another way, with all that it calls beside it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = {
    "cross_entropy_steps_backward": "softmax_cross_entropy",
    "batchnorm_steps_backward": "batchnorm",
    "mlp_backward": "mlp",
    "attention_steps_backward": "attention",
    "batchnorm_backward": "batchnorm",
    "attention_backward": "attention",
    "cross_attention_backward": "attention",
    "residual_backward": "residual",
    "fast_mlp_backward": "speed",
    "layernorm_steps_backward": "layernorm",
    "layernorm_backward": "layernorm",
    "conv2d_backward": "convolution",
    "rnn_backward": "recurrence",
    "lstm_step_backward": "recurrence",
    "causal_attention_backward": "causal_attention",
    "transformer_block_backward": "transformer_block",
    "gpt_backward": "gpt",
}
# What becomes of a gradient's right expression.
SLIPS = {
    "factor": "2 * ({})",
    "sign": "-({})",
    "dtype": "({}).float()",
    "nan": "({}) * float('nan')",
    "zeros": "torch.zeros_like({})",
    "shape": "({}).sum(0)",
    "axes": "({})[None]",
    "raises": "({}).reshape(3, 99991, 7)",
    "none": "None",
}
# Of these, the axis of size 1 is lost by the slip that lost it in real submissions.
KEPT = {
    "dcounts_sum_inv": 1,
    "dcounts_sum": 1,
    "dbn_var_inv": 0,
    "dbn_var": 0,
    "dbn_mean": 0,
    "dln_rstd": 2,
    "dln_var": 2,
    "dln_mean": 2,
}
IMPORTS = """import math
from types import SimpleNamespace

import torch
import torch.nn.functional as F
"""


@dataclass(frozen=True)
class Slip:
    """One submission: a function in which one gradient is wrong, written in some way."""

    function: str
    gradient: str
    kind: str
    way: str

    @property
    def file(self) -> str:
        """The name under which it is handed in."""
        return f"{FUNCTIONS[self.function]}.py"

    def source(self) -> str:
        """Return the submission's text."""
        return write(self.function, {self.gradient: self.kind}, self.way)


def gradients(function: str) -> list[str]:
    """Return the gradients that a function returns, in their order."""
    returned = _function(function).body[-1]
    assert isinstance(returned, ast.Return)
    assert isinstance(returned.value, ast.Tuple)
    names = [part for part in ast.walk(returned.value) if isinstance(part, ast.Name)]
    return [part.id for part in sorted(names, key=lambda part: (part.lineno, part.col_offset))]


def all_slips() -> Iterator[Slip]:
    """Yield every kind of slip at every place of every function, the ways of writing taken in turn."""
    ways, number = list(WAYS), 0
    for function in FUNCTIONS:
        for gradient in gradients(function):
            for kind in SLIPS:
                number += 1
                yield Slip(function, gradient, kind, ways[number % len(ways)])


def write(function: str, slips: dict[str, str], way: str) -> str:
    """Return a submission with slips of a kind in some gradients, written in one of the ways."""
    tree = _function(function)
    names = gradients(function)
    body = [
        part for part in tree.body[:-1] if not isinstance(part, ast.Expr) or not isinstance(part.value, ast.Constant)
    ]
    for gradient, kind in slips.items():
        template = SLIPS[kind]
        if kind == "shape" and gradient in KEPT:
            template = f"({{}}).squeeze({KEPT[gradient]})"
        spoil(body, gradient, template)
    helpers = [ast.unparse(helper) for helper in _called(tree, {function}).values()]
    return "\n\n".join([IMPORTS, *helpers, f"{WAYS[way](function, ast.unparse(tree.args), body, names)}\n"])


@cache
def _solutions() -> dict[str, ast.FunctionDef]:
    trees = [ast.parse(path.read_text()) for path in sorted((ROOT / "solutions").glob("*.py"))]
    return {node.name: node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}


def _function(name: str) -> ast.FunctionDef:
    return copy.deepcopy(_solutions()[name])


def _called(function: ast.FunctionDef, known: Collection[str]) -> dict[str, ast.FunctionDef]:
    """Return the other functions of the solutions that one needs."""
    found: dict[str, ast.FunctionDef] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id in _solutions() and node.id not in {*known, *found}:
            helper = _solutions()[node.id]
            found |= {**_called(helper, {*known, *found, node.id}), node.id: helper}
    return found


def _sets(statement: ast.stmt, name: str) -> bool:
    """Return whether a statement, or one inside it, gives something to a name."""
    if isinstance(statement, ast.For | ast.While | ast.With | ast.If):
        return any(_sets(inner, name) for inner in statement.body)
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)]):
            return any(_sets(ast.Assign([target]), name) for target in targets)
        case ast.Assign(targets=[target]) | ast.AugAssign(target=target):
            pass
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=target))):
            pass
        case _:
            return False
    while isinstance(target, ast.Subscript):
        target = target.value
    return isinstance(target, ast.Name) and target.id == name


def spoil(body: list[ast.stmt], gradient: str, template: str) -> bool:
    """Put a slip into the last statement that makes a gradient; False if none does."""
    places = [place for place, statement in enumerate(body) if _sets(statement, gradient)]
    if not places:
        return False
    place = places[-1]
    statement = body[place]
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        statement.value = ast.parse(template.format(ast.unparse(statement.value)), mode="eval").body
    else:
        body.insert(place + 1, ast.parse(f"{gradient} = {template.format(gradient)}").body[0])
    return True


class _Renamed(ast.NodeTransformer):
    """Puts another expression in the place of each gradient's name."""

    def __init__(self, names: list[str], place: str) -> None:
        self._names, self._place = names, place

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in self._names:
            return node
        found = ast.parse(self._place.format(node.id, self._names.index(node.id)), mode="eval").body
        found.ctx = node.ctx  # type: ignore[attr-defined]
        return found


class _Doubled(ast.NodeTransformer):
    """Gives what is assigned to a gradient under its other name the gradient's own name, too."""

    def __init__(self, names: list[str]) -> None:
        self._names = {f"{name}_": name for name in names}

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        parts = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else node.targets
        own = [self._names.get(part.id, part.id) for part in parts if isinstance(part, ast.Name)]
        if len(own) == len(parts) and set(own) & set(self._names.values()):
            target = ast.unparse(node.targets[0])
            doubled = ast.parse(f"{', '.join(own)} = {target} = {ast.unparse(node.value)}").body[0]
            return ast.copy_location(doubled, node)
        return node


def _renamed(body: list[ast.stmt], names: list[str], place: str) -> list[ast.stmt]:
    return [_Renamed(names, place).visit(copy.deepcopy(statement)) for statement in body]


def _text(statements: list[ast.stmt], indent: int = 1) -> str:
    lines = "\n".join(ast.unparse(ast.fix_missing_locations(statement)) for statement in statements).split("\n")
    return "\n".join("    " * indent + line for line in lines)


def _assigned(statement: ast.stmt, names: list[str]) -> str | None:
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        name = statement.targets[0].id
        return name if name in names else None
    return None


def _each(body: list[ast.stmt], names: list[str], template: str) -> list[ast.stmt]:
    """Write `dx = …` by a template of its name and its expression."""
    written = []
    for statement in body:
        name = _assigned(statement, names)
        if name is None:
            written.append(statement)
        else:
            written += ast.parse(template.format(name=name, value=ast.unparse(statement.value))).body  # type: ignore[attr-defined]
    return written


def _plain(function: str, arguments: str, body: list[ast.stmt], names: list[str]) -> str:
    return f"def {function}({arguments}):\n{_text(body)}\n    return {', '.join(names)}"


def _by_statement(template: str) -> Callable[..., str]:
    return lambda function, arguments, body, names: _plain(function, arguments, _each(body, names, template), names)


def _alias(function: str, arguments: str, body: list[ast.stmt], names: list[str]) -> str:
    # What is changed in place is the same object under both names; `+=` on a tensor is, too.
    return _plain(function, arguments, [_Doubled(names).visit(each) for each in _renamed(body, names, "{0}_")], names)


def _kept_in(setup: str, place: str, returned: str) -> Callable[..., str]:
    def write(function: str, arguments: str, body: list[ast.stmt], names: list[str]) -> str:
        values = returned.format(", ".join(place.format(name, number) for number, name in enumerate(names)))
        inner = _text(_renamed(body, names, place))
        return f"def {function}({arguments}):\n    {setup}\n{inner}\n    return {values}"

    return write


def _inside(header: str) -> Callable[..., str]:
    def write(function: str, arguments: str, body: list[ast.stmt], names: list[str]) -> str:
        return f"def {function}({arguments}):\n    {header}\n{_text(body, 2)}\n    return {', '.join(names)}"

    return write


def _method(function: str, arguments: str, body: list[ast.stmt], names: list[str]) -> str:
    inner = _text(_renamed(body, names, "self.{0}"), 2)
    values = ", ".join(f"{name!r}: steps.{name}" for name in names)
    return (
        f"class Backward:\n    def run(self, {arguments}):\n{inner}\n\n\n"
        f"def {function}({arguments}):\n    steps = Backward()\n    steps.run({arguments})\n    return {{{values}}}"
    )


def _helper(function: str, arguments: str, body: list[ast.stmt], names: list[str]) -> str:
    called = f"def {function}({arguments}):\n    return steps({arguments})"
    return f"{_plain('steps', arguments, body, names)}\n\n\n{called}"


WAYS: dict[str, Callable[..., str]] = {
    "plain": _plain,
    "alias": _alias,
    "items of a dict": _kept_in("grads = {}", "grads['{0}']", "grads"),
    "attributes": _kept_in("grads = SimpleNamespace()", "grads.{0}", "({0})"),
    "names of one's own": _kept_in("pass", "step{1}", "({0})"),
    "a running variable": _by_statement("running = {value}\n{name} = running"),
    "walrus": _by_statement("if ({name} := {value}) is None:\n    pass"),
    "annotated": _by_statement("{name}: object = {value}"),
    "pairs": _by_statement("({name}, unused) = ({value}, None)"),
    "functions inside": _by_statement("def make():\n    return {value}\n{name} = make()"),
    "with no_grad": _inside("with torch.no_grad():"),
    "a loop": _inside("for _ in range(1):"),
    "a method": _method,
    "a helper": _helper,
}
