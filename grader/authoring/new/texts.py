"""The first text of an assignment and its first solution: all that the forward passes tell, and marks for the rest."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor

from grader.authoring.completeness import TO_WRITE
from grader.authoring.new.axes import name_shapes
from grader.authoring.new.formulas import tex_of_line
from grader.authoring.new.passes import Pass
from grader.authoring.new.rubric_text import is_copied, sums_to_zero
from grader.authoring.template import BEGIN, END
from grader.course import Exercise, Rubric
from grader.course.source import Source

START = '''"""{title}."""


def {name}_inputs(rng, N, D):
    # One argument for each size. A gain that is 1 or a bias that is 0 would hide slips, so draw them away from there.
    return {{"x": rng.normal(N, D), "gain": 1 + 0.5 * rng.normal(D)}}


def {name}(t):
    # One named value per line: each can be asked for, and the last one is the output.
    t.scaled = t.x * t.gain
    t.out = t.scaled.tanh()
'''
WIDTH = 100


def write_start(name: str, title: str) -> str:
    """Return a small reference.py to begin with."""
    return START.format(name=name, title=title)


def title_of(name: str, definition: str = "") -> str:
    """Return the title of an assignment: the first sentence of its reference, or its name as words."""
    said = (ast.get_docstring(ast.parse(definition)) or "").partition("\n")[0].strip()
    words = name.replace("_", " ").replace("-", " ")
    return said.partition(". ")[0].removesuffix(".") or words[:1].upper() + words[1:]


def write_text(rubric: Rubric, passes: Mapping[str, Pass]) -> str:
    """Return the README.md of an assignment; `passes` are those of its reference by name."""
    functions = [exercise.function for exercise in rubric.exercises]
    listed = " and ".join(filter(None, [", ".join(f"`{each}`" for each in functions[:-1]), f"`{functions[-1]}`"]))
    parts = [f"# {rubric.title}", f"Goal: find the gradients of {lower_title(rubric.title)} by hand."]
    parts.append(f"You write {listed} in `{rubric.name}.py`.")
    parts.append(_mark("why it matters, and where students meet it again"))
    known = [exercise for exercise in rubric.exercises if exercise.forward in passes]
    for name in dict.fromkeys(exercise.forward for exercise in known):
        heading = "The forward pass" if len(passes) == 1 else f"The forward pass of `{name}`"
        parts += [f"## {heading}", "\n".join(_table(passes[name]))]
    parts.append("## What to derive")
    for exercise in known:
        parts += _derive(exercise, passes[exercise.forward])
    parts += ["## A worked number", _mark("a small example with every number, down to the gradients")]
    parts += ["## Check yourself", "\n".join(_checks(known, passes))]
    parts += ["## The usual slips", _mark("what students got wrong last year")]
    parts += ["## Rules", RULES.format(order=_order(rubric))]
    parts += ["## Points", "\n".join(_points(rubric))]
    parts += ["## Run it", f"```\ngrade --only {rubric.name}\ngrade --only {functions[0]} --verbose\n```"]
    return "\n\n".join(parts) + "\n"


RULES = """\
* {order} Each gradient has the shape of its value and is float64. One that you leave `None` counts as not done \
yet, and the others are graded.
* No autograd: no `.backward()`, no `torch.autograd`, no `torch.func`. Every other torch operation is fine.
* Do not change the tensors that you are given. Clone first.
* The sizes change from case to case, so take them from the tensors."""


def _mark(what: str) -> str:
    return f"<!-- {TO_WRITE} {what} -->"


def _order(rubric: Rubric) -> str:
    if len(rubric.exercises) > 1:
        return "Return the gradients in the order given above."
    names = rubric.exercises[0].gradient_names
    return f"Return {', '.join(f'`{name}`' for name in names)}{' in this order' if len(names) > 1 else ''}."


def lower_title(title: str) -> str:
    """Return a title for the middle of a sentence; a name such as RMSNorm stays as it is."""
    second = title[1:2]
    return title if second.isupper() else title[:1].lower() + title[1:]


def _table(found: Pass) -> Iterator[str]:
    """Yield the values of a forward pass with their shapes, and the formula of each that is computed."""
    shapes, source = name_shapes(found), {name: ast.unparse(node) for name, node in found.lines.items()}
    yield "| value | shape | computed as |"
    yield "|---|---|---|"
    for name, value in found.forward.values.items():
        if name not in found.common and name in found.forward.leaves:
            continue
        kind = shapes.get(name, "a number")
        if isinstance(value, Tensor) and not value.is_floating_point():
            kind += f" {str(value.dtype).removeprefix('torch.')}"
        tex = tex_of_line(found, name)
        code = source.get(name, "").replace(f"{found.trace}.", "").replace("|", "\\|")
        how = "given" if name in found.forward.inputs else f"${tex}$" if tex else f"`{code}`" if code else ""
        yield f"| `{name}` | {kind} | {how} |"


def _derive(exercise: Exercise, found: Pass) -> Iterator[str]:
    names = ", ".join(f"`d{gradient.value}`" for gradient in exercise.gradients)
    given = ", ".join(exercise.given)
    upstream = "".join(
        f" `{name}` is the upstream gradient of `{output}`."
        for name, output in _upstreams(exercise, found).items()
        if name in exercise.given
    )
    cache = " `cache` holds every value of the forward by name." if "cache" in exercise.given else ""
    yield f"`{exercise.function}({given})` returns {names}.{upstream}{cache}"
    lines = []
    for gradient in exercise.gradients:
        consumers = found.forward.consumers(gradient.value)
        if len(consumers) > 1:
            listed = " and ".join(f"`{each}`" for each in consumers)
            lines.append(
                f"* **Uses add.** `{gradient.value}` is used in {listed}. What comes back from each is added up."
            )
    shapes = name_shapes(found)
    for gradient in exercise.gradients:
        copied = [
            each for each in found.forward.consumers(gradient.value) if is_copied(found.forward, gradient.value, each)
        ]
        if copied:
            own, there = shapes[gradient.value], shapes[copied[0]]
            lines.append(
                f"* **A broadcast sums.** `{gradient.value}` is {own} and was used for all of `{copied[0]}` {there}."
            )
    if lines:
        yield "\n".join(lines)


def _checks(exercises: Sequence[Exercise], passes: Mapping[str, Pass]) -> Iterator[str]:
    yield "* Compare the shape of each gradient with that of its value before you look at a number."
    if any("dout" in exercise.given for exercise in exercises):
        yield "* The gradients double when `dout` doubles."
    for exercise in exercises:
        for gradient in exercise.gradients:
            for axis in sums_to_zero(passes[exercise.forward], gradient.value):
                yield f"* `{gradient.name}` of `{exercise.function}` sums to zero along axis {axis}."


def _points(rubric: Rubric) -> Iterator[str]:
    yield "| function | gradient | points |"
    yield "|---|---|---|"
    for exercise in rubric.exercises:
        for place, gradient in enumerate(exercise.gradients):
            yield f"| {f'`{exercise.function}`' if place == 0 else ''} | `{gradient.name}` | {gradient.points:g} |"
    yield f"| | **total** | **{sum(exercise.max_score for exercise in rubric.exercises):g}** |"


def write_solution(rubric: Rubric, passes: Mapping[str, Pass]) -> str:
    """Return a solution in which nothing but the formulas is missing: each gradient is None, with its shape."""
    known = [exercise for exercise in rubric.exercises if exercise.forward in passes]
    text = f'"""{rubric.title}: backward."""\n'
    for exercise in known:
        text += "\n\n" + _function(rubric, exercise, passes[exercise.forward])
    return text


def _upstreams(exercise: Exercise, found: Pass) -> dict[str, str]:
    """Return the upstream gradients of an exercise with the outputs that they belong to."""
    return dict(zip(exercise.upstream_names, found.forward.outputs, strict=True))


def _function(rubric: Rubric, exercise: Exercise, found: Pass) -> str:
    shapes = name_shapes(found)
    lesson = Source(rubric.folder / "reference.py", exercise.forward).lesson
    known = {f"d{name}": shape for name, shape in shapes.items()} | shapes
    known["cache"] = "every value above, and the inputs, by name"
    for name, output in _upstreams(exercise, found).items():
        known[name] = f"{shapes[output]}, the upstream gradient of {output}"
    given = [f"{name}: {known.get(name, 'a number')}" for name in exercise.given]
    what = ", ".join(each.value for each in exercise.gradients if each.value in found.forward.inputs) or "its values"
    returned = [f"{gradient.name}: {shapes[gradient.value]}" for gradient in exercise.gradients]
    lines = [
        f"def {exercise.function}({', '.join(exercise.given)}):",
        f'    """Go back through {found.name}, from {" and ".join(found.forward.outputs)} to {what}.',
        "",
        "    The forward:",
        *textwrap.indent(lesson, " " * 8).splitlines(),
        "",
        "    You are given:",
        *(f"        {line}" for line in given),
        "",
        "    You return:",
        *(f"        {line}" for line in returned),
        '    """',
        *(_unpacked(found) if "cache" in exercise.given else []),
        f"    {BEGIN}",
        *(f"    {gradient.name} = None  # {shapes[gradient.value]}" for gradient in exercise.gradients),
        f"    {END}",
        f"    return {', '.join(exercise.gradient_names)}",
    ]
    return "\n".join(lines) + "\n"


def _unpacked(found: Pass) -> Iterator[str]:
    """Yield lines that give the values of a cache names of their own, a few in each."""
    names = [name for name in found.forward.values if name in found.common or name not in found.forward.leaves]
    row: list[str] = []
    for name in [*names, ""]:
        if row and (not name or len(_row([*row, name])) > WIDTH):
            yield _row(row)
            row = []
        row.append(name)


def _row(names: Sequence[str]) -> str:
    return f"    {', '.join(names)} = {', '.join(f'cache.{name}' for name in names)}"
