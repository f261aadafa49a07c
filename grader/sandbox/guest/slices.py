"""A slice of statements as a function, which is called, watched and probed like any other. Runs in the child only.

A statement that raises costs what rests on it, and those behind it run: in a notebook they would, too.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import linecache
import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 # the name that students know it by
from torch import Tensor

from grader.sandbox.guest.call import UnfinishedError
from grader.sandbox.guest.dataflow import loaded
from grader.sandbox.guest.files import Modules
from grader.sandbox.guest.lines import MAX_LINES, MAX_TEXT
from grader.sandbox.guest.loading import Failure
from grader.sandbox.guest.own_names import are_named
from grader.sandbox.guest.rewrite import HOOKS, rewrite
from grader.sandbox.guest.statements import COMPARE, Item, Notebook, Slice, Wanted

# Of more gradients under other names than these, some stand for all.
MOST_RENAMED = 6
_OF_DTYPE = re.compile(r"dtype|scalar type|result type|\b(Float|Double|Long)\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_set_default_dtype = torch.set_default_dtype


@dataclass(frozen=True)
class _Outcome:
    """What one run of the statements left: gradients by name, the first statement that raised, and what."""

    values: Mapping[str, Any]
    failed: Item | None = None
    error: BaseException | None = None

    def depends_on_dtype(self, gradients: Sequence[str]) -> bool:
        """Return whether a dtype stopped a statement, or a gradient is of another one than the data."""
        if self.error is not None and _OF_DTYPE.search(str(self.error)):
            return True
        return any(not _is_double(self.values.get(name)) for name in gradients if self.values.get(name) is not None)


class Statements:
    """The statements of one exercise, ready to be called with the values of the forward pass.

    With `in_float32` they run again on float32 data where a dtype is in their way: a lesson's own data are. A lesson
    that was ported to numpy is given arrays.
    """

    def __init__(self, found: Slice, texts: Mapping[str, str], *, in_float32: bool) -> None:
        self._slice = found
        self.failures: dict[str, Failure] = {}  # of imports, by the name that each was to bind
        self.is_numpy = _is_numpy([item.node for item in found.items])
        self._in_float32 = in_float32 and not self.is_numpy
        self.file = found.file
        self._starts = _starts(texts)
        self._texts = texts
        self._nodes = [(item, self._moved(item)) for item in found.items]
        lines = [line for text in texts.values() for line in text.splitlines()]
        linecache.cache[self.file] = (sum(map(len, lines)), None, [f"{line}\n" for line in lines], self.file)
        self._namespace: dict[str, Any] = {"torch": torch, "F": F, "math": math, "random": random, COMPARE: _agree}
        self._namespace |= {"__name__": "notebook", "__locals__": builtins.locals}
        self._function: Any = None
        self._broken: BaseException | None = None

    def load(self) -> None:
        """Import what they need, which may be other files of the submission, and make them a function."""
        for item, node in self._nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                # A module that is not here fails whoever uses it.
                try:
                    self._run([node], self._namespace)
                except Exception as error:  # noqa: BLE001 # whatever a file of the submission raises
                    failure = Failure(error, item.part, item.node.lineno, frozenset(item.bound))
                    self.failures |= dict.fromkeys(item.bound, failure)
        try:
            self._function = self._compiled(self._plain_body(), dict(self._namespace))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self._broken = error  # Python outside of a function only, `nonlocal` say

    def __call__(self, **arguments: Any) -> dict[str, Any]:
        """Run the statements and return the gradients. Raises UnfinishedError if one of them failed."""
        if self._broken is not None:
            raise UnfinishedError(self._broken, {})
        gradients = self._slice.wanted.gradients
        again = _single(arguments) if self._in_float32 else None
        outcome = self._outcome(arguments)
        found, error = dict(outcome.values), outcome.error
        if again is not None and outcome.depends_on_dtype(gradients):
            _set_default_dtype(torch.float32)
            try:
                second = self._outcome(again)
            finally:
                _set_default_dtype(torch.float64)
            better = {name: value for name, value in second.values.items() if isinstance(value, Tensor)}
            found |= {name: value for name, value in better.items() if not _is_double(found[name])}
            error = error if second.error is not None else None
        if error is not None and self._matters(outcome.failed, found):
            raise UnfinishedError(error, {name: value for name, value in found.items() if value is not None})
        return found

    def hooked(self, hooks: object) -> Any:
        """Return the statements as a function with hooks behind what sets a gradient."""
        gradients = self._slice.wanted.gradients
        missing = [name for name in gradients if name not in self._slice.finals]
        body: list[ast.stmt] = [_parsed(f"{name} = None") for name in missing]
        body += [copy.deepcopy(node) for _, node in self._own_nodes()]
        pairs = ", ".join(f"{name!r}: {self._name_of(name)}" for name in gradients)
        body.append(_parsed(f"return {{{pairs}}}"))
        tree = ast.Module([self._definition(body)], [])
        namespace = {**self._namespace, HOOKS: hooks}
        self._run(rewrite(tree, gradients), namespace)
        return namespace[self._slice.wanted.function]

    @property
    def definition(self) -> ast.FunctionDef:
        """The statements as the function that they are run as."""
        gradients = self._slice.wanted.gradients
        pairs = ", ".join(f"{name!r}: {self._name_of(name)}" for name in gradients if name in self._slice.finals)
        made = self._definition(
            [*(copy.deepcopy(node) for _, node in self._own_nodes()), _parsed(f"return {{{pairs}}}")]
        )
        assert isinstance(made, ast.FunctionDef)
        return made

    @property
    def namespace(self) -> Mapping[str, Any]:
        """The names that the statements find beside their own."""
        return self._namespace

    def lines(self, gradients: Sequence[str]) -> dict[str, tuple[str, int, str]]:
        """Return for each gradient the part of the file, the line in it and the text of what made it."""
        found = {}
        for name in gradients:
            item = self._slice.made_by(name)
            if item is not None:
                first, last = item.node.lineno, item.node.end_lineno or item.node.lineno
                lines = self._texts[item.part].splitlines()[first - 1 : min(last, first + MAX_LINES - 1)]
                found[name] = item.part, first, "\n".join(lines)[:MAX_TEXT]
        return found

    def place(self, line: int | None) -> tuple[str, int | None]:
        """Return the part of the file that a line of all of it stands in, and the line in that."""
        if line is None:
            return self.file, None
        part = max((part for part, start in self._starts.items() if start < line), key=lambda each: self._starts[each])
        return part, line - self._starts[part]

    @property
    def summary(self) -> str:
        """Where the statements were found, and which gradients by another name."""
        gradients = {run.name for run in self._slice.finals.values()}
        own = [item for item, _ in self._own_nodes()]
        items = [item for item in own if not item.bound.isdisjoint(gradients)] or own
        if self.file.endswith(".ipynb"):
            cells = sorted({int(item.part.rpartition(" cell ")[2]) for item in items})
            said = f"found in cell{'s' * (len(cells) > 1)} {_joined(cells)}"
        else:
            lines = sorted(item.node.lineno for item in items)
            span = f"lines {lines[0]} to {lines[-1]}" if len(lines) > 1 else f"line {lines[0]}"
            said = f"found in {self.file}, {span}"
        renamed = [f"{own} is read as {name}" for name, own in self._slice.renamed.items()]
        if len(renamed) > MOST_RENAMED:
            renamed[3:] = [f"{len(renamed) - 3} more as these are"]
        return "; ".join([said, *renamed])

    def _outcome(self, arguments: Mapping[str, Any]) -> _Outcome:
        failures: list[tuple[int, BaseException]] = []
        self._function.__globals__["__failed__"] = lambda place, error: failures.append((place, error))
        kept: dict[str, Any] = {}
        self._function.__globals__["__keep__"] = lambda name, value: kept.update({name: _snapshot(value)})
        values = self._function(**arguments)
        values = values if isinstance(values, dict) else {}  # a `yield` has made it another thing
        found = {name: kept.get(name, values.get(self._name_of(name))) for name in self._slice.wanted.gradients}
        if not failures:
            return _Outcome(found)
        place, error = failures[0]
        return _Outcome(found, self._own_nodes()[place][0], _as_in_a_notebook(error))

    def _name_of(self, gradient: str) -> str:
        """Return the name under which the statements have a gradient."""
        run = self._slice.finals.get(gradient)
        return run.name if run is not None else gradient

    def _matters(self, failed: Item | None, found: Mapping[str, Any]) -> bool:
        """Return whether a statement that failed has cost a gradient."""
        finals = self._slice.finals
        return any(found[name] is None for name in finals) or any(failed in run.items for run in finals.values())

    def _own_nodes(self) -> list[tuple[Item, ast.stmt]]:
        return [(item, node) for item, node in self._nodes if not isinstance(node, ast.Import | ast.ImportFrom)]

    def _moved(self, item: Item) -> ast.stmt:
        """Return a statement with the line that it has in all parts of the file, one behind the other."""
        node = copy.deepcopy(item.node)
        ast.increment_lineno(node, self._starts[item.part])
        return node

    def _plain_body(self) -> list[ast.stmt]:
        body: list[ast.stmt] = []
        made: dict[Item, list[str]] = {}
        for name in self._slice.finals:
            last = self._slice.made_by(name)
            assert last is not None
            made.setdefault(last, []).append(name)
        for place, (item, node) in enumerate(self._own_nodes()):
            noted = _parsed(f"__failed__({place}, __failure__)")
            handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), "__failure__", [noted])
            # As it is when it is made: a later `dhprebn = dbndiff; dhprebn += …` changes dbndiff as well.
            kept = [_parsed(f"__keep__({name!r}, {self._name_of(name)})") for name in made.get(item, ())]
            body.append(ast.Try([copy.deepcopy(node)], [handler], kept, []))
        return [*body, _parsed("return __locals__()")]

    def _definition(self, body: Sequence[ast.stmt]) -> ast.stmt:
        wanted = self._slice.wanted
        used = set().union(*(loaded(node) for _, node in self._nodes)) if self._nodes else set()
        unpacked = [_parsed(f"{name} = cache.{name}") for name in sorted(used.intersection(wanted.values))]
        definition = _parsed(f"def {wanted.function}({', '.join(['cache', *wanted.given])}): pass")
        assert isinstance(definition, ast.FunctionDef)
        definition.body = [*unpacked, *body]
        return ast.fix_missing_locations(definition)

    def _compiled(self, body: Sequence[ast.stmt], namespace: dict[str, Any]) -> Any:
        self._run([self._definition(body)], namespace)
        return namespace[self._slice.wanted.function]

    def _run(self, body: Sequence[ast.stmt], namespace: dict[str, Any]) -> None:
        tree = ast.Module([ast.fix_missing_locations(each) for each in body], [])
        exec(compile(tree, self.file, "exec", dont_inherit=True), namespace)  # noqa: S102 # the student's statements


def find_statements(
    modules: Modules, described: Sequence[Mapping[str, Any]], values: Callable[[int], Mapping[str, object]]
) -> dict[str, Statements]:
    """Return the exercises that are statements, by function, each from the file that has most of it.

    `described` is what a request says of each, and `values` returns those of the first call of a question.
    """
    wanted = {each["function"]: Wanted.read(each, values(each["index"])) for each in described}
    single = {each["function"]: bool(each["float32"]) for each in described}
    homes = {each["function"]: each["home"].removesuffix(".py") for each in described}
    values_of = {name[1:] for each in wanted.values() for name in each.gradients}
    best: dict[str, tuple[tuple[int, bool], Statements]] = {}
    cells = {part for file in modules.files if file.endswith(".ipynb") for part in modules.parts(file)}
    for file in [each for each in modules.files if each not in cells] if wanted else ():
        stem = file.rpartition(".")[0]
        if modules.defines.get(file) and stem not in homes.values():
            continue  # it is about functions of the course
        if not any(are_named(values_of, modules.sources[part]) for part in modules.parts(file)):
            continue
        texts = {part: modules.sources[part].decode("utf-8-sig", errors="replace") for part in modules.parts(file)}
        # What is nested too deeply to be looked at is not found.
        with contextlib.suppress(RecursionError, MemoryError):
            notebook = Notebook(file, _parse_all(texts), list(wanted.values()), modules.wanted)
            slices = notebook.slices()
            for found in [*slices, *_unwritten(list(wanted.values()), slices, texts)]:
                function = found.wanted.function
                rank = sum(not run.is_none for run in found.finals.values()), stem == homes[function]
                if function not in best or rank > best[function][0]:
                    best[function] = rank, Statements(found, texts, in_float32=single[function])
    return {function: statements for function, (_, statements) in best.items()}


def _unwritten(wanted: Sequence[Wanted], found: Sequence[Slice], texts: Mapping[str, str]) -> list[Slice]:
    """Return as empty the exercises that are there to be written, beside those that were found.

    The lesson's own cell has nothing but comments and comparisons: they name gradients that no other exercise has.
    """
    words = {word for text in texts.values() for word in _WORD.findall(text)}
    functions = {each.wanted.function for each in found}
    empty = []
    for each in wanted if found else ():
        others = {name for other in wanted if other is not each for name in other.gradients}
        if each.function not in functions and words.intersection(set(each.gradients) - others):
            empty.append(Slice(each, found[0].file, (), {}, {}))
    return empty


def _parse_all(texts: Mapping[str, str]) -> dict[str, ast.Module]:
    """Return the parts that are Python; one that is not costs itself only."""
    trees = {}
    for part, text in texts.items():
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            trees[part] = ast.parse(text)
    return trees


def _starts(texts: Mapping[str, str]) -> dict[str, int]:
    starts, line = {}, 0
    for part, text in texts.items():
        starts[part] = line
        line += len(text.splitlines())
    return starts


def _single(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return copies of all arguments, in float32 what is in float64."""
    return {
        name: SimpleNamespace(**_single(vars(value))) if isinstance(value, SimpleNamespace) else _copied(value)
        for name, value in arguments.items()
    }


