"""What a course asks for: assignments, exercises, gradients, cases, tolerances and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where something stands in a file; line and column count from 1."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Tolerance:
    """How far `actual` may be from `expected`, element by element: atol + rtol * |expected|."""

    rtol: float
    atol: float


@dataclass(frozen=True)
class Gradient:
    """One gradient to return, `d` + the name of its value, with the points it earns."""

    name: str
    points: float
    tolerance: Tolerance
    hints: tuple[str, ...]
    place: Place

    @property
    def value(self) -> str:
        """The name of the value in the forward pass: dW is the gradient of W."""
        return self.name.removeprefix("d")


@dataclass(frozen=True)
class CaseSpec:
    """The arguments of the input maker for one case."""

    name: str
    sizes: Mapping[str, object]
    place: Place


class InvariantKind(StrEnum):
    """A property of right gradients: they sum to zero along `dim`, a step against them descends, linear in dout."""

    SUMS_TO_ZERO = "sums_to_zero"
    DESCENT = "descent"
    LINEAR = "linear"


@dataclass(frozen=True)
class Invariant:
    """A property looked at in the returned gradients `of`; `step` is relative to the size of the values."""

    name: str
    kind: InvariantKind
    of: tuple[str, ...]
    dim: int | None
    step: float
    points: float
    place: Place


@dataclass(frozen=True)
class Timing:
    """The function is timed on `case`; it earns `points` for at most `ratio` times autograd's time."""

    case: str
    ratio: float
    points: float
    place: Place


@dataclass(frozen=True)
class Loan:
    """The mistakes of another function, from the mistakes.py at `path`, that hold for an exercise as well."""

    path: Path
    function: str
    gradients: tuple[str, ...]
    place: Place


@dataclass(frozen=True)
class Exercise:
    """One backward function to write, and what it is judged by; `maths` is its forward as lines of TeX.

    `reference` is the reference.py that has the function `forward`, its own assignment's or another's.
    """

    function: str
    forward: str
    reference: Path
    given: tuple[str, ...]
    gradients: tuple[Gradient, ...]
    cases: tuple[CaseSpec, ...]
    detached: tuple[str, ...]
    follow_through: float
    place: Place
    invariants: tuple[Invariant, ...] = ()
    timing: Timing | None = None
    maths: tuple[str, ...] = ()
    loans: tuple[Loan, ...] = ()

    @property
    def max_score(self) -> float:
        """All its points: of gradients, of invariants and of the time it takes."""
        points = [gradient.points for gradient in self.gradients]
        points += [invariant.points for invariant in self.invariants]
        return sum(points) + (self.timing.points if self.timing else 0.0)


@dataclass(frozen=True)
class Rubric:
    """One assignment: the exercises of its rubric.yaml and the folder it stands in."""

    name: str
    title: str
    exercises: tuple[Exercise, ...]
    folder: Path

    @property
    def path(self) -> Path:
        """The rubric's own file."""
        return self.folder / "rubric.yaml"


@dataclass(frozen=True)
class Limits:
    """What one submission may use: wall seconds, MB above what the warm process has mapped, KB of prints."""

    call_seconds: float = 5.0
    submission_seconds: float = 60.0
    memory_mb: int = 1024
    output_kb: int = 256


@dataclass(frozen=True)
class Course:
    """The assignments in their order, and the limits that hold for every submission."""

    title: str
    rubrics: tuple[Rubric, ...]
    limits: Limits
    folder: Path
