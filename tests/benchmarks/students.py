"""A class as classes are: most functions right, many of them written in another way, some with a known slip or none."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.course import Course, Loan, Rubric

ROOT = Path(__file__).resolve().parents[2]
# Of the functions of a class, the share written in another way, with a slip, and not at all.
VARIED, SLIPPED, UNWRITTEN = 0.4, 0.15, 0.05

SLIP = """
def {function}({given}, _right={function}):
    given = dict({pairs})
    found = _right(**given)
    names = {gradients!r}
    if not isinstance(found, dict):
        found = dict(zip(names, found if isinstance(found, tuple | list) else (found,)))
    values = {{**given, "d": SimpleNamespace(**found)}}
    wrong = {mistake}
    found[{gradient!r}] = wrong(**{{name: values[name] for name in inspect.signature(wrong).parameters}})
    return tuple(found[name] for name in names)
"""


@dataclass
class Choices:
    """What the students of a class choose from for one assignment: sources of functions, by what they stand for."""

    rubric: Rubric
    solution: str
    others: dict[str, list[str]] = field(default_factory=dict)  # function, and names of variants
    mistakes: dict[str, list[str]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def write(self, chance: random.Random, slipped: float, unwritten: float) -> str:
        """Return a student's file."""
        text = ["import inspect\nfrom types import SimpleNamespace\n\nimport torch\n", self.solution]
        for exercise in self.rubric.exercises:
            function = exercise.function
            if chance.random() < unwritten:
                text.append(f"def {function}({', '.join(exercise.given)}):\n    raise NotImplementedError\n")
                continue
            if self.others.get(function) and chance.random() < VARIED:
                variant = chance.choice(self.others[function])
                text.append(f"{self.sources[variant]}\n\n\n{function} = {variant}\n")
            if self.mistakes.get(function) and chance.random() < slipped:
                mistake = chance.choice(self.mistakes[function])
                gradients = [gradient.name for gradient in exercise.gradients]
                gradient = mistake.split("__")[1]
                slip = SLIP.format(
                    function=function,
                    given=", ".join(exercise.given),
                    pairs=", ".join(f"{name}={name}" for name in exercise.given),
                    gradients=gradients,
                    mistake=mistake,
                    gradient=gradient,
                )
                text.append(f"{self.sources[mistake]}\n\n{slip}")
        return "\n\n".join(text)


def make_class(folder: Path, course: Course, size: int, *, right: bool = False) -> Path:
    """Write the submissions of a class, the same ones each time; with `right`, none of them has a slip or a stub."""
    slipped, unwritten = (0.0, 0.0) if right else (SLIPPED, UNWRITTEN)
    choices = [_choices(rubric) for rubric in course.rubrics if not rubric.optional]
    for number in range(size):
        chance = random.Random(number)
        student = folder / f"s{number:05}"
        student.mkdir(parents=True)
        for each in choices:
            (student / f"{each.rubric.name}.py").write_text(each.write(chance, slipped, unwritten), encoding="utf-8")
    return folder


def _choices(rubric: Rubric) -> Choices:
    solution = (rubric.folder.parents[1] / "solutions" / f"{rubric.name}.py").read_text(encoding="utf-8")
    choices = Choices(rubric, solution)
    own = {exercise.function: exercise.gradient_names for exercise in rubric.exercises}
    for exercise in rubric.exercises:
        for loan in exercise.mistakes_of:
            names = [name for name in _read(loan.path, own, choices) if _is_lent(name, loan)]
            choices.mistakes.setdefault(exercise.function, []).extend(names)
    for path, found in (
        (ROOT / "tests" / "honest" / f"{rubric.name}.py", choices.others),
        (rubric.folder / "mistakes.py", choices.mistakes),
    ):
        for name in _read(path, own, choices):
            found.setdefault(name.partition("__")[0], []).append(name)
    return choices


def _read(path: Path, own: Mapping[str, Sequence[str]], choices: Choices) -> list[str]:
    """Take the sources of variants or mistakes, and return the names of those that rest on returned gradients only."""
    text = path.read_text(encoding="utf-8")
    parts = {node: ast.get_source_segment(text, node) or "" for node in ast.parse(text).body}
    functions = {node.name: node for node in parts if isinstance(node, ast.FunctionDef) and "__" in node.name}
    shared = [part for node, part in parts.items() if node not in functions.values() and not _is_docstring(node)]
    known = {name for names in own.values() for name in names}
    found = []
    for name, node in functions.items():
        if set(re.findall(r"\bd\.(\w+)", parts[node])) <= set(own.get(name.partition("__")[0], known)):
            found.append(name)
        # One variant may call another.
        called = [parts[each] for other, each in functions.items() if other != name and other in parts[node]]
        choices.sources[name] = "\n\n\n".join([*shared, *called, parts[node]])
    return found


def _is_lent(name: str, loan: Loan) -> bool:
    function, gradient, _ = name.split("__", 2)
    return function == loan.function and gradient in loan.gradients


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
