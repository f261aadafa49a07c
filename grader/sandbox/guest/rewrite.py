"""A submission's functions with a hook behind every statement that sets a gradient. Runs in the confined child only.

`dprobs = dlogprobs / probs` becomes that and `dprobs = __probe__.note("dprobs", dprobs, …)`: the hook sees what the
statement made, and may put something else in its place. Whatever else is written is left as it is.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.sandbox.guest.dataflow import blocks

# The name under which a rewritten function finds its hooks.
HOOKS = "__probe__"

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Simple = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr


@dataclass(frozen=True)
class _Home:
    """A place where a gradient is kept: a name, an attribute of its name, an item under its name."""

    gradient: str
    place: ast.expr


@dataclass(frozen=True)
class _Scope:
    """One function: what its names mean, and which of them can be assigned without becoming others'.

    `is_caught` is of a block: what is raised there, the student catches.
    """

    gradients: Mapping[str, str]
    own: Collection[str]
    is_caught: bool = False


def rewrite(tree: ast.Module, gradients: Sequence[str]) -> list[ast.stmt]:
    """Return the statements of a file that define functions, with hooks, and those that give them other names."""
    rewriter = _Rewriter(gradients)
    kept: list[ast.stmt] = []
    for statement in tree.body:
        if any(isinstance(node, _Function) for node in ast.walk(statement)):
            kept += rewriter.outside([statement])
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Name):
            kept.append(statement)
    return [ast.fix_missing_locations(statement) for statement in kept]


class _Rewriter:
    def __init__(self, gradients: Sequence[str]) -> None:
        self._gradients = gradients
        self._sites = 0

    def outside(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """Rewrite the functions in a block that belongs to none."""
        for statement in body:
            if isinstance(statement, _Function):
                self._rewrite_function(statement)
            else:
                for block in blocks(statement):
                    self.outside(block)
        return list(body)

    def _rewrite_function(self, function: _Function) -> None:
        names = {name: name for name in self._gradients}
        scope = _Scope({**_returned_as(function, self._gradients), **names}, _bound(function))
        _Expressions(self, scope).generic_visit(function)
        function.body = self._rewrite_block(function.body, scope)

    def _rewrite_block(self, body: Sequence[ast.stmt], scope: _Scope) -> list[ast.stmt]:
        written: list[ast.stmt] = []
        for statement in body:
            if isinstance(statement, _Function):
                self._rewrite_function(statement)
            elif isinstance(statement, ast.ClassDef):
                self.outside(statement.body)
            elif isinstance(statement, _Simple):
                written += self._rewrite_statement(statement, scope)
                continue
            else:
                is_caught = isinstance(statement, ast.Try) and bool(statement.handlers)
                for block in blocks(statement):
                    caught = scope.is_caught or (is_caught and block is getattr(statement, "body", None))
                    block[:] = self._rewrite_block(block, _Scope(scope.gradients, scope.own, caught))
            written.append(statement)
        return written

    def _rewrite_statement(self, statement: _Simple, scope: _Scope) -> list[ast.stmt]:
        handed = {home.gradient: home for argument in _arguments(statement) for home in _handed(argument, scope)}
        set_here = {home.gradient: home for target in _targets(statement) for home in _homes(target, scope)}
        homes = {**handed, **set_here}
        if not homes:
            return [_unless_it_raises(statement, scope), *_by_key(statement, self)]
        value = statement.value
        copied = _home(value, scope) if value is not None else None
        hooks: list[ast.stmt] = []
        failed: list[ast.stmt] = []
        site = self.next_site()
        for gradient, home in homes.items():
            # What has the gradient already, or is only given it, does not make it, unless it is seen to change.
            is_copy = gradient not in set_here or (copied is not None and copied.gradient == gradient)
            hooks.append(_assign(home.place, self.hook(gradient, _loaded(home.place), site=site, is_copy=is_copy)))
            failed.append(_assign(home.place, _call("failed", ast.Constant(gradient), ast.Constant(site))))
        if len(homes) == 1:
            only = next(iter(homes.values())).place
            aliases = [_assign(other, _loaded(only)) for other in _aliases(statement, scope)]
            hooks, failed = hooks + aliases, failed + aliases
        if scope.is_caught:
            return [statement, *(_at(statement, hook) for hook in hooks)]
        handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, failed)
        return [_at(statement, ast.Try([statement], [handler], hooks, []))]

    def next_site(self) -> int:
        """Return a number for one more statement with hooks."""
        self._sites += 1
        return self._sites

    def hook(self, gradient: str, value: ast.expr, *, site: int, is_copy: bool = False) -> ast.expr:
        """Return the call of a hook with what a gradient is, at a site."""
        return _call("note", ast.Constant(gradient), value, ast.Constant(site), ast.Constant(is_copy))

    def is_gradient(self, name: object) -> bool:
        """Return whether a name is that of a gradient."""
        return isinstance(name, str) and name in self._gradients


class _Expressions(ast.NodeTransformer):
    """Puts hooks into expressions: `(dprobs := …)`, `{"dprobs": …}` and `dict(dprobs=…)`."""

    def __init__(self, rewriter: _Rewriter, scope: _Scope) -> None:
        self._rewriter = rewriter
        self._scope = scope
        self._is_returned = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # the transformer's own names
        return node  # a scope of its own

    visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = visit_FunctionDef  # type: ignore[assignment] # noqa: N815

    def visit_Return(self, node: ast.Return) -> ast.AST:
        # Nothing reads what is made there. But if it raises, the others are still returned.
        self._is_returned = True
        self.generic_visit(node)
        self._is_returned = False
        match node.value:
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                parts[:] = map(_tried, parts)
            case ast.Dict(values=parts):
                parts[:] = map(_tried, parts)
        return node

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        self.generic_visit(node)
        gradient = self._scope.gradients.get(node.target.id)
        if gradient is None:
            return node
        site = self._rewriter.next_site()
        made = _later(node.value)
        if made is None:
            node.value = self._rewriter.hook(gradient, node.value, site=site)
        else:
            node.value = _call("make", ast.Constant(gradient), made, ast.Constant(site))
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        self.generic_visit(node)
        for place, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
            if isinstance(key, ast.Constant):
                node.values[place] = self._hook(key.value, value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        for keyword in node.keywords:
            keyword.value = self._hook(keyword.arg, keyword.value)
        return node

    def _hook(self, name: object, value: ast.expr) -> ast.expr:
        if self._is_returned or not self._rewriter.is_gradient(name) or isinstance(value, ast.Name | ast.Constant):
            return value
        return self._rewriter.hook(str(name), value, site=self._rewriter.next_site(), is_copy=True)


def _later(value: ast.expr) -> ast.expr | None:
    """Return an expression as a function that has its value, or None where it means something else in one."""
    if any(isinstance(each, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom) for each in ast.walk(value)):
        return None
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), value)


def _tried(value: ast.expr) -> ast.expr:
    """Return a part of what is returned as one that is None if it raises."""
    made = None if isinstance(value, ast.Name | ast.Constant | ast.Starred) else _later(value)
    return value if made is None else _call("attempt", made)


def _targets(statement: _Simple) -> Iterator[ast.expr]:
    """Yield what a statement sets or changes: `dx = …`, `dx[i] += …`, `dx.add_(…)`."""
    match statement:
        case ast.Assign(targets=targets):
            yield from targets
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target, value=ast.expr()):
            yield target
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=target, attr=method))) if method.endswith("_"):
            yield target


def _arguments(statement: _Simple) -> Iterator[ast.expr]:
    """Yield what a statement hands to a function that may change it: `fill(dx)`, `torch.add(a, b, out=dx)`."""
    match statement:
        case ast.Expr(value=ast.Call(args=arguments, keywords=keywords)):
            yield from arguments
            yield from (keyword.value for keyword in keywords)


def _handed(argument: ast.expr, scope: _Scope) -> Iterator[_Home]:
    home = _home(argument, scope)
    if home is not None:
        yield from _homes(argument, scope)


def _homes(target: ast.expr, scope: _Scope) -> Iterator[_Home]:
    """Yield the homes of gradients that an assignment to this sets or changes."""
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _homes(part, scope)
        return
    inner: ast.expr | None = target
    while inner is not None:
        home = _home(inner, scope)
        if home is not None:
            # A name of an outer function would become one of this.
            if not isinstance(inner, ast.Name) or inner.id in scope.own:
                yield home
            return
        match inner:
            case ast.Subscript(value=value) | ast.Attribute(value=value) | ast.Call(func=ast.Attribute(value=value)):
                inner = value
            case _:
                return


def _home(place: ast.expr, scope: _Scope) -> _Home | None:
    match place:
        case ast.Name(id=name) if name in scope.gradients:
            return _Home(scope.gradients[name], place)
        case ast.Attribute(value=holder, attr=name) if scope.gradients.get(name) == name and _is_plain(holder):
            return _Home(name, place)
        case ast.Subscript(value=holder, slice=ast.Constant(value=str(name))) if scope.gradients.get(
            name
        ) == name and _is_plain(holder):
            return _Home(name, place)
    return None


def _by_key(statement: _Simple, rewriter: _Rewriter) -> Iterator[ast.stmt]:
    """Yield the hook for `grads[name] = …`, where only the call will show what `name` is."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        match statement.targets[0]:
            case ast.Subscript(value=holder, slice=(ast.Name() | ast.JoinedStr()) as key) if _is_plain(holder):
                site = ast.Constant(rewriter.next_site())
                yield _at(statement, ast.Expr(_call("item", _loaded(holder), key, site)))


