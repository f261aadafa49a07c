"""A first bank of mistakes: slips in the lines of a forward pass, as code, of which those are kept that are wrong."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import FunctionType

from grader.authoring.answers import SEEDS
from grader.authoring.margins import indistinct
from grader.authoring.new.backward import Line, Slip, Way, add_up
from grader.authoring.new.passes import Pass
from grader.authoring.new.texts import lower_title
from grader.authoring.trials import Tried, is_zero_in_truth, try_wrong_gradients
from grader.course import Exercise, Gradient, Rubric
from grader.course.cases import Case, Reference
from grader.course.mistakes import Mistake

WIDTH = 116
# What the slips of a line are measured by; no mistake.
RIGHT = Slip("right", "This is right.")
ANYWHERE = ("sign_lost", "divided_by_rows")
# Written close together, as everybody's formatter has it.
_SIMPLE_POWER = re.compile(r"([\w.]+) \*\* (-?[\w.]+)")


@dataclass(frozen=True)
class Written:
    """A mistake as it stands in a file."""

    gradient: str
    slip: Slip
    parameters: Sequence[str]
    code: str

    def text(self, function: str) -> str:
        """Return it as a function of a mistakes.py."""
        name = f"{function}__{self.gradient}__{self.slip.name}"
        sentence = textwrap.fill(f'"""{self.slip.sentence}"""', WIDTH, subsequent_indent="    ")
        return f"def {name}({', '.join(self.parameters)}):\n    {sentence}\n    return {self.code}\n"


def write_bank(rubric: Rubric, passes: Mapping[str, Pass]) -> str:
    """Return the text of a mistakes.py; `passes` are those of the reference by name.

    A mistake is kept if the rubric rejects it on every seed, and if no other one of its gradient has its numbers.
    """
    reference = Reference(rubric)
    kept: list[str] = []
    for exercise in rubric.exercises:
        if exercise.forward not in passes:
            continue
        seeds = [reference.make_cases(exercise, seed) for seed in SEEDS]
        candidates = {
            (written.gradient, written.slip.name): written
            for gradient in exercise.gradients
            if not is_zero_in_truth(gradient, seeds[0])
            for written in _candidates(exercise, gradient, passes[exercise.forward])
        }
        chosen = _choose(exercise, seeds, candidates)
        kept += [candidates[key].text(exercise.function) for key in chosen]
    title = f"Wrong gradients of {lower_title(rubric.title)}. Each docstring is what the student is told."
    imported = "import torch\n\n\n" if any("torch." in text for text in kept) else ""
    gap = "\n\n" if kept and not imported else "\n" if kept else ""
    return f'"""{title}"""\n{gap}{imported}' + "\n\n".join(kept)


def _candidates(exercise: Exercise, gradient: Gradient, found: Pass) -> Iterator[Written]:
    """Yield the right way to a gradient, then the slips on it, then what goes wrong with any gradient."""
    consumers = found.forward.consumers(gradient.value)
    ways = {name: Line(found, name).ways(gradient.value, _upstream(exercise, found, name)) for name in consumers}
    if all(ways.values()):
        right = {name: each[0].code for name, each in ways.items()}
        yield from _written(exercise, gradient, found, Way(add_up(list(right.values())), RIGHT))
        for name, each in ways.items():
            others = [code for other, code in right.items() if other != name]
            if others:
                rest = " and ".join(other for other in consumers if other != name)
                said = f"This is what comes back through {name}. {gradient.value} is read by {rest}, too, and uses add."
                yield from _written(exercise, gradient, found, Way(right[name], Slip(f"only_through_{name}", said)))
            for way in each[1:]:
                assert way.slip is not None
                # Two lines may hold the same slip.
                slip = replace(way.slip, name=f"{way.slip.name}_in_{name}") if others else way.slip
                yield from _written(exercise, gradient, found, Way(add_up([*others, way.code]), slip))
    yield from _anywhere(gradient)


def _anywhere(gradient: Gradient) -> Iterator[Written]:
    """Yield what goes wrong with any gradient, for one whose lines hold more than the rules know."""
    name = gradient.name
    said = "Your sign is flipped. Look for a minus, lost or too many."
    yield Written(name, Slip(ANYWHERE[0], said), ["d"], f"-d.{name}")
    said = "You divided by the number of rows. Look for a mean where a sum belongs."
    yield Written(name, Slip(ANYWHERE[1], said), ["d"], f"d.{name} / len(d.{name})")


def _written(exercise: Exercise, gradient: Gradient, found: Pass, way: Way) -> Iterator[Written]:
    """Yield a way as code of a mistakes.py, if all that it reads is given there."""
    naming = _Naming(exercise, found)
    code = naming.visit(ast.parse(ast.unparse(ast.fix_missing_locations(way.code)), mode="eval").body)
    if naming.is_complete and way.slip:
        used = {each.id for each in ast.walk(code) if isinstance(each, ast.Name)}
        yield Written(
            gradient.name,
            way.slip,
            [name for name in (*exercise.given, "d") if name in used],
            _SIMPLE_POWER.sub(r"\1**\2", ast.unparse(code)),
        )


def _upstream(exercise: Exercise, found: Pass, name: str) -> ast.expr:
    """Return what a mistake calls the gradient of a value."""
    outputs = dict(zip(exercise.outputs or found.forward.outputs, exercise.upstream_names, strict=True))
    given = outputs.get(name)
    text = given if given in exercise.given else f"d.d{name}"
    return ast.parse(text, mode="eval").body


class _Naming(ast.NodeTransformer):
    """Calls the values of a trace what an exercise calls them: by their own names, or in a cache."""

    def __init__(self, exercise: Exercise, found: Pass) -> None:
        self.exercise = exercise
        self.found = found
        self.is_complete = True

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Put a value's name in place of `t.name`."""
        if not isinstance(node.value, ast.Name) or node.value.id != self.found.trace:
            self.generic_visit(node)
            return node
        if node.attr in self.exercise.given:
            return ast.Name(node.attr)
        self.is_complete = self.is_complete and "cache" in self.exercise.given
        return ast.Attribute(ast.Name("cache"), node.attr)


