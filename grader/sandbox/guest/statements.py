"""Finds the statements of an exercise in a notebook or a script. Runs in the confined child only.

An exercise that is no function is a slice of what was written: the statements that assign its gradients and all that
those need, in their order, and nothing else. What assigns a value of the forward pass is left out, the grader has it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from grader.sandbox.guest.dataflow import Effect, blocks, effect_of
from grader.sandbox.guest.flatten import Flattening, open_classes
from grader.sandbox.guest.own_names import Vocabulary, rename, sizes_in

# The lesson's own comparison, which is asked for in vain: ours says that all is well, and the grader compares.
COMPARE = "cmp"


@dataclass(frozen=True)
class Wanted:
    """An exercise to be found: the gradients to assign, those that are given, the values of the forward pass.

    A statement that rests on a gradient `between` those belongs to another exercise. `aliases` are other names by which
    a value is known.
    """

    function: str
    gradients: Sequence[str]
    given: Collection[str]
    between: Collection[str]
    values: Mapping[str, object]
    aliases: Mapping[str, str]

    @classmethod
    def read(cls, described: Mapping[str, Any], values: Mapping[str, object]) -> Wanted:
        """Make one of what a request says and the values of a call."""
        names = {key.partition("/")[2]: value for key, value in values.items() if "/" in key}
        given = [name for name in described["given"] if name not in names and name != "cache"]
        gradients, between, aliases = (described[key] for key in ("gradients", "between", "aliases"))
        return cls(described["function"], gradients, given, between, names, aliases)

    def claims(self, run: Run) -> bool:
        """Return whether the statements of a run may be this exercise's: nothing between is what they rest on."""
        return run.name in self.gradients and not self.rests_between(run)

    def rests_between(self, run: Run) -> bool:
        """Return whether a run rests on a gradient between those that are asked for and those that are given."""
        return not rests_on(run, self.given).isdisjoint(self.between)


@dataclass(eq=False)
class Item:
    """One statement: in which part of the file and how manieth of all, its effect, and the runs that it reads."""

    node: ast.stmt
    part: str
    place: int
    effect: Effect
    uses: list[Use] = field(default_factory=list)

    @property
    def bound(self) -> set[str]:
        """The names that it sets or changes."""
        return self.effect.sets | self.effect.changes


@dataclass(eq=False)
class Run:
    """The statements that make one value of a name: the one that sets it, and those that change it afterwards."""

    name: str
    items: list[Item] = field(default_factory=list)

    @property
    def is_definition(self) -> bool:
        """Whether it is a module or a function, which is no tensor that others could share."""
        return isinstance(self.items[0].node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)

    @property
    def is_none(self) -> bool:
        """Whether it is still to be written."""
        match self.items[-1].node:
            case ast.Assign(value=ast.Constant(value=None)) | ast.AnnAssign(value=ast.Constant(value=None)):
                return True
        return False


@dataclass(frozen=True, eq=False)
class Use:
    """A name that a statement reads: the run that made it, None if none did before, and how far that had come."""

    name: str
    run: Run | None
    length: int


@dataclass(frozen=True)
class Slice:
    """The statements of one exercise in the order in which they run; `renamed` are gradients found by a near name."""

    wanted: Wanted
    file: str
    items: tuple[Item, ...]
    finals: Mapping[str, Run]
    renamed: Mapping[str, str]

    def made_by(self, gradient: str) -> Item | None:
        """Return the last statement that made a gradient, and not another one that has the same tensor."""
        run = self.finals.get(gradient)
        if run is None:
            return None
        others = {other.name for other in self.finals.values()} - {run.name}
        own = [item for item in run.items if run.name in item.bound or item.bound.isdisjoint(others)]
        return own[-1] if own else run.items[-1]


