"""A look at a submission's text before a line of it has run: names that lead past the grader, each with its line.

Runs in the confined child, in code that a submission has not met; what it finds has left before the submission is
loaded. It suspects and never scores. What is quick comes first: the names and constants of compiled code, which are
there anyway. Only a file in which one of them stands out is parsed for its lines.
A check of oneself with autograd, at module level or in a function of its own, is honest and nothing here.
"""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType

MAX_FINDINGS = 20
MAX_NAMED = 5
MAX_TEXT = 120
MAX_SOURCE = 200_000

# Names that are suspicious wherever they stand, as a name, an attribute, an import or the text of a constant.
TORCH_INSIDE = frozenset(  # easier to read, and to add to, than a list of texts
    """
    _C _functorch _decomp _refs _dynamo _inductor _export _ops _VF _execution_engine _engine_run_backward
    _EngineBase _jit_get_operation _jit_differentiate TensorBase _TensorBase grad_fn next_functions
    get_gradient_edge saved_tensors_hooks make_fx aot_function aot_module aot_autograd functionalize symbolic_trace
    GraphModule proxy_tensor _dispatch OpOverload TorchDispatchMode TorchFunctionMode __torch_dispatch__
    decomposition_table DispatchKey _DisableTorchDispatch no_dispatch linearize
    """.split()  # noqa: SIM905 # see above
)
PYTHON_INSIDE = frozenset(  # easier to read, and to add to, than a list of texts
    """
    _getframe _current_frames currentframe f_back f_locals f_globals tb_frame tb_next gi_frame cr_frame setprofile
    settrace setswitchinterval monitoring __signature__ __closure__ cell_contents __globals__ __code__
    __subclasses__ __mro__ mro __bases__ __base__ __get__ __getattribute__ __builtins__ __self__
    __func__ __wrapped__ get_objects get_referrers walk_stack getclosurevars
    get_referents ctypes cffi meta_path path_hooks addaudithook _guest pydoc_data code_info
    """.split()  # noqa: SIM905 # see above
)
NUMERICAL = frozenset(  # easier to read, and to add to, than a list of texts
    """
    sympy mpmath decimal fractions cmath gmpy2 numdifftools jax tinygrad tensorflow autograd_numpy approx_fprime
    longdouble float128 clongdouble complex128 complex64 cdouble cfloat view_as_complex view_as_real polar imag emath
    scimath Fraction Decimal
    """.split()  # noqa: SIM905 # see above
)
DECODING = frozenset(  # easier to read, and to add to, than a list of texts
    """
    b64decode b32decode b16decode b85decode a85decode unhexlify fromhex marshal importlib import_module runpy rot13
    rot_13 FunctionType CodeType SourceLoader
    """.split()  # noqa: SIM905 # see above
)
RUNNING = frozenset({"exec", "eval", "compile", "__import__"})
PLAIN = TORCH_INSIDE | PYTHON_INSIDE | NUMERICAL | DECODING
# What is only looked up where one of these names stands at all.
AMBIGUOUS = RUNNING | {
    "vars",
    "dir",
    "__dict__",
    "getattr",
    "setattr",
    "delattr",
    "complex",
    "modules",
    "__main__",
    "grader",
    "functorch",
}
# Long doubles and complex numbers as numpy abbreviates them.
CODES = frozenset({"g", "G", "F", "D", "c8", "c16", "f16"})
STANDING_OUT = PLAIN | AMBIGUOUS
TELLING = PLAIN | CODES
STORE_ATTRIBUTE = dis.opmap["STORE_ATTR"]
OWNERS = frozenset({"torch", "sys", "builtins", "__builtins__", "np", "numpy", "math"})
# Settings of torch that are there to be assigned.
SETTINGS = ("torch.backends", "torch.set_", "sys.path", "sys.stdout", "sys.stderr", "sys.argv", "torch.classes")

SENTENCES = {
    "torch_inside": "names {}, which leads to autograd or to the inside of torch",
    "python_inside": "names {}, which leads to frames, closures or the interpreter's own state",
    "numerical": "names {}, with which derivatives are taken numerically or by a program",
    "obfuscated": "{}, so that what runs there cannot be read",
    "replaced": "puts something else in the place of {}",
}


@dataclass(frozen=True)
class Finding:
    """Something suspicious in a file: its kind, line and sentence, and the top-level function that it stands in."""

    kind: str
    line: int
    sentence: str
    within: str = ""