def _choose(
    exercise: Exercise, seeds: Sequence[Sequence[Case]], candidates: Mapping[tuple[str, str], Written]
) -> list[tuple[str, str]]:
    """Return the candidates that are rejected on every seed and run in every case, without those alike.

    Where the code of the right way is not right, no slip on it is what it says.
    """
    bank = [_compile(exercise, written) for written in candidates.values()]
    tries: dict[tuple[str, str], list[Tried]] = {}
    alike: set[tuple[str, str]] = set()
    for cases in seeds:
        tried = [one for one in try_wrong_gradients(exercise, cases, bank, None) if one.mistake]
        for one in tried:
            tries.setdefault((one.gradient, one.name), []).append(one)
        runs = [one for one in tried if len(one.values) == len(cases)]
        alike |= {(gradient, later) for gradient, _, later in indistinct(runs)}
    known = {gradient for (gradient, name), each in tries.items() if name == RIGHT.name and not any(_worst(each))}
    rejected = [
        key
        for key, each in tries.items()
        if all(_worst(each)) and all(len(one.values) == len(one.excess) for one in each)
    ]
    own = [(gradient, name) for gradient, name in rejected if name not in ANYWHERE and gradient in known]
    own = [key for key in own if key not in alike]
    told = {gradient for gradient, _ in own}
    return [key for key in rejected if key in own or (key[1] in ANYWHERE and key[0] not in told)]


def _worst(tries: Sequence[Tried]) -> list[float]:
    return [one.worst for one in tries]


def _compile(exercise: Exercise, written: Written) -> Mistake:
    names: dict[str, object] = {}
    text = f"import torch\n{written.text(exercise.function)}"
    exec(compile(text, "<mistakes>", "exec"), names)  # noqa: S102 # made of the author's own lines
    formula = next(each for each in names.values() if isinstance(each, FunctionType))
    return Mistake(exercise.function, written.gradient, written.slip.name, written.slip.sentence, formula)
