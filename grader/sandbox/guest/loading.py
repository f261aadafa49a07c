"""The statements of a file or a notebook, run one by one: one that fails costs what rests on it, and nothing else.

Of a notebook only those run that a function of the course needs: what downloads, trains or plots does not define any.
"""

from __future__ import annotations
import __future__

import ast
import dis
import linecache
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import Any

from grader.sandbox.guest.lines import is_stub

MAX_REASON = 300
_UNKNOWN_NAME = re.compile(r"NameError: name '(\w+)' is not defined")
_READS = frozenset({"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"})
_BINDS = frozenset({"STORE_NAME", "STORE_GLOBAL", "DELETE_NAME", "DELETE_GLOBAL"})


@dataclass(frozen=True)
class Failure:
    """A statement that raised: where, why, and the names that it would have bound.

    Behind one that `is_end` nothing was run.
    """

    error: BaseException
    part: str
    line: int
    binds: frozenset[str] = frozenset()
    is_end: bool = False

    def describe(self) -> str:
        """Return the file or the cell and the line of it."""
        return f"{self.part} line {self.line}"


def trace_name(
    message: str, failure_of: Callable[[str], Failure | None], describe: Callable[[BaseException], str]
) -> str:
    """Return a message about a name that is not there with the statement that was to make it, if that failed."""
    unknown = _UNKNOWN_NAME.match(message)
    failure = failure_of(unknown[1]) if unknown else None
    if unknown is None or failure is None:
        return message
    return f"{message}; {failure.describe()}, which makes {unknown[1]}, failed: {describe(failure.error)[:MAX_REASON]}"


@dataclass(frozen=True)
class Statement:
    """A statement at the top of a file or a cell, which is its `part`."""

    node: ast.stmt
    part: str

    @cached_property
    def code(self) -> CodeType:
        """The statement, compiled; its annotations stay text, for they may name a library that is not here."""
        flags = __future__.annotations.compiler_flag
        code: CodeType = compile(ast.Module([self.node], []), self.part, "exec", flags=flags, dont_inherit=True)
        return code

    @cached_property
    def binds(self) -> frozenset[str]:
        """The names that it binds, or that a function in it does when it is called."""
        return frozenset(_names(self.code, _BINDS))

    @cached_property
    def reads(self) -> frozenset[str]:
        """The names outside of it that it reads, or that a function in it does when it is called."""
        return frozenset(_names(self.code, _READS))

    @cached_property
    def changes(self) -> frozenset[str]:
        """The names whose values it may change: by an item, an attribute or a call."""
        return frozenset(_changed([self.node]))

    @property
    def function(self) -> str:
        """The name of the function that it defines, or nothing."""
        return self.node.name if isinstance(self.node, ast.FunctionDef) else ""

    @property
    def binds_anything(self) -> bool:
        """Whether nobody can say which names it binds."""
        return isinstance(self.node, ast.ImportFrom) and self.node.names[0].name == "*"


def run_whole(code: CodeType, tree: Callable[[], ast.Module], namespace: dict[str, Any]) -> Iterator[Failure]:
    """Run a file, and yield the statements that failed; each one's successor is where it goes on.

    What is no plain exception, as sys.exit() raises, ends it. Only where something failed, the `tree` is asked for.
    """
    part = code.co_filename
    try:
        exec(code, namespace)  # noqa: S102 # running the student's file is what this process is for
    except BaseException as error:  # noqa: BLE001 # it costs what rests on it
        line, body = _line_in(code, error), tree().body
        place = next((n for n, node in enumerate(body) if 0 < line <= (node.end_lineno or 0)), len(body))
        rest = [Statement(node, part) for node in body[place:]]
        binds = rest[0].binds if rest else frozenset[str]()
        is_end = not isinstance(error, Exception) or not rest
        yield Failure(error, part, line, binds, is_end)
        if not is_end:
            yield from run_each(rest[1:], namespace, goes_on=False)


def run_each(statements: Sequence[Statement], namespace: dict[str, Any], *, goes_on: bool = True) -> Iterator[Failure]:
    """Run statements one by one, and yield those that failed; with `goes_on` not even sys.exit() ends it."""
    for each in statements:
        try:
            exec(each.code, namespace)  # noqa: S102 # as above
        except BaseException as error:  # noqa: BLE001 # as above
            is_end = not (goes_on or isinstance(error, Exception))
            yield Failure(error, each.part, _line_in(each.code, error) or each.node.lineno, each.binds, is_end)
            if is_end:
                return


def find_needed(statements: Sequence[Statement], wanted: Collection[str]) -> list[Statement]:
    """Return the statements that define the wanted names, and those that these rest on, in their order.

    Of a function that is written once and left as a stub once, the stub is none of them.
    """
    bound = frozenset(name for each in statements for name in each.binds)
    # A call changes no function that it is given or made of; but one may set a name for the whole file.
    makers = {each.function: each.binds - {each.function} for each in statements if each.function}
    changes = [
        (each.changes - makers.keys()).union(*(makers[name] for name in each.changes & makers.keys()))
        for each in statements
    ]
    names = set(wanted)
    kept: set[int] = set()
    while True:
        found = {
            number
            for number, each in enumerate(statements)
            if number not in kept and (each.binds_anything or not names.isdisjoint(each.binds | changes[number]))
        }
        if not found:
            break
        kept |= found
        names |= {name for number in found for name in statements[number].reads & bound}
    needed = [each for number, each in enumerate(statements) if number in kept]
    stubs = {id(each) for each in needed if isinstance(each.node, ast.FunctionDef) and is_stub(each.node)}
    written = {each.function for each in needed if id(each) not in stubs}.intersection(wanted)
    return [each for each in needed if not (id(each) in stubs and each.function in written)]


def _line_in(code: CodeType, error: BaseException) -> int:
    """Return the line of some code in which an exception left it, or 0."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is code:
            return trace.tb_lineno or 0
        trace = trace.tb_next
    return 0


def _names(code: CodeType, kinds: Collection[str]) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in kinds:
            yield str(instruction.argval)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            # What a class stores stays in it.
            yield from _names(inner, [kind for kind in kinds if kind not in ("STORE_NAME", "DELETE_NAME")])


def _changed(body: Sequence[ast.AST]) -> Iterator[str]:
    """Yield the names whose values some statements may change, without those in functions and classes."""
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Lambda():
                continue
            case (
                ast.Subscript(value=value, ctx=ast.Store() | ast.Del())
                | ast.Attribute(value=value, ctx=ast.Store() | ast.Del())
            ):
                yield from _root(value)
            case ast.Expr(value=ast.Call(func=function, args=arguments)):
                yield from _root(function)
                for argument in arguments:
                    # What is handed over bare may be changed by the call, as by random.shuffle(words).
                    if isinstance(argument, ast.Name):
                        yield argument.id
        yield from _changed(list(ast.iter_child_nodes(node)))


def _root(value: ast.expr) -> Iterator[str]:
    while isinstance(value, ast.Attribute | ast.Subscript):
        value = value.value
    if isinstance(value, ast.Name):
        yield value.id


def remember_lines(part: str, text: str) -> None:
    """Let a traceback find the lines of a file or a cell that is nowhere on disk."""
    linecache.cache[part] = (len(text), None, text.splitlines(keepends=True), part)