class Notebook:
    """The statements of one file in their order, and which of them belong to which exercise."""

    def __init__(
        self, file: str, parts: Mapping[str, ast.Module], exercises: Sequence[Wanted], functions: Collection[str]
    ) -> None:
        self.file = file
        self._exercises = sorted(exercises, key=lambda each: len(each.gradients))
        self._gradients = {name for each in exercises for name in each.gradients}
        self._values = {name for each in exercises for name in each.values} | {COMPARE}
        data = {name: value for each in exercises for name, value in each.values.items()}
        self._axes = {name: value.dim() for name, value in data.items() if isinstance(value, Tensor)}
        self._tensors = self._values - {name for name, value in data.items() if isinstance(value, int | float)}
        aliases = {own: value for each in exercises for own, value in each.aliases.items()}
        open_classes(parts.values(), [each.gradients for each in exercises])
        self.renamed = rename(parts.values(), Vocabulary(data, self._gradients, aliases))
        self._runs: dict[str, list[Run]] = {}
        self._current: dict[str, Run] = {}
        self._same: dict[str, str] = {}
        self._count = 0
        several = [each.gradients for each in exercises]
        flattening = Flattening(parts.values(), several, self._values, self._tensors, functions)
        for part, tree in parts.items():
            for node in flattening.statements(tree.body):
                self._take(node, part)

    def slices(self) -> list[Slice]:
        """Return the exercises that were found."""
        found = []
        for wanted in self._exercises:
            finals = {name: run for name in wanted.gradients if (run := self._final(wanted, name)) is not None}
            if finals:
                items = _Closure(wanted, finals, self._runs, self._is_own).items()
                renamed = {name: own for own, name in self.renamed.items() if name in finals}
                renamed |= {name: run.name for name, run in finals.items() if run.name != name}
                found.append(Slice(wanted, self.file, tuple(items), finals, renamed))
        return found

    def _final(self, wanted: Wanted, name: str) -> Run | None:
        """Return the last run of a gradient that is this exercise's, or that it may have of another one."""
        runs = self._runs.get(name, [])
        own = [run for run in runs if self._is_own(wanted, run)]
        borrowed = [run for run in runs if wanted.claims(run) and not run.is_none]
        # dlogits_fast, say, where dlogits itself is the result of the long way.
        others = [other for other in self._runs if other.startswith(f"{name}_") and other not in self._gradients]
        named_on = [run for other in others for run in self._runs[other]]
        fits = [run for run in named_on if not wanted.rests_between(run)] if not own else []
        return next(iter([*own[-1:], *fits[-1:], *borrowed[-1:]]), None)

    def _is_own(self, wanted: Wanted, run: Run) -> bool:
        """Return whether a run belongs to this exercise: of those that claim it, the one with the fewest gradients."""
        return next((each for each in self._exercises if each.claims(run)), None) is wanted

    def _take(self, node: ast.stmt, part: str) -> None:
        effect = effect_of(node)
        bound = effect.sets | effect.changes
        for name, size in sizes_in(node, self._axes).items():
            self._take_size(name, size, node, part)
        if not bound or bound <= self._values:
            return
        if bound & self._values and not isinstance(node, ast.For | ast.While | ast.If | ast.Try | ast.With):
            return
        node = _Without(self._tensors).visit(node)
        self._count += 1
        item = Item(node, part, self._count, effect)
        for name in effect.reads - self._values:
            run = self._current.get(name)
            item.uses.append(Use(name, run, len(run.items) if run else 0))
        for name in effect.changes - self._values:
            self._changed(name, item)
        for name in effect.sets - self._values:
            self._same.pop(name, None)
            run = self._current[name] = Run(name, [item])
            self._runs.setdefault(name, []).append(run)
            shared = effect.aliases.get(name, name)
            if shared != name and shared in self._current and not self._current[shared].is_definition:
                self._same[name] = shared

    def _take_size(self, name: str, size: str, node: ast.stmt, part: str) -> None:
        """Have a name be the size of one of the course's tensors, whatever a student has computed it from."""
        if name not in self._values | self._gradients:
            self._count += 1
            made = ast.parse(f"{name} = {size}").body[0]
            for each in ast.walk(made):
                ast.copy_location(each, node)
            run = self._current[name] = Run(name, [Item(made, part, self._count, Effect(sets={name}))])
            self._runs.setdefault(name, []).append(run)

    def _changed(self, name: str, item: Item) -> None:
        seen: set[str] = set()
        while name not in seen:
            seen.add(name)
            if name not in self._current:
                self._current[name] = Run(name)
                self._runs.setdefault(name, []).append(self._current[name])
            if item not in self._current[name].items[-1:]:
                self._current[name].items.append(item)
            name = self._same.get(name, name)


