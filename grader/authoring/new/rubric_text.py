"""The first rubric of an assignment: all that its forward passes have is asked for, on sizes that differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from torch import Tensor

from grader.authoring.new.axes import name_shapes
from grader.authoring.new.formulas import tex_of_line
from grader.authoring.new.passes import Pass
from grader.course.trace import Forward

# An atol above the rounding of a gradient that is zero in truth.
OF_ZERO = "{rtol: 1.0e-11, atol: 1.0e-12}"


def function_name(found: Pass) -> str:
    """Return what the function to write is called."""
    return f"{found.name}_backward"


def write_rubric(title: str, passes: Sequence[Pass]) -> str:
    """Return the text of a rubric.yaml with an exercise for each forward pass."""
    lines = ["format: 1", f"title: {json.dumps(title, ensure_ascii=False)}", "exercises:"]
    for found in passes:
        lines += [f"  {line}" for line in _exercise(found)]
    return "\n".join(lines) + "\n"


def _exercise(found: Pass) -> Iterator[str]:
    forward, order = found.forward, found.backward_order()
    has_upstream = forward.leaves[forward.output].dim() > 0
    # Of a single line, what it reads is all there is; of more, students choose.
    values = list(forward.inputs) if len(forward.steps) == 1 else ["cache"]
    yield f"{function_name(found)}:"
    yield f"  forward: {found.name}"
    yield f"  given: [{', '.join([*(['dout'] if has_upstream else []), *values])}]"
    maths = [tex for name in found.lines if (tex := tex_of_line(found, name))]
    if maths:
        yield "  maths:"
        yield from (f"    - '{tex}'" for tex in maths)
    yield "  gradients:"
    zero = next(iter(found.cases.values())).zero
    shapes = name_shapes(found)
    for name in order:
        yield f"    d{name}:"
        yield f"      points: {0 if name in zero else 1}"
        if name in zero:
            yield f"      tolerance: {OF_ZERO}  # zero in truth, so zeros would earn its points"
        shape, hints = shapes[name], list(_hints(found, name, shapes))
        about = (
            f"A gradient has the shape of its value. {name} is {shape}."
            if shape != "()"
            else f"{name} is a single number."
        )
        yield from _listed("shape_hints", [about])
        yield from _listed("hints", hints)
    yield "  cases:"
    for case, run in found.cases.items():
        sizes = ", ".join(f"{name}: {size}" for name, size in run.sizes.items())
        yield f"    - {{name: {case}, {sizes}}}"
    yield from _invariants(found, order, has_upstream=has_upstream)


def _hints(found: Pass, name: str, shapes: dict[str, str]) -> Iterator[str]:
    """Yield what can be said of any gradient but its shape: what reads its value, and whether it was copied."""
    forward = found.forward
    consumers = forward.consumers(name)
    if len(consumers) > 1:
        yield f"Look for every line of the forward that reads {name}. There are {len(consumers)}, and uses add."
    for consumer in consumers:
        if is_copied(forward, name, consumer):
            yield f"{consumer} is {shapes[consumer]}, so {name} was used many times over. What comes back is added up."
            return


def _listed(key: str, hints: list[str]) -> Iterator[str]:
    if hints:
        yield f"      {key}:"
        yield from (f"        - {json.dumps(hint, ensure_ascii=False)}" for hint in hints)


def is_copied(forward: Forward, name: str, consumer: str) -> bool:
    """Return whether an elementwise step had to copy a value to the shape of its result."""
    own, there = tuple(forward.leaves[name].shape), tuple(forward.leaves[consumer].shape)
    fits = all(one in (1, other) for one, other in zip(own[::-1], there[::-1], strict=False))
    return own != there and len(own) <= len(there) and fits


def _invariants(found: Pass, order: Sequence[str], *, has_upstream: bool) -> Iterator[str]:
    entries = []
    for name in order:
        for axis in sums_to_zero(found, name):
            text = f"d{name} sums to zero along axis {axis}"
            entries.append(f"{{name: {text}, kind: sums_to_zero, of: [d{name}], dim: {axis}}}")
    if has_upstream:
        entries.append("{name: backward is linear in dout, kind: linear}")
    if entries:
        yield "  invariants:"
        yield from (f"    - {entry}" for entry in entries)


def sums_to_zero(found: Pass, name: str) -> list[int]:
    """Return the axes along which the gradient of a value sums to zero in every case, and is not zero itself."""
    if any(name in run.zero for run in found.cases.values()):
        return []
    gradients = [run.gradients[name] for run in found.cases.values()]
    return [axis for axis in range(gradients[0].dim()) if all(_is_zero_along(each, axis) for each in gradients)]


def _is_zero_along(gradient: Tensor, axis: int) -> bool:
    sums = gradient.sum(dim=axis).abs()
    return bool((sums <= 1e-12 * gradient.abs().sum(dim=axis)).all())
