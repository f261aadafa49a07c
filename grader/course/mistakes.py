"""The bank of an assignment: named wrong gradients that its rubric must reject and its feedback can name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import FunctionType, SimpleNamespace

import torch
from torch import Tensor

from grader.course import Exercise, Rubric
from grader.course.cases import Argument, Case, load_module
from grader.course.trace import Value
from grader.errors import CourseError


@dataclass(frozen=True)
class Mistake:
    """One wrong gradient: `sentence` is what a student is told who returns it."""

    function: str
    gradient: str
    name: str
    sentence: str
    formula: FunctionType

    @property
    def line(self) -> int:
        """Where it begins in mistakes.py, from 1."""
        return self.formula.__code__.co_firstlineno

    def evaluate(self, case: Case, returned: Mapping[str, Tensor]) -> Tensor | None:
        """Return the wrong gradient in a case, or None if its formula raises there.

        `returned` are gradients by name that stand in for autograd's in `d`.
        """
        others = {f"d{name}": gradient.clone() for name, gradient in case.expected.items()}
        others.update({name: gradient.clone() for name, gradient in returned.items()})
        given = {name: _copy(argument) for name, argument in case.arguments.items()}
        given["d"] = SimpleNamespace(**others)
        default = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)  # as in the child: what a mistake makes by torch.zeros is float64, too
        try:
            with torch.no_grad():
                found: Tensor = self.formula(
                    **{name: given[name] for name in inspect.signature(self.formula).parameters}
                )
                return found
        except Exception:  # noqa: BLE001 # a formula that does not fit the shapes is a mistake as well
            return None
        finally:
            torch.set_default_dtype(default)


def load_bank(rubric: Rubric) -> tuple[Mistake, ...]:
    """Read an assignment's mistakes.py: functions `<function>__<gradient>__<mistake>`, each with its sentence.

    Raises CourseError with a line for every mistake whose name, parameters or docstring do not fit.
    """
    path = rubric.folder / "mistakes.py"
    if not path.is_file():
        return ()  # one can be graded without a bank; `grade check` asks for it
    module = load_module(path)
    exercises = {exercise.function: exercise for exercise in rubric.exercises}
    problems: list[str] = []
    mistakes: list[Mistake] = []
    for name, formula in vars(module).items():
        if name.startswith("_") or not isinstance(formula, FunctionType) or formula.__code__.co_filename != str(path):
            continue
        function, _, rest = name.partition("__")
        gradient, _, slip = rest.partition("__")
        problem = _misfit(formula, exercises.get(function), gradient, slip)
        if problem:
            problems.append(f"{path}:{formula.__code__.co_firstlineno}: {name}: {problem}")
        else:
            sentence = " ".join((formula.__doc__ or "").split())
            mistakes.append(Mistake(function, gradient, slip, sentence, formula))
    if problems:
        raise CourseError(problems)
    return tuple(mistakes)


def _misfit(formula: FunctionType, exercise: Exercise | None, gradient: str, slip: str) -> str | None:
    if exercise is None:
        return "the rubric has no function of that name; a mistake is called <function>__<gradient>__<mistake>"
    if gradient not in exercise.gradient_names:
        return f"{exercise.function} returns no {gradient or 'gradient of that name'}"
    if not slip:
        return "the mistake itself has no name; it is called <function>__<gradient>__<mistake>"
    if not (formula.__doc__ or "").strip():
        return "it has no docstring, which is what the student is told"
    unknown = [name for name in inspect.signature(formula).parameters if name not in (*exercise.given, "d")]
    return f"{exercise.function} is not given {unknown[0]}" if unknown else None


def _copy(argument: Argument) -> object:
    if isinstance(argument, Mapping):
        return SimpleNamespace(**{name: _copy_value(value) for name, value in argument.items()})
    return _copy_value(argument)


def _copy_value(value: Value) -> Value:
    return value.clone() if isinstance(value, Tensor) else value
