"""A forward pass as text: for a student to read, or to run on their own machine."""

from __future__ import annotations

import ast
import io
import textwrap
import tokenize
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

# The package that another assignment's file is imported from.
ASSIGNMENTS = "assignments"


@dataclass(frozen=True)
class Source:
    """The text of one forward pass, a function of a reference.py.

    Each text is "" if the file has no plain function of that name: a report without it is still a report.
    """

    path: Path
    function: str

    @cached_property
    def definition(self) -> str:
        """The function as it stands in its file."""
        return (ast.get_source_segment(self._text, self._node) or "") if self._node else ""

    @cached_property
    def lesson(self) -> str:
        """Its lines as a lesson writes them: without the trace's `t.`, without what is around them."""
        definition = self._node
        if definition is None or not definition.args.args:
            return ""
        body = definition.body
        if ast.get_docstring(definition) is not None:
            body = body[1:]
        if not body:
            return ""
        lines = self._text.splitlines()
        # A comment between the header and the first line belongs to it.
        start = definition.body[0].end_lineno if body is not definition.body else _header_end(definition)
        text = textwrap.dedent("\n".join(lines[start or 0 : definition.end_lineno]))
        return _without(definition.args.args[0].arg, text).strip("\n")

    def statement(self, line: int) -> str:
        """Return the statement of the function at this line of the file, as a lesson writes it; "" if there is none."""
        definition = self._node
        if definition is None or not definition.args.args:
            return ""
        found = [each for each in self._inside if each.lineno <= line <= (each.end_lineno or 0)]
        if not found:
            return ""
        smallest = max(found, key=lambda each: each.lineno)
        text = "\n".join(self._text.splitlines()[smallest.lineno - 1 : smallest.end_lineno])
        return _without(definition.args.args[0].arg, textwrap.dedent(text)).strip()

    @cached_property
    def runnable(self) -> str:
        """The function with the imports, constants and helpers of its file that it needs, ready to run."""
        if self._node is None:
            return ""
        statements = self._statements
        needed = _names(self._node)
        kept: set[int] = {statements.index(each) for each in statements if getattr(each, "name", None) == self.function}
        while True:
            more = {
                place for place, statement in enumerate(statements) if place not in kept and _binds(statement) & needed
            }
            if not more:
                break
            kept |= more
            for place in more:
                needed |= _names(statements[place])
        lines = self._text.splitlines()
        text = ""
        for statement in (statements[place] for place in sorted(kept)):
            part = "\n".join(lines[_first_line(statement) - 1 : statement.end_lineno])
            part = self._imported(statement) or part
            gap = "\n\n\n" if "\ndef " in f"\n{part}" else "\n"
            text += gap + part if text else part
        return text + "\n"

    def _imported(self, statement: ast.stmt) -> str:
        """Return what a statement imports from another assignment as text, "" if it does not."""
        if not isinstance(statement, ast.ImportFrom) or not (statement.module or "").startswith(f"{ASSIGNMENTS}."):
            return ""
        path = self.path.parents[1].joinpath(*str(statement.module).split(".")[1:]).with_suffix(".py")
        parts = [Source(path, each.name).runnable for each in statement.names]
        parts += [f"{each.asname} = {each.name}\n" for each in statement.names if each.asname]
        return "\n\n".join(parts).rstrip("\n")

    @cached_property
    def _text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def _statements(self) -> list[ast.stmt]:
        return ast.parse(self._text).body

    @cached_property
    def _inside(self) -> list[ast.stmt]:
        """The statements of the function, at any depth."""
        walked = ast.walk(self._node) if self._node else ()
        return [each for each in walked if isinstance(each, ast.stmt) and each is not self._node]

    @cached_property
    def _node(self) -> ast.FunctionDef | None:
        plain = (each for each in self._statements if isinstance(each, ast.FunctionDef))
        return next((each for each in plain if each.name == self.function), None)


@lru_cache(maxsize=256)
def find_imports(source: str) -> tuple[str, ...]:
    """Return the modules that a file imports, by their full names; none of one that is not Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ()
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module)
    return tuple(found)


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