def look(file: str, source: bytes, parts: Sequence[CodeType]) -> list[Finding]:
    """Return what is suspicious in a file that was compiled to these parts."""
    codes = list(_codes(parts))
    if not _stands_out(codes):
        return []
    if len(source) > MAX_SOURCE:
        return [Finding("obfuscated", 1, f"{file} has {len(source)} bytes: it was not looked at line by line")]
    try:
        tree = ast.parse(source)
        found = _gather(tree, source.decode("utf-8", errors="replace").splitlines())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [Finding("obfuscated", 1, f"{file} could not be looked at line by line")]
    return found[:MAX_FINDINGS]


def _codes(parts: Sequence[CodeType]) -> Iterator[CodeType]:
    """Yield code and all code within it."""
    rest = list(parts)
    while rest:
        code = rest.pop()
        rest += [each for each in code.co_consts if isinstance(each, CodeType)]
        yield code


def _stands_out(codes: Sequence[CodeType]) -> bool:
    for code in codes:
        names = {code.co_name, *(part for name in code.co_names for part in name.split("."))}
        if not STANDING_OUT.isdisjoint(names) or STORE_ATTRIBUTE in code.co_code[::2]:
            return True
        for constant in code.co_consts:
            for each in constant if isinstance(constant, tuple | frozenset) else (constant,):
                if type(each) is complex or (
                    type(each) is str and (each in TELLING or _leads_inside(each) or _inside(each))
                ):
                    return True
    return False


def _leads_inside(text: str) -> bool:
    """Return whether a constant names an operator or a path within torch."""
    return len(text) < 200 and ("aten::" in text or "torch._" in text or "prims::" in text)


def _inside(text: str) -> str:
    """Return the part of a dotted path that is suspicious, as `operator.attrgetter` takes one, or nothing."""
    is_path = "." in text and len(text) < 200 and text.replace(".", "").isidentifier()
    inside = TORCH_INSIDE | PYTHON_INSIDE  # no digits: "fractions.csv" is a file
    return next((part for part in text.split(".") if part in inside), "") if is_path else ""


def _gather(tree: ast.Module, lines: Sequence[str]) -> list[Finding]:
    """Return one finding for each kind on a line, with its text."""
    names: dict[tuple[int, str, str], dict[str, None]] = {}
    for kind, line, name, within in _walk(tree):
        names.setdefault((line, kind, within), {})[name] = None
    return [
        Finding(kind, line, _say(kind, list(found)[:MAX_NAMED], "".join(lines[line - 1 : line])), within)
        for (line, kind, within), found in sorted(names.items())
    ]


def _say(kind: str, names: Sequence[str], text: str) -> str:
    return f"{SENTENCES[kind].format(', '.join(names))}: {text.strip()[:MAX_TEXT]}"


def _walk(tree: ast.Module) -> Iterator[tuple[str, int, str, str]]:
    documented = {id(each) for each in _docstrings(tree)}
    honest = {id(each) for each in _own_gradings(tree)}
    for statement in tree.body:
        is_function = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
        within = statement.name if is_function else ""  # type: ignore[attr-defined] # it is a function
        for node in ast.walk(statement):
            if id(node) in documented or id(node) in honest:
                continue
            for kind, what in _findings(node):
                yield kind, getattr(node, "lineno", 1), what, within


