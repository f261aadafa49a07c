"""One case as a script of its own: inputs, forward, the student's function, and the lesson's comparison with autograd.

It runs with plain `python` beside the student's file, without the grader and without its sandbox, so that
print and a debugger work.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from grader.course import Arrays, CaseSpec, Course, Exercise, Gradient, Style
from grader.course.cases import Case, Reference
from grader.course.literal import literal
from grader.course.meant import explain_function
from grader.errors import CourseError, UsageError
from grader.text import one_line

WIDTH = 100


def write_case(course: Course, function: str, case: str | None, seed: int, folder: Path) -> tuple[Path, bool]:
    """Write the script of a case into a folder; return its path, and False if a changed one was there and kept.

    `case` is a number from 1 or a case's name; without it the first is taken. Raises UsageError for a name
    that the course does not have.
    """
    if function not in course.functions:
        raise UsageError(explain_function(course, function, "grade case"))
    rubric, exercise = course.exercise(function)
    cases = _in_order(exercise)
    number = _number(exercise.function, cases, case)
    spec = cases[number - 1]
    reference = Reference(rubric)
    made = reference.make_case(exercise, spec, seed)
    suffix = f"_{number}" if not seed else f"_{number}_seed_{seed}"
    path = folder / f"case_{function}{suffix}.py"
    content = make_script(reference, exercise, made, number, seed, find_module(folder, rubric.name, function))
    try:
        # Never over what a student has added prints to.
        is_kept = path.exists() and path.read_text(encoding="utf-8") != content
        if not is_kept:
            path.write_text(content, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} could not be written: {error}; run this in a folder that can be") from error
    return path, not is_kept


def make_script(reference: Reference, exercise: Exercise, case: Case, number: int, seed: int, module: str) -> str:
    """Return the text of the script; `module` is what defines the function, beside the script."""
    is_statements = exercise.style is Style.STATEMENTS
    forward = reference.source(exercise).runnable
    if not forward:
        raise CourseError([f"{exercise.place}: the source of the forward {exercise.forward} is not a plain function"])
    inputs = case.forward.inputs
    data = "\n".join(
        [
            "# The inputs of the forward pass.",
            *(f"{name} = {literal(value)}" for name, value in inputs.items()),
            f"\n# The upstream gradient, that of {' and that of '.join(case.upstream)}.",
            *(f"{name} = {literal(upstream)}" for name, upstream in _named_upstreams(exercise, case).items()),
        ]
    )
    command = f"grade case {exercise.function} --case {number}" + (f" --seed {seed}" if seed else "")
    parts = [
        f'"""{exercise.function}, case {number} ({one_line(case.name, 200)}), seed {seed}.\n\n'
        f"Written by `{command}`. Run it with `python`, add prints or a breakpoint(): it is yours.\n"
        '"""',
        _imports("" if is_statements else module, data, exercise.arrays),
        "torch.set_default_dtype(torch.float64)",
        _UNPACK if "unpack(" in data else "",
        data,
        "\n# The forward pass: every value has its name on t.\n" + forward.rstrip("\n"),
        _FORWARD.format(
            inputs=", ".join(f"{name}={name}" for name in inputs),
            forward=exercise.forward,
            objective=_objective(exercise, case),
        ).strip("\n"),
        _asked(exercise, case).strip("\n"),
        _COMPARE.strip("\n"),
        "\n".join(_compare_line(gradient) for gradient in exercise.gradients),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def find_module(folder: Path, home: str, function: str) -> str:
    """Return the dotted name of the file in a folder that defines a function, found by its text; else of its home."""
    sign = re.compile(rb"^def " + re.escape(function.encode()) + rb"\b", re.MULTILINE)
    first = folder / f"{home}.py"
    others = [path for path in sorted(folder.rglob("*.py")) if not path.name.startswith("case_")]
    for path in [first, *others[:200]]:
        if path.is_file() and sign.search(path.read_bytes()[:1_000_000]):
            return ".".join(path.relative_to(folder).with_suffix("").parts)
    return home


