"""The bank of an assignment: named wrong gradients that its rubric must reject and its feedback can name."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import FunctionType

import torch
from torch import Tensor

from grader.course import Exercise, Loan, Rubric
from grader.course.cases import Case, load_module
from grader.course.trace import Value
from grader.errors import CourseError


@dataclass(frozen=True)
class Mistake:
    """One wrong gradient of `function`: `sentence` is what a student is told who returns it."""

    function: str
    gradient: str
    name: str
    sentence: str
    formula: FunctionType

    @property
    def path(self) -> Path:
        """The mistakes.py that it stands in, which is another assignment's if it is on loan."""
        return Path(self.formula.__code__.co_filename)

    @property
    def line(self) -> int:
        """Where it begins in that file, from 1."""
        return self.formula.__code__.co_firstlineno

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """What its formula takes, by name: asked in every case."""
        return tuple(inspect.signature(self.formula).parameters)

    def evaluate(self, case: Case, returned: Mapping[str, Tensor]) -> Tensor | None:
        """Return the wrong gradient in a case, or None if its formula raises there.

        `returned` are gradients by name that stand in for autograd's in `d`.
        """
        others = {f"d{name}": gradient for name, gradient in case.expected.items()} | dict(returned)
        plain = [name for name in self.parameters if name in case.arguments and name != "cache"]
        given = {name: _copy_value(case.arguments[name]) for name in plain}
        if "cache" in case.arguments:
            given["cache"] = _Copies(case.forward.values)
        given["d"] = _Copies(others)
        default = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)  # as in the child: what a mistake makes by torch.zeros is float64, too
        try:
            with torch.no_grad():
                found: Tensor = self.formula(**{name: given[name] for name in self.parameters})
                return found
        except Exception:  # noqa: BLE001 # a formula that does not fit the shapes is a mistake as well
            return None
        finally:
            torch.set_default_dtype(default)


def load_bank(rubric: Rubric) -> tuple[Mistake, ...]:
    """Return an assignment's mistakes: those on loan from other functions, then those of its own mistakes.py.

    Raises CourseError with a line for every mistake whose name, parameters or docstring do not fit, and for
    every loan of what is not there.
    """
    problems: list[str] = []
    found: dict[tuple[str, str, str], Mistake] = {}
    for exercise in rubric.exercises:
        for loan in exercise.mistakes_of:
            for mistake in _borrow(loan, exercise, problems):
                _add(mistake, str(loan.place), found, problems)
    path = rubric.folder / "mistakes.py"
    exercises = {exercise.function: exercise for exercise in rubric.exercises}
    # One can be graded without a bank; `grade check` asks for it.
    for mistake in _read(path) if path.is_file() else ():
        problem = _misfit(mistake, exercises.get(mistake.function))
        if problem:
            problems.append(f"{path}:{mistake.line}: {mistake.formula.__name__}: {problem}")
        else:
            _add(mistake, f"{path}:{mistake.line}", found, problems)
    if problems:
        raise CourseError(problems)
    return tuple(found.values())


def _read(path: Path) -> list[Mistake]:
    """Return the functions that a mistakes.py defines: all of them are meant as mistakes, but for private helpers."""
    found = []
    for name, formula in vars(load_module(path)).items():
        if name.startswith("_") or not isinstance(formula, FunctionType) or formula.__code__.co_filename != str(path):
            continue
        function, _, rest = name.partition("__")
        gradient, _, slip = rest.partition("__")
        found.append(Mistake(function, gradient, slip, " ".join((formula.__doc__ or "").split()), formula))
    return found


def _borrow(loan: Loan, exercise: Exercise, problems: list[str]) -> Iterator[Mistake]:
    """Yield the mistakes of a loan as the exercise's own, and note what does not fit."""
    if not loan.path.is_file():
        problems.append(f"{loan.place}: {loan.path} is not there")
        return
    lent = [mistake for mistake in _read(loan.path) if mistake.function == loan.function]
    if not lent:
        problems.append(f"{loan.place}: {loan.path} has no mistake of {loan.function}")
        return
    known = ", ".join(dict.fromkeys(mistake.gradient for mistake in lent))
    for gradient in loan.gradients:
        chosen = [mistake for mistake in lent if mistake.gradient == gradient]
        if not chosen:
            text = f"{loan.path} has no mistake of {loan.function} for {gradient}; there are some for {known}"
            problems.append(f"{loan.place}: {text}")
        for mistake in chosen:
            problem = _misfit(mistake, exercise)
            if problem:
                problems.append(f"{loan.place}: {mistake.formula.__name__}: {problem}")
            else:
                yield replace(mistake, function=exercise.function)


def _add(mistake: Mistake, place: str, found: dict[tuple[str, str, str], Mistake], problems: list[str]) -> None:
    key = (mistake.function, mistake.gradient, mistake.name)
    other = found.setdefault(key, mistake)
    if other is not mistake:
        problems.append(f"{place}: {'__'.join(key)} is there already, from {other.path}:{other.line}; take one out")


def _misfit(mistake: Mistake, exercise: Exercise | None) -> str | None:
    if exercise is None:
        return "the rubric has no function of that name; a mistake is called <function>__<gradient>__<mistake>"
    if mistake.gradient not in exercise.gradient_names:
        return f"{exercise.function} returns no {mistake.gradient or 'gradient of that name'}"
    if not mistake.name:
        return "the mistake itself has no name; it is called <function>__<gradient>__<mistake>"
    if not mistake.sentence:
        return "it has no docstring, which is what the student is told"
    unknown = [name for name in mistake.parameters if name not in (*exercise.given, "d")]
    return f"{exercise.function} is not given {unknown[0]}" if unknown else None


class _Copies:
    """Values as attributes, each copied when it is read: of those of a whole network a formula needs two or three."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.__dict__["values of the case"] = values

    def __getattr__(self, name: str) -> object:
        values: Mapping[str, Value] = self.__dict__["values of the case"]
        if name not in values:
            raise AttributeError(f"there is no {name}")
        return _copy_value(values[name])


def _copy_value(value: object) -> object:
    return value.clone() if isinstance(value, Tensor) else value
