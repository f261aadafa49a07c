"""One exercise with its cases made and its calls packed: ready to be asked of any number of submissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from grader.course import Exercise, InvariantKind, Rubric
from grader.course.cases import Argument, Case, Reference
from grader.course.mistakes import Mistake, load_bank
from grader.course.source import Source
from grader.errors import CourseError
from grader.judge.invariants import ForwardPass, find_misfits, probe_upstreams
from grader.judge.speed import TimedCases, make_timed_cases
from grader.sandbox.guest.protocol import MAX_PAYLOAD
from grader.sandbox.question import Question, draw_order, flatten


@dataclass(frozen=True)
class Prepared:
    """One exercise with its cases made and its calls ready to travel, for any number of submissions."""

    rubric: Rubric
    seed: int
    exercise: Exercise
    cases: tuple[Case, ...]
    bank: tuple[Mistake, ...]
    probes: tuple[Mapping[str, Argument], ...]
    forward_pass: ForwardPass
    source: Source
    timed: TimedCases | None

    @cached_property
    def question(self) -> Question:
        """What the submission is asked: every case and the probes behind them, in a drawn order."""
        calls = tuple(map(flatten, [*(case.arguments for case in self.cases), *self.probes]))
        return Question(
            function=self.exercise.function,
            home=f"{self.rubric.name}.py",
            given=self.exercise.given,
            gradients=self.exercise.gradient_names,
            calls=calls,
            order=draw_order(len(calls), self.seed, self.rubric.name, self.exercise.function),
        )

    @property
    def questions(self) -> tuple[Question, ...]:
        """The question, and the one of the timed calls if there are any."""
        return (self.question, *([self.timed.question] if self.timed else []))


def prepare_all(chosen: Sequence[tuple[Rubric, Sequence[Exercise]]], seed: int) -> dict[str, tuple[Prepared, ...]]:
    """Prepare the exercises of each rubric. Raises CourseError with what is wrong in any of them."""
    problems: dict[str, None] = {}
    everything = {}
    for rubric, exercises in chosen:
        prepared = []
        try:
            reference = Reference(rubric)
        except CourseError as error:
            problems |= dict.fromkeys(error.problems)
            continue
        bank: tuple[Mistake, ...] = ()
        try:
            bank = load_bank(rubric)
        except CourseError as error:
            problems |= dict.fromkeys(error.problems)
        for exercise in exercises:
            try:
                prepared.append(_prepare(reference, bank, exercise, seed))
            except CourseError as error:
                problems |= dict.fromkeys(error.problems)
        everything[rubric.name] = tuple(prepared)
    if problems:
        raise CourseError(list(problems))
    return everything


def _prepare(reference: Reference, bank: tuple[Mistake, ...], exercise: Exercise, seed: int) -> Prepared:
    cases = reference.make_cases(exercise, seed)
    problems = find_misfits(exercise, cases[0].forward)
    if problems:
        raise CourseError(problems)
    timed = make_timed_cases(reference, exercise, seed)
    probes = _probe(exercise, cases[0])
    forward, source = reference.forward(exercise), reference.source(exercise)
    prepared = Prepared(reference.rubric, seed, exercise, cases, bank, probes, forward, source, timed)
    tensors = [value for call in prepared.question.calls for value in call.values() if isinstance(value, Tensor)]
    size = sum(tensor.nbytes for tensor in tensors)
    if size > MAX_PAYLOAD:
        text = f"the inputs of its cases are {size >> 20} MB, and {MAX_PAYLOAD >> 20} MB can be handed over"
        raise CourseError([f"{exercise.place}: {text}; make them smaller"])
    return prepared


def _probe(exercise: Exercise, first: Case) -> tuple[Mapping[str, Argument], ...]:
    """Return the arguments of the further calls that an invariant about upstream gradients needs."""
    if all(invariant.kind is not InvariantKind.LINEAR for invariant in exercise.invariants):
        return ()
    named = zip(exercise.upstream_names, first.upstream.values(), strict=True)
    probes = {name: probe_upstreams(upstream) for name, upstream in named}
    return tuple({**first.arguments, **{name: probe[k] for name, probe in probes.items()}} for k in (0, 1))
