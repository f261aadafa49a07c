"""The lines of a solution that tell it, and the check that none of them is in what students get."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator

from grader.authoring.folder import list_files
from grader.authoring.template import find_blocks
from grader.course import Course, Rubric

_TRACE = re.compile(r"\bt\.(?=[A-Za-z_])")
# A shorter line says nothing: `n = 5` may stand anywhere.
TELLING_LENGTH = 14
ALLOCATIONS = frozenset(
    {
        "zeros",
        "ones",
        "empty",
        "full",
        "zeros_like",
        "ones_like",
        "empty_like",
        "full_like",
        "new_zeros",
        "arange",
    }
)


def check_secrecy(course: Course, rubric: Rubric) -> Iterator[str]:
    """Yield a line for every line of an assignment's solution that stands in something students get."""
    secret = secret_lines(course, rubric)
    for path in list_files(course.folder / "assignments", course.folder / "student_template"):
        text = path.read_bytes().decode("utf-8", errors="replace")
        whole = path.suffix in (".py", ".md", ".yaml")
        for number, line in enumerate(text.splitlines(), start=1):
            if _tells(line, secret, whole=whole):
                yield f"{path}:{number}: a line of the solution of {rubric.name}: {line.strip()[:120]}"


def secret_lines(course: Course, rubric: Rubric) -> set[str]:
    """Return the lines of an assignment's solution that tell it.

    Not those that anybody would write: imports, loops, what is returned, sizes taken from a shape, room made for a
    result, and what the references of the course have in public.
    """
    public = _public_lines(course)
    gradients = {name for exercise in rubric.exercises for name in exercise.gradient_names}
    secret = set()
    for block in find_blocks(course.folder / "solutions" / f"{rubric.name}.py"):
        for line in map(_bare, block.lines):
            is_public = line in public and not gradients.intersection(_names(line))
            if len(line) >= TELLING_LENGTH and not is_public and not _is_anybodys(line):
                secret.add(line)
    return secret


def _tells(line: str, secret: Collection[str], *, whole: bool) -> bool:
    """Return whether a line is one of a solution; in a file of data, such as a notebook, whether it holds one."""
    return _bare(line) in secret if whole else any(one in line for one in secret)


def _bare(line: str) -> str:
    return line.split("#")[0].strip()


def _public_lines(course: Course) -> set[str]:
    """Return the lines of all references, with values as a solution names them: `x`, where a trace has `t.x`."""
    paths = [rubric.folder / "reference.py" for rubric in course.rubrics]
    texts = [path.read_text(encoding="utf-8") for path in paths if path.is_file()]
    return {_TRACE.sub("", _bare(line)) for text in texts for line in text.splitlines()}


def _is_anybodys(line: str) -> bool:
    statement = _parse(line)
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.For():
            return True
        case ast.Return(value=ast.Name() | ast.Tuple()):
            return all(isinstance(node, ast.Return | ast.Name | ast.Tuple | ast.Load) for node in ast.walk(statement))
        case ast.Assign(value=value) if all(isinstance(each, ast.Name | ast.Tuple) for each in statement.targets):
            return _is_size(value) or _is_room(value) or _is_none(value)
    return False


def _is_none(value: ast.expr) -> bool:
    """Return whether a value is None, as in a solution that is still to be written."""
    return isinstance(value, ast.Constant) and value.value is None


def _is_size(value: ast.expr) -> bool:
    """Return whether a value is a shape, a length, or a part of one."""
    match value:
        case ast.Subscript(value=inner) | ast.Starred(value=inner):
            return _is_size(inner)
        case ast.Tuple(elts=parts):
            return all(map(_is_size, parts))
        case ast.Attribute(attr="shape"):
            return True
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name() | ast.Attribute()]):
            return True
        case ast.Call(func=ast.Attribute(attr="size" | "numel")):
            return True
    return False


def _is_room(value: ast.expr) -> bool:
    """Return whether a value is a fresh tensor, made of a size or in the likeness of another."""
    match value:
        case ast.Call(func=ast.Attribute(attr=name)) if name in ALLOCATIONS:
            return not any(isinstance(node, ast.BinOp) for node in ast.walk(value))
    return False


def _names(line: str) -> set[str]:
    statement = _parse(line)
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)} if statement else set()


def _parse(line: str) -> ast.stmt | None:
    """Return a line as a statement, the head of a loop with an empty body; None if it is none by itself."""
    try:
        return next(iter(ast.parse(line + (" pass" if line.endswith(":") else "")).body), None)
    except SyntaxError:
        return None