def _unless_it_raises(statement: _Simple, scope: _Scope) -> ast.stmt:
    """Return a statement that leaves None, and goes on, where one that makes a value of no gradient's name raises.

    What reads it will raise as well, up to a statement that makes a gradient.
    """
    match statement:
        case ast.Assign(targets=[ast.Name() as target]) if not scope.is_caught and not isinstance(
            statement.value, ast.Constant | ast.Name
        ):
            pass
        case _:
            return statement
    noted = [_assign(target, ast.Constant(None)), ast.Expr(_call("lost"))]
    handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, noted)
    return _at(statement, ast.Try([statement], [handler], [], []))


def _aliases(statement: _Simple, scope: _Scope) -> Iterator[ast.expr]:
    """Yield the other names for what a statement assigns: `g` in `dprobs = g = …`, and `d` in `dprobs = d`."""
    if not isinstance(statement, ast.Assign):
        return
    for other in [*statement.targets, statement.value]:
        if isinstance(other, ast.Name) and other.id not in scope.gradients and other.id in scope.own:
            yield other


def _is_plain(holder: ast.expr) -> bool:
    """Return whether looking at this a second time gives the same and does nothing."""
    while isinstance(holder, ast.Attribute):
        holder = holder.value
    return isinstance(holder, ast.Name)


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """Yield the nodes of a function, without those of functions and classes inside it."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, _Function | ast.ClassDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)


def _bound(function: _Function) -> set[str]:
    """Return the names that may be assigned in a function without changing whose they are."""
    found = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    for node in _own_nodes(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
    return found


def _returned_as(function: _Function, gradients: Sequence[str]) -> dict[str, str]:
    """Return the names under which a function keeps gradients that it returns: of `return a, b`, what a and b are."""
    found: dict[str, str] = {}
    for node in _own_nodes(function):
        match node:
            case ast.Return(value=ast.Tuple(elts=parts) | ast.List(elts=parts)) if len(parts) == len(gradients):
                pairs = list(zip(gradients, parts, strict=True))
            case ast.Return(value=ast.Dict(keys=keys, values=parts)):
                named = zip(keys, parts, strict=True)
                pairs = [(str(key.value), part) for key, part in named if isinstance(key, ast.Constant)]
            case _:
                continue
        found |= {part.id: name for name, part in pairs if isinstance(part, ast.Name) and name in gradients}
    return found


def _call(hook: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Attribute(ast.Name(HOOKS, ast.Load()), hook, ast.Load()), list(arguments), [])


def _assign(place: ast.expr, value: ast.expr) -> ast.stmt:
    return ast.Assign([_with_context(place, ast.Store())], value)


def _loaded(place: ast.expr) -> ast.expr:
    return _with_context(place, ast.Load())


def _with_context(place: ast.expr, context: ast.expr_context) -> ast.expr:
    match place:
        case ast.Name(id=name):
            return ast.Name(name, context)
        case ast.Attribute(value=holder, attr=name):
            return ast.Attribute(holder, name, context)
        case ast.Subscript(value=holder, slice=key):
            return ast.Subscript(holder, key, context)
    raise ValueError(place)


def _at(statement: ast.stmt, new: ast.stmt) -> ast.stmt:
    """Give what is new the line of the statement that it stands for."""
    for node in ast.walk(new):
        if not hasattr(node, "lineno") and "lineno" in node._attributes:
            ast.copy_location(node, statement)
    return new