def _copied(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    return value.float() if value.dtype is torch.float64 else value.clone()


def _snapshot(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    return value.clone() if isinstance(value, Tensor) else value


def _is_numpy(nodes: Sequence[ast.stmt]) -> bool:
    """Return whether statements import numpy, and use nothing of torch's."""
    modules = {each.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for each in node.names}
    modules |= {(node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
    return "numpy" in modules and not any(loaded(node) & {"torch", "F"} for node in nodes)


def _is_double(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype is torch.float64


def _agree(*_: Any, **__: Any) -> bool:
    return True


def _as_in_a_notebook(error: BaseException) -> BaseException:
    """Return an error as a notebook would say it: there, a name that is not there is none of a function."""
    found = re.search(r"variable ('\w+')", str(error)) if isinstance(error, UnboundLocalError) else None
    return NameError(f"name {found[1]} is not defined").with_traceback(error.__traceback__) if found else error


def _joined(numbers: Sequence[int]) -> str:
    """Return numbers of cells as text: 3 to 7, 11 and 13."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    said = [f"{span[0]} to {span[-1]}" if len(span) > 2 else " and ".join(map(str, span)) for span in spans]
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)


def _parsed(text: str) -> ast.stmt:
    return ast.parse(text).body[0] if not text.startswith("return") else _returned(text)


def _returned(text: str) -> ast.stmt:
    definition = ast.parse(f"def f():\n    {text}").body[0]
    assert isinstance(definition, ast.FunctionDef)
    return definition.body[0]
