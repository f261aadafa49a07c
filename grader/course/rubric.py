"""A course, its rubrics and all they ask for: frozen, and annotated with what their files may say.

pydantic checks what comes from a file; what the grader makes itself is trusted. A field whose alias stands in brackets
is no key of a file: the reader fills it in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from grader.course.fields import (
    AT_LEAST_ONE,
    GRADIENTS,
    NAME,
    OPTIONAL,
    RUBRICS,
    SIZES,
    STRICT,
    TRUSTED,
    WITHOUT_ASSIGNMENT,
    ByName,
    Flag,
    Format,
    FunctionName,
    GradientName,
    Language,
    Lines,
    Name,
    OwnFolder,
    OwnName,
    OwnPath,
    OwnPlace,
    Placed,
    Points,
    Positive,
    Share,
    Size,
    Text,
    gather_sizes,
    in_file,
)
from grader.course.yaml import Section

Noun = TypeVar("Noun")


# Of one value alone, as in `cache: x`, or of several in their order.
Order = Annotated[
    Annotated[tuple[Name, ...], AT_LEAST_ONE],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
]
# The function that makes a cache, and what it is given.
Maker = Annotated[Mapping[Name, Annotated[tuple[Name, ...], AT_LEAST_ONE]], AfterValidator(MappingProxyType)]
Aliases = Annotated[Mapping[Name, Name], AfterValidator(MappingProxyType)] | None
# Of an assignment, what holds for each exercise that does not say otherwise.
INHERITED = ("tolerance", "follow_through", "style", "arrays", "aliases", "unit_axes", "float32")


@dataclass(frozen=True)
class Tolerance:
    """How far `actual` may be from `expected`, element by element: atol + rtol * |expected|."""

    rtol: Positive
    atol: Positive


DEFAULT_TOLERANCE = Tolerance(rtol=1.0e-11, atol=1.0e-13)


@dataclass(frozen=True, kw_only=True)
class Gradient:
    """One gradient to return, `d` + the name of its value, with the points it earns.

    `shape_hints` come before the others where the shape is wrong, and are of no help to anybody else.
    """

    name: OwnName
    points: Points
    tolerance: Tolerance = DEFAULT_TOLERANCE
    hints: tuple[Text, ...] = ()
    shape_hints: tuple[Text, ...] = ()
    place: OwnPlace

    @property
    def value(self) -> str:
        """The name of the value in the forward pass: dW is the gradient of W."""
        return self.name.removeprefix("d")


@dataclass(frozen=True, kw_only=True)
class CaseSpec:
    """The arguments of the input maker for one case: in a file, every key but `name` and `hidden`.

    One that is hidden counts as the others do, and students are told nothing of it but whether it failed.
    """

    name: Text
    hidden: Flag = False
    sizes: Annotated[Mapping[str, Size], AfterValidator(MappingProxyType), Field(validation_alias=SIZES)]
    place: OwnPlace


class Style(StrEnum):
    """How an exercise is written: as a function, or as statements in a notebook or a script."""

    FUNCTION = "function"
    STATEMENTS = "statements"


class Arrays(StrEnum):
    """What the tensors of an exercise are where its function takes and returns them."""

    TORCH = "torch"
    NUMPY = "numpy"


class InvariantKind(StrEnum):
    """A property of right gradients: they sum to zero along `dim`, a step against them descends, linear in dout."""

    SUMS_TO_ZERO = "sums_to_zero"
    DESCENT = "descent"
    LINEAR = "linear"


@dataclass(frozen=True, kw_only=True)
class Invariant:
    """A property looked at in the returned gradients `of`; `step` is relative to the size of the values."""

    name: Text
    kind: InvariantKind
    of: tuple[GradientName, ...] = ()
    dim: Annotated[int, Field(strict=True)] | None = None
    step: Positive = 0.01
    points: Points = 0.0
    place: OwnPlace


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The function is timed on `case`; it earns `points` for at most `ratio` times autograd's time."""

    case: Text
    ratio: Positive
    points: Points = 0.0
    place: OwnPlace


