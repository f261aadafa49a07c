"""A forward pass as text: for a student to read, or to run on their own machine."""

from __future__ import annotations

import ast
import base64
import io
import textwrap
import tokenize
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from grader.course.trace import Value


@lru_cache(maxsize=256)
def read_forward(path: Path, function: str) -> str:
    """Return the lines of a forward as a lesson writes them: without the trace's `t.`, without what is around them.

    Returns "" if the file has no plain function of that name: a report without the text is still a report.
    """
    source, definition = _find(path, function)
    if definition is None or not definition.args.args:
        return ""
    body = definition.body
    if ast.get_docstring(definition) is not None:
        body = body[1:]
    if not body:
        return ""
    lines = source.splitlines()
    # A comment between the header and the first line belongs to it.
    start = definition.body[0].end_lineno if body is not definition.body else _header_end(definition)
    text = textwrap.dedent("\n".join(lines[start or 0 : definition.end_lineno]))
    return _without(definition.args.args[0].arg, text).strip("\n")


@lru_cache(maxsize=256)
def read_runnable(path: Path, function: str) -> str:
    """Return a forward with the imports, constants and helpers of its file that it needs, ready to run."""
    source, definition = _find(path, function)
    if definition is None:
        return ""
    statements = ast.parse(source).body
    needed = _names(definition)
    kept: set[int] = {statements.index(each) for each in statements if getattr(each, "name", None) == function}
    while True:
        more = {place for place, statement in enumerate(statements) if place not in kept and _binds(statement) & needed}
        if not more:
            break
        kept |= more
        for place in more:
            needed |= _names(statements[place])
    lines = source.splitlines()
    parts = [(statements[place], "\n".join(lines[_first_line(statements[place]) - 1 : statements[place].end_lineno]))
             for place in sorted(kept)]  # fmt: skip
    text = ""
    for statement, part in parts:
        gap = "\n\n\n" if isinstance(statement, ast.FunctionDef) else "\n"
        text += gap + part if text else part
    return text + "\n"


def _find(path: Path, function: str) -> tuple[str, ast.FunctionDef | None]:
    source = path.read_text(encoding="utf-8")
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.FunctionDef) and statement.name == function:
            return source, statement
    return source, None


def _header_end(definition: ast.FunctionDef) -> int:
    arguments = definition.args.args
    return max([definition.lineno, *(each.end_lineno or 0 for each in arguments)])


def _without(trace: str, text: str) -> str:
    """Return code with `t.` taken off every name of the trace; strings and comments stay as they are."""
    lines = text.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    cuts = [
        (name.start, dot.end)
        for before, name, dot in zip([None, *tokens], tokens, tokens[1:], strict=False)
        if (name.type, name.string, dot.string) == (tokenize.NAME, trace, ".")
        and (before is None or before.string != ".")
    ]
    for (row, start), (_, end) in reversed(cuts):
        lines[row - 1] = lines[row - 1][:start] + lines[row - 1][end:]
    return "".join(lines)


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _binds(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {(each.asname or each.name).split(".")[0] for each in names}
        case ast.Assign(targets=targets):
            return {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


# More entries than this are written as base64: nobody reads them one by one.
MOST_WRITTEN_OUT = 120
WIDTH = 100
DTYPES = {torch.float64: "float64", torch.int64: "int64", torch.bool: "bool"}


def literal(value: Value) -> str:
    """Return a number as itself, a small tensor as torch.tensor([...]), a large one as unpack(shape, dtype, base64)."""
    if not isinstance(value, Tensor):
        return repr(value)
    dtype = DTYPES[value.dtype]
    finite = bool(value.isfinite().all())
    if finite and value.numel() <= MOST_WRITTEN_OUT and value.numel() > 0:
        rows = repr(value.tolist())
        if len(rows) > WIDTH - 30 and value.dim() > 1:
            rows = "[\n" + "".join(f"    {row},\n" for row in value.tolist()) + "]"
        return f"torch.tensor({rows}, dtype=torch.{dtype})"
    packed = base64.b64encode(value.contiguous().numpy().tobytes()).decode()
    lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(packed, WIDTH)) or '    ""'
    return f"unpack({tuple(value.shape)}, torch.{dtype},\n{lines}\n)"