class _Closure:
    """What the statements that make an exercise's gradients need, statement by statement."""

    def __init__(self, wanted: Wanted, finals: Mapping[str, Run], runs: Mapping[str, list[Run]], is_own: Any) -> None:
        self._wanted, self._finals, self._runs, self._is_own = wanted, finals, runs, is_own
        self._order: dict[Item, tuple[float, int]] = {}

    def items(self) -> list[Item]:
        """Return the statements in the order in which they run."""
        for run in self._finals.values():
            self._add(run, len(run.items), None)
        return sorted(self._order, key=lambda item: self._order[item])

    def _add(self, run: Run, length: int, before: Item | None) -> None:
        for item in run.items[:length]:
            # What is defined below its use, a helper say, runs before it.
            late = before is not None and item.place > before.place
            place = (before.place - 0.5, item.place) if before is not None and late else (item.place, item.place)
            if item in self._order:
                self._order[item] = min(self._order[item], place)
                continue
            self._order[item] = place
            for use in item.uses:
                if use.name not in self._wanted.given:
                    self._need(use, item)

    def _need(self, use: Use, item: Item) -> None:
        final = self._finals.get(use.name)
        if final is not None and item not in final.items and self._is_better(final, use, item):
            self._add(final, len(final.items), item)
        elif use.run is not None:
            self._add(use.run, use.length, None)
        elif use.name in self._runs and item not in self._runs[use.name][-1].items:
            later = self._runs[use.name][-1]
            self._add(later, len(later.items), item)

    def _is_better(self, final: Run, use: Use, item: Item) -> bool:
        """Return whether the final run of a gradient goes in place of an earlier one that a statement reads.

        It does where the earlier one is another exercise's, or where nothing that the final one needs comes later.
        """
        if use.run is None or use.run is final:
            return False
        if not self._is_own(self._wanted, use.run):
            return True
        needed = _needed(final)
        return all(each.place < item.place for each in needed if each not in final.items)


def _needed(run: Run) -> set[Item]:
    found: set[Item] = set()
    pending = [(run, len(run.items))]
    while pending:
        each, length = pending.pop()
        for item in each.items[:length]:
            if item not in found:
                found.add(item)
                pending += [(use.run, use.length) for use in item.uses if use.run is not None]
    return found


def rests_on(run: Run, given: Collection[str]) -> set[str]:
    """Return the names that a run rests on, up to those that are given."""
    found: set[str] = set()
    seen: set[Item] = set()
    pending = [(run, len(run.items))]
    while pending:
        each, length = pending.pop()
        for item in each.items[:length]:
            if item in seen:
                continue
            seen.add(item)
            for use in item.uses:
                if use.name != run.name and use.name not in given:
                    found.add(use.name)
                if use.run is not None and use.name not in given:
                    pending.append((use.run, use.length))
    return found


class _Without(ast.NodeTransformer):
    """Puts `pass` in the place of statements inside a block that assign values of the forward pass, or return."""

    def __init__(self, values: Collection[str]) -> None:
        self._values = values

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.For | ast.While | ast.If | ast.Try | ast.With):
            for block in blocks(node):
                block[:] = [ast.copy_location(ast.Pass(), each) if self._is_left_out(each) else each for each in block]
            return super().generic_visit(node)
        return node

    def _is_left_out(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Return):
            return True
        effect = effect_of(statement)
        is_simple = isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign)
        return is_simple and effect.sets | effect.changes <= set(self._values)