@dataclass(frozen=True, kw_only=True)
class Loan:
    """The mistakes of another function, from the mistakes.py at `path`, that hold for an exercise as well."""

    function: Annotated[OwnName, WITHOUT_ASSIGNMENT]
    gradients: Annotated[tuple[GradientName, ...], AT_LEAST_ONE, Field(validation_alias=GRADIENTS)]
    path: OwnPath
    place: OwnPlace


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One backward function to write, and what it is judged by; `maths` is its forward as lines of TeX.

    `outputs` are the values with an upstream gradient each, if they are several or the last value is not the output.
    `tolerance` is that of the gradients that have none of their own. `reference` is the reference.py that has the
    function `forward`, its own assignment's or another's. `points` are shared among the gradients that have none of
    their own. With `unit_axes` an axis of size 1 too many or too few counts as right; `float32` is the tolerance of
    gradients in that dtype, if they may be. `aliases` are other names of values that statements may have. With `arrays`
    numpy, tensors are numpy arrays where the function takes and returns them. If `cache` names values, the cache is a
    tuple of them in this order, or the only one itself; `cache_of` is the student's own forward that makes it, with
    what that is given. If there are `returns`, the gradients come back among other values, in this order. Of one that
    is `hidden`, all cases are.
    """

    function: OwnName
    forward: Annotated[FunctionName, WITHOUT_ASSIGNMENT]
    reference: OwnPath
    given: Annotated[tuple[Name, ...], AT_LEAST_ONE]
    style: Style = Style.FUNCTION
    arrays: Arrays = Arrays.TORCH
    cache: Order | None = None
    cache_of: Maker | None = None
    returns: tuple[Name, ...] = ()
    aliases: Aliases = None
    unit_axes: Annotated[bool, Field(strict=True)] = False
    float32: Tolerance | None = None
    points: Points | None = None
    outputs: tuple[Name, ...] = ()
    detached: tuple[Name, ...] = ()
    maths: Lines = ()
    mistakes_of: Annotated[
        tuple[Annotated[Loan, in_file("mistakes.py", NAME)], ...], ByName(FunctionName, only=GRADIENTS, at_least=0)
    ] = ()
    tolerance: Tolerance = DEFAULT_TOLERANCE
    follow_through: Share = 1.0
    gradients: Annotated[tuple[Gradient, ...], ByName(GradientName, inherits=("tolerance",), shares="points")]
    cases: Annotated[tuple[Annotated[CaseSpec, BeforeValidator(gather_sizes)], ...], AT_LEAST_ONE]
    invariants: tuple[Annotated[Invariant, Placed], ...] = ()
    timing: Annotated[Timing, Placed] | None = None
    hidden: Flag = False
    place: OwnPlace

    @field_validator("invariants")
    @classmethod
    def _look_at_all(cls, invariants: tuple[Invariant, ...], info: ValidationInfo) -> tuple[Invariant, ...]:
        """Let an invariant that names no gradients look at all; of sums to zero, each has its own axis."""
        every = tuple(gradient.name for gradient in info.data.get("gradients", ()))
        return tuple(
            each if each.of or each.kind is InvariantKind.SUMS_TO_ZERO else replace(each, of=every)
            for each in invariants
        )

    @property
    def max_score(self) -> float:
        """All its points: of gradients, of invariants and of the time it takes."""
        points = [gradient.points for gradient in self.gradients]
        points += [invariant.points for invariant in self.invariants]
        return sum(points) + (self.timing.points if self.timing else 0.0)

    @property
    def upstream_names(self) -> tuple[str, ...]:
        """The parameters that are upstream gradients: one for each output that is named, else dout."""
        return tuple(f"d{name}" for name in self.outputs) or ("dout",)

    @property
    def gradient_names(self) -> tuple[str, ...]:
        """The names of its gradients, in the order in which they are returned."""
        return tuple(gradient.name for gradient in self.gradients)

    @property
    def shown(self) -> Exercise | None:
        """The exercise with those of its cases that students may see; None if there are none."""
        return self._with([] if self.hidden else [case for case in self.cases if not case.hidden])

    @property
    def concealed(self) -> Exercise | None:
        """The exercise with its hidden cases; None if there are none."""
        found = self._with([case for case in self.cases if self.hidden or case.hidden])
        return replace(found, timing=None) if found and self.shown else found

    def _with(self, cases: Sequence[CaseSpec]) -> Exercise | None:
        if len(cases) == len(self.cases):
            return self
        return replace(self, cases=tuple(cases)) if cases else None

    def gradient(self, name: str) -> Gradient:
        """Return the gradient of a name. Raises KeyError if there is none."""
        return _find(self.gradients, self.gradient_names, name)

    def case(self, name: str) -> CaseSpec:
        """Return the case of a name. Raises KeyError if there is none."""
        return _find(self.cases, [case.name for case in self.cases], name)


def _or_default(tolerance: object) -> object:
    return DEFAULT_TOLERANCE if tolerance is None else tolerance  # a key that was left empty


@dataclass(frozen=True, kw_only=True)
class Rubric:
    """One assignment: the exercises of its rubric.yaml and the folder it stands in.

    What stands here and could stand in an exercise is that of all that have none of their own. What is `optional`, as
    its course says, has points beside those of the course.
    """

    format: Format
    title: Text
    tolerance: Annotated[Tolerance, BeforeValidator(_or_default)] = DEFAULT_TOLERANCE
    follow_through: Share = 1.0
    style: Style = Style.FUNCTION
    arrays: Arrays = Arrays.TORCH
    aliases: Aliases = None
    unit_axes: Annotated[bool, Field(strict=True)] = False
    float32: Tolerance | None = None
    exercises: Annotated[
        tuple[Annotated[Exercise, in_file("reference.py", "forward")], ...],
        ByName(Name, inherits=INHERITED),
    ]
    name: OwnName
    folder: OwnFolder
    optional: Annotated[bool, Field(validation_alias=OPTIONAL), TRUSTED] = False

    __pydantic_config__ = STRICT

    @property
    def path(self) -> Path:
        """The rubric's own file."""
        return self.folder / "rubric.yaml"

    def exercise(self, function: str) -> Exercise:
        """Return the exercise of a function. Raises KeyError if there is none."""
        return _find(self.exercises, [each.function for each in self.exercises], function)


