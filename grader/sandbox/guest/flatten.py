"""The statements of a text in their order, taken out of what is only put around them. Runs in the confined child only.

People put a notebook's cells into functions, under `if __name__ == "__main__":`, into marimo's cells, into one loop.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from grader.sandbox.guest.dataflow import binds_any, blocks, loaded
from grader.sandbox.guest.own_names import spellings

# A function of a course has the forward pass in this, and is no statements.
CACHE = frozenset({"cache"})
SPELLINGS = len(spellings(""))  # of one gradient


def open_classes(trees: Collection[ast.Module], exercises: Sequence[Sequence[str]]) -> None:
    """Put in the place of a class its method that makes most of an exercise; what is `self.W1` there, is W1."""
    sought = [{each for name in names for each in spellings(name[1:])} for names in exercises if len(names) > 1]
    for tree in trees:
        for place, node in enumerate(tree.body):
            for method in node.body if isinstance(node, ast.ClassDef) else ():
                names_in = (each for each in ast.walk(method) if isinstance(each, ast.Name))
                stored = {each.id for each in names_in if isinstance(each.ctx, ast.Store)}
                made = {name.replace("_", "") for name in stored}
                if any(2 * len(made & names) * SPELLINGS > len(names) for names in sought):
                    tree.body[place] = _WithoutSelf().visit(method)


class _WithoutSelf(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # the transformer's own name
        self.generic_visit(node)
        match node.value:
            case ast.Name(id="self"):
                return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return node


class Flattening:
    """What is put around the statements that make gradients, and what else makes some.

    `exercises` has the gradients of each, `values` are the names of the forward pass, `tensors` those of its tensors,
    and `functions` are exercises that are functions.
    """

    def __init__(
        self,
        trees: Collection[ast.Module],
        exercises: Sequence[Sequence[str]],
        values: Collection[str],
        tensors: Collection[str],
        functions: Collection[str],
    ) -> None:
        self._exercises, self._functions = exercises, functions
        self._values, self._tensors = set(values), tensors
        self._gradients = {name for each in exercises for name in each}
        self._called = _called(trees)
        outside = [node for tree in trees for node in tree.body if not isinstance(node, ast.FunctionDef)]
        made = [node for node in outside if binds_any([node], self._gradients)]
        self._helpers = set().union(*map(loaded, made))  # what gradients are made with, functions among them
        self._only_loop = self._find_only_loop(trees)

    def statements(self, body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
        """Yield statements in their order, those inside what is only put around an exercise as well."""
        for node in self._in_order(body):
            inner = getattr(node, "body", [])
            match node:
                case ast.Return() | ast.Global() | ast.Nonlocal() | ast.Break() | ast.Continue():
                    continue
                case ast.With() | ast.AsyncWith() if binds_any(inner, self._gradients):
                    yield from self.statements(inner)
                case ast.If(test=ast.Constant()) | ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                    yield from self.statements(inner)
                case ast.If() | ast.Try() if any(each is self._only_loop for each in ast.walk(node)):
                    yield from self.statements(inner)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name in self._functions:
                    continue  # another exercise
                case ast.FunctionDef() if _is_cell(node) or self._is_put_around(node):
                    yield from self.statements(inner)
                case ast.For() | ast.AsyncFor() | ast.While() if self._trains(inner):
                    if node is self._only_loop:
                        yield from self.statements(inner)
                case _:
                    self._leave_out_training(node)
                    yield node

    def _in_order(self, body: Sequence[ast.stmt]) -> Sequence[ast.stmt]:
        """Return statements with a function for a step behind what makes the gradients that it is given."""
        steps = [node for node in body if isinstance(node, ast.FunctionDef) and self._is_put_around(node)]
        if not any(_needed_by(step) & self._gradients for step in steps):
            return body
        made = {node: binds_any(node.body if node in steps else [node], self._gradients) for node in body}
        known = set().union(*made.values())
        ordered: list[ast.stmt] = []
        there: set[str] = set()
        waiting: list[ast.FunctionDef] = []
        for node in body:
            if isinstance(node, ast.FunctionDef) and node in steps:
                waiting.append(node)
            else:
                ordered.append(node)
                there |= made[node]
            while ready := [each for each in waiting if _needed_by(each) & known - made[each] <= there]:
                waiting = [each for each in waiting if each not in ready]
                ordered += ready
                there.update(*(made[each] for each in ready))
        return [*ordered, *waiting]

    def _leave_out_training(self, node: ast.stmt) -> None:
        """Put `pass` in the place of training loops inside a statement, `if max_steps > 0:` say."""
        for block in blocks(node) if not isinstance(node, ast.FunctionDef | ast.ClassDef) else ():
            for place, each in enumerate(block):
                if isinstance(each, ast.For | ast.AsyncFor | ast.While) and self._trains(each.body):
                    block[place] = ast.copy_location(ast.Pass(), each)
                else:
                    self._leave_out_training(each)

    def _is_put_around(self, function: ast.FunctionDef) -> bool:
        """Return whether a function is there only to hold the statements.

        All that it needs is the forward's, or gradients that were made before; or it makes most of an exercise itself,
        from a forward pass that it takes out of what it is given.
        """
        needed = _needed_by(function)
        made = binds_any(function.body, self._gradients)
        if needed <= self._values | self._gradients:
            return bool(made) and function.name not in self._called
        return self._is_most(made) and needed.isdisjoint(CACHE) and function.name not in self._helpers

    def _is_most(self, made: Collection[str], share: float = 0.5) -> bool:
        """Return whether gradients are more than a share of an exercise that asks for several."""
        return any(len({*made} & {*each}) > share * len(each) and len(each) > 1 for each in self._exercises)

    def _trains(self, body: Sequence[ast.stmt]) -> bool:
        """Return whether a loop makes its own minibatch, or goes forward itself."""
        return bool(binds_any(body, self._tensors)) and bool(binds_any(body, self._gradients))

    def _find_only_loop(self, trees: Collection[ast.Module]) -> ast.stmt | None:
        """Return the last training loop that makes most of an exercise, if gradients are made in such loops only.

        One with the short formulas makes about half of the lesson's: that is training.
        """
        outside: list[ast.AST] = list(trees)
        loops: list[ast.For | ast.AsyncFor | ast.While] = []
        while outside:
            node = outside.pop()
            if isinstance(node, ast.For | ast.AsyncFor | ast.While) and self._trains(node.body):
                loops.append(node)
                continue
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in self._gradients:
                return None
            outside += ast.iter_child_nodes(node)
        most = [each for each in loops if self._is_most(binds_any(each.body, self._gradients), share=2 / 3)]
        return max(most, key=lambda each: each.lineno, default=None)


def _needed_by(function: ast.FunctionDef) -> set[str]:
    """Return the parameters that a function uses and that have no default."""
    given, defaults = function.args.posonlyargs + function.args.args, len(function.args.defaults)
    used = set().union(*map(loaded, function.body))
    return {each.arg for each in given[: len(given) - defaults]} & (used | CACHE)


def _is_cell(function: ast.FunctionDef) -> bool:
    """Return whether a function is a cell of a marimo notebook."""
    return any(isinstance(each, ast.Attribute) and each.attr == "cell" for each in function.decorator_list)


def _called(trees: Collection[ast.Module]) -> set[str]:
    """Return the names that statements use otherwise than by calling them alone."""
    found: set[str] = set()
    for tree in trees:
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Expr):
                found |= loaded(node)
    return found