def _in_order(exercise: Exercise) -> tuple[CaseSpec, ...]:
    """Return the cases that students see, numbered as in their reports, before the hidden ones."""
    shown = exercise.shown.cases if exercise.shown else ()
    return (*shown, *(case for case in exercise.cases if case not in shown))


def _number(function: str, cases: Sequence[CaseSpec], case: str | None) -> int:
    names = [spec.name for spec in cases]
    if case is None:
        return 1
    if case in names:
        return names.index(case) + 1
    if case.isascii() and case.isdigit() and 1 <= int(case) <= len(names):
        return int(case)
    listed = ", ".join(f"{number} ({name})" for number, name in enumerate(names, start=1))
    raise UsageError(f"--case {one_line(case, 100)}: {function} has the cases {listed}")


def _imports(module: str, data: str, arrays: Arrays) -> str:
    """Return the import lines; a file whose name is no Python name is imported by its text."""
    libraries = ["import numpy as np", "import torch"] if arrays is Arrays.NUMPY else ["import torch"]
    is_plain = all(part.isidentifier() for part in module.split("."))
    lines = ["import base64"] if "unpack(" in data else []
    if not module:
        return "\n".join([*lines, "from types import SimpleNamespace", "", "import torch", _FUNCTIONAL])
    lines += [] if is_plain else ["import importlib"]
    lines += ["from types import SimpleNamespace", "", *libraries, ""]
    lines.append(f"import {module} as yours" if is_plain else f"yours = importlib.import_module({module!r})")
    return "\n".join(lines) + "  # the file with your function"


def _given(exercise: Exercise) -> str:
    """Return the lines that set the true gradients that statements are given."""
    names = [name for name in exercise.given if name not in (*exercise.upstream_names, "cache")]
    return "\n".join(f"{name} = t.{name[1:]}.grad.clone()" for name in names)


def _named_upstreams(exercise: Exercise, case: Case) -> dict[str, Tensor]:
    return dict(zip(exercise.upstream_names, case.upstream.values(), strict=True))


def _objective(exercise: Exercise, case: Case) -> str:
    pairs = zip(case.upstream, exercise.upstream_names, strict=True)
    terms = [f"(t.{output} * {name}).sum()" for output, name in pairs]
    return terms[0] if len(terms) == 1 else f"({' + '.join(terms)})"


def _asked(exercise: Exercise, case: Case) -> str:
    """Return the lines that make the arguments and call the function, or stand in for it."""
    names = _tuple(exercise.returns or exercise.gradient_names)
    if exercise.style is Style.STATEMENTS:
        return _STATEMENTS.format(names=names, given=_given(exercise))
    is_numpy = exercise.arrays is Arrays.NUMPY
    return _FUNCTION.format(
        kind="the same values as numpy arrays" if is_numpy else "the same values, without autograd",
        values="values" if exercise.cache or exercise.cache_of else "cache",
        own="value.detach().numpy().copy()" if is_numpy else "value.detach().clone()",
        order=_ordered(exercise),
        call=_call(exercise, case),
        names=names,
        first=exercise.gradient_names[0],
        one="np.ndarray | np.generic" if is_numpy else "torch.Tensor",
        back=_BACK if is_numpy else "",
    )


def _ordered(exercise: Exercise) -> str:
    """Return the line that makes a cache that is no namespace: of values in an order, or by the student's forward."""
    if exercise.cache_of:
        ((forward, given),) = exercise.cache_of.items()
        return f"*_, cache = yours.{forward}({', '.join(f'values.{name}' for name in given)})\n"
    cache = exercise.cache or ()
    if not cache:
        return ""
    values = ", ".join(f"values.{name}" for name in cache)
    return f"cache = {values if len(cache) == 1 else f'({values})'}\n"