@dataclass(frozen=True)
class Limits:
    """What one submission may use: wall seconds, MB above what the warm process has mapped, KB of prints."""

    call_seconds: Positive = 5.0
    submission_seconds: Positive = 60.0
    memory_mb: Annotated[int, Field(strict=True, ge=64)] = 1024
    output_kb: Annotated[int, Field(strict=True, ge=1)] = 256


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An assignment in a course's list: its name, or a mapping that also says whether it is optional."""

    name: Name
    optional: Annotated[bool, Field(strict=True)] = False


def _by_name(entry: object) -> object:
    return entry if isinstance(entry, Section) else {"name": entry}


@dataclass(frozen=True, kw_only=True)
class Course:
    """The assignments in their order, and the limits that hold for every submission.

    `version` is the author's own, and `language` that of the course's texts: both are said in a report.
    `weeks` names groups of assignments: where `--only` takes an assignment, it takes a week.
    `also_called` has of a value the names that other lessons give it: who brings one is told the name that it has here.
    """

    format: Format
    title: Text
    version: Text | None = None
    language: Language = "en"
    assignments: Annotated[tuple[Annotated[Listed, BeforeValidator(_by_name)], ...], AT_LEAST_ONE]
    weeks: Annotated[Mapping[Text, Annotated[tuple[Name, ...], AT_LEAST_ONE]], AfterValidator(MappingProxyType)] = (
        field(default_factory=lambda: MappingProxyType({}))
    )
    limits: Limits = Limits()
    also_called: Mapping[Name, Annotated[tuple[Name, ...], AT_LEAST_ONE]] = field(default_factory=dict)
    rubrics: Annotated[tuple[Rubric, ...], Field(validation_alias=RUBRICS), TRUSTED]
    folder: OwnFolder

    __pydantic_config__ = STRICT

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its assignments."""
        return tuple(each.name for each in self.assignments)

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions of all exercises."""
        return tuple(exercise.function for rubric in self.rubrics for exercise in rubric.exercises)

    def spell_out(self, names: Sequence[str]) -> list[str]:
        """Return names of weeks, assignments and functions with each week as its assignments."""
        return [each for name in names for each in self.weeks.get(name, (name,))]

    def exercise(self, function: str) -> tuple[Rubric, Exercise]:
        """Return the exercise of a function, behind the rubric that asks for it. Raises KeyError if there is none."""
        pairs = [(rubric, exercise) for rubric in self.rubrics for exercise in rubric.exercises]
        return _find(pairs, self.functions, function)


def _find(nouns: Sequence[Noun], names: Sequence[str], name: str) -> Noun:
    if name not in names:
        raise KeyError(name)
    return nouns[names.index(name)]