def _docstrings(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _own_gradings(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what a notebook that grades itself has of the grader: `import grader`, and the name in `grader.check`."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.Import(names=[ast.alias(name="grader", asname=None)])
                | ast.ImportFrom(module="grader", names=[ast.alias(name="check" | "grade", asname=None)])
            ):
                yield node
            case ast.Attribute(value=ast.Name(id="grader") as name, attr="check" | "grade"):
                yield name


def _findings(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Name(id="grader", ctx=ast.Load()):
            yield "python_inside", "grader"
        case ast.FunctionDef(name=name) if name.startswith("__"):
            yield from _named(name)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield from _named(name)
            if name == "__dict__" and _root(path := _path(node)) in OWNERS:
                yield "python_inside", path
        case ast.BinOp() if (text := _put_together(node)) in PLAIN or _leads_inside(text):
            yield "obfuscated", f"puts {text!r} together"
        case ast.Import(names=imported):
            for alias in imported:
                yield from _imported(alias.name)
        case ast.ImportFrom(module=module, names=imported):
            yield from _imported(module or "")
            for alias in imported:
                yield from _named(alias.name)
        case ast.Constant(value=complex()):
            yield "numerical", "a complex number"
        case ast.BinOp(op=ast.Pow(), left=ast.UnaryOp(op=ast.USub()), right=ast.Constant(value=float())):
            yield "numerical", "a root of a negative number, which is complex"
        case ast.Constant(value=str(text)) if part := _inside(text):
            yield from _named(part)
        case ast.Constant(value=str(text)) if text in PLAIN or _leads_inside(text):
            yield from _named(text) if text in PLAIN else [("torch_inside", repr(text[:60]))]
        case ast.Subscript(value=ast.Attribute() as holder) if _path(holder) == "sys.modules":
            yield "python_inside", "sys.modules"
        case ast.Call(func=ast.Attribute(value=ast.Attribute() as holder)) if _path(holder) == "sys.modules":
            yield "python_inside", "sys.modules"
        case ast.Call(func=ast.Attribute(attr="stack", value=ast.Name(id="inspect"))):
            yield "python_inside", "inspect.stack"
        case ast.Call(func=ast.Attribute(attr="astype" | "view" | "array" | "asarray"), args=arguments, keywords=named):
            for each in [*arguments, *(keyword.value for keyword in named)]:
                if isinstance(each, ast.Constant) and each.value in CODES:
                    yield "numerical", repr(each.value)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            yield from _called(name, arguments)
        case ast.Assign(targets=targets):
            yield from _assigned(targets)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target) | ast.For(target=target):
            yield from _assigned([target])
        case ast.Delete(targets=targets):
            yield from _assigned(targets)


def _named(name: str) -> Iterator[tuple[str, str]]:
    if name in TORCH_INSIDE:
        yield "torch_inside", name
    elif name in PYTHON_INSIDE:
        yield "python_inside", name
    elif name in NUMERICAL:
        yield "numerical", name
    elif name in DECODING:
        yield "obfuscated", f"names {name}"


def _imported(path: str) -> Iterator[tuple[str, str]]:
    for part in path.split("."):
        yield from _named(part)
    if path.partition(".")[0] in ("grader", "__main__", "builtins"):
        yield "python_inside", path
    elif path.partition(".")[0] in ("functorch", "autograd"):
        yield "torch_inside", path


def _called(name: str, arguments: Sequence[ast.expr]) -> Iterator[tuple[str, str]]:
    if name in RUNNING:
        yield "obfuscated", f"calls {name}"
    elif name == "complex":
        yield "numerical", name
    elif name in ("vars", "dir") and arguments and _root(_path(_inner(arguments[0]))) in OWNERS:
        yield "python_inside", f"{name} of torch or Python"
    elif name in ("getattr", "setattr", "delattr") and len(arguments) > 1:
        owner = _path(arguments[0])
        if not isinstance(arguments[1], ast.Constant) and (_is_made(arguments[1]) or _root(owner) in OWNERS):
            yield "obfuscated", f"{name} with a name that is put together"
        if name != "getattr" and _root(owner) in OWNERS and not owner.startswith(SETTINGS):
            yield "replaced", f"a part of {owner}"


def _assigned(targets: Sequence[ast.expr]) -> Iterator[tuple[str, str]]:
    for target in targets:
        match target:
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                yield from _assigned(parts)
            case ast.Attribute():
                path = _path(target)
                if _root(path) in OWNERS and not path.startswith(SETTINGS):
                    yield "replaced", path


def _is_made(expression: ast.expr) -> bool:
    """Return whether a text is put together from pieces; `getattr(cache, f"d{name}")` is not meant."""
    return any(
        (isinstance(each, ast.BinOp) and isinstance(each.op, ast.Add) and _has_text(each))
        or (isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in MAKING)
        or (isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id in ("chr", "bytes"))
        or (isinstance(each, ast.Slice) and each.step is not None)
        for each in ast.walk(expression)
    )


MAKING = frozenset({"join", "decode", "replace", "format", "translate", "fromhex"})


def _has_text(sum_: ast.BinOp) -> bool:
    return all(isinstance(side, ast.Constant | ast.BinOp) for side in (sum_.left, sum_.right))


def _put_together(expression: ast.expr) -> str:
    """Return a text that is a sum of texts, or nothing if it is none."""
    match expression:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            first, second = _put_together(left), _put_together(right)
            return first + second if first and second else ""
    return ""


def _inner(expression: ast.expr) -> ast.expr:
    """Return what a chain of calls and items begins with."""
    while isinstance(expression, ast.Call | ast.Subscript):
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    return expression


def _path(expression: ast.AST) -> str:
    """Return a dotted path as text, or nothing if it is none."""
    names: list[str] = []
    while isinstance(expression, ast.Attribute):
        names.append(expression.attr)
        expression = expression.value
    return ".".join(reversed([*names, expression.id])) if isinstance(expression, ast.Name) else ""


def _root(path: str) -> str:
    return path.partition(".")[0]