def _call(exercise: Exercise, case: Case) -> str:
    """Return the call, each argument from where the script has it."""
    kind = ".numpy().copy()" if exercise.arrays is Arrays.NUMPY else ""
    own = {"cache": "cache", **{name: f"{name}{kind}" for name in exercise.upstream_names}}
    holder = "values" if exercise.cache or exercise.cache_of else "cache"
    given = {name: f"{holder}.{name}" for name in case.forward.values} | own
    arguments = ", ".join(f"{name}={given.get(name, f't.{name[1:]}.grad{kind}')}" for name in exercise.given)
    return f"yours.{exercise.function}({arguments})"


def _tuple(names: tuple[str, ...]) -> str:
    return textwrap.fill(", ".join(f'"{name}"' for name in names), WIDTH, subsequent_indent="    ")


def _compare_line(gradient: Gradient) -> str:
    tolerance = gradient.tolerance
    return f'cmp("{gradient.name}", t.{gradient.value}, rtol={tolerance.rtol!r}, atol={tolerance.atol!r})'


_UNPACK = '''
def unpack(shape, dtype, packed):
    """Return a tensor from its bytes: a large one is easier to skip than to read."""
    data = bytearray(base64.b64decode(packed))
    return torch.frombuffer(data, dtype=dtype).reshape(shape) if data else torch.zeros(shape, dtype=dtype)
'''

_FUNCTIONAL = "import torch.nn.functional as F"

_FORWARD = """
# Autograd's gradient of every value, as in the lesson: keep them all, then go backward.
t = SimpleNamespace({inputs})
for value in vars(t).values():
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        value.requires_grad_()
{forward}(t)
for value in vars(t).values():
    if isinstance(value, torch.Tensor) and value.requires_grad:
        value.retain_grad()
{objective}.backward()
"""

_FUNCTION = """
# What your function is given: {kind}.
{values} = SimpleNamespace(
    **{{name: {own} if isinstance(value, torch.Tensor) else value for name, value in vars(t).items()}}
)
{order}
# Your function. Put a breakpoint() or a print into it, or here.
with torch.no_grad():
    returned = {call}

names = [{names}]
if isinstance(returned, dict):
    gradients = returned
elif isinstance(returned, {one}) or returned is None:
    gradients = {{"{first}": returned}}
else:
    gradients = dict(zip(names, returned))
{back}"""

_BACK = """
# To be compared with autograd's, arrays of numbers become tensors again.
for name, value in gradients.items():
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
        gradients[name] = torch.from_numpy(np.array(value))
"""

_STATEMENTS = '''
# What your statements are given: every value of the forward under its name, without autograd.
for name, value in vars(t).items():
    globals()[name] = value.detach().clone() if isinstance(value, torch.Tensor) else value
{given}


def cmp(*_):
    """Stand in for the lesson's own comparison; below there is one that shows what comes out."""
    return True


# -----------------
# YOUR STATEMENTS: copy them from your notebook to here.
# -----------------

names = [{names}]
gradients = {{name: globals().get(name) for name in names}}
'''

_COMPARE = '''
def cmp(name, value, rtol, atol):
    """Print how your gradient compares with autograd's, which is value.grad."""
    actual, expected = gradients.get(name), value.grad
    if not isinstance(actual, torch.Tensor):
        print(f"{name:15s} | {actual!r}")
    elif actual.shape != expected.shape or actual.dtype != expected.dtype:
        was, want = (f"{tuple(each.shape)} {each.dtype}" for each in (actual, expected))
        print(f"{name:15s} | {was}, expected {want}")
    else:
        exact = torch.equal(actual, expected)
        approximate = torch.allclose(actual, expected, rtol=rtol, atol=atol)
        maxdiff = (actual - expected).abs().max().item() if actual.numel() else 0.0
        print(f"{name:15s} | exact: {exact!s:5s} | approximate: {approximate!s:5s} | maxdiff: {maxdiff}")
'''
