"""One exercise with its cases made and its calls packed: ready to be asked of any number of submissions."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from grader.course import Exercise, InvariantKind, Rubric, Style
from grader.course.cases import Argument, Case, Reference
from grader.course.graph import Graph
from grader.course.mistakes import Mistake, load_bank
from grader.course.source import Source
from grader.course.trace import make_graph
from grader.errors import CourseError
from grader.judge.invariants import ForwardPass, find_misfits, probe_upstreams
from grader.judge.speed import TimedCases, make_timed_cases
from grader.sandbox.guest.protocol import MAX_PAYLOAD
from grader.sandbox.question import NewCall, Question, Statements, draw_order, flatten, pack_call, room_for


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
    reference: Reference

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
            room=room_for(self.exercise, self.cases),
            order=draw_order(len(calls), self.seed, self.rubric.name, self.exercise.function),
            statements=self._statements,
            arrays=self.exercise.arrays,
            cache=self.exercise.cache,
            maker=next(iter(self.exercise.cache_of.items())) if self.exercise.cache_of else None,
            returns=self.exercise.returns,
        )

    @cached_property
    def graph(self) -> Graph:
        """The forward pass as values and what each was computed from."""
        return make_graph([case.forward for case in self.cases], self.source.statement)

    @property
    def _statements(self) -> Statements | None:
        """How the exercise is found where it is no function."""
        exercise, forward = self.exercise, self.cases[0].forward
        if exercise.style is not Style.STATEMENTS:
            return None
        between: dict[str, None] = {}
        pending = [gradient.value for gradient in exercise.gradients]
        while pending:
            for value in forward.consumers(pending.pop()):
                if f"d{value}" not in exercise.given and f"d{value}" not in between:
                    between[f"d{value}"] = None
                    pending.append(value)
        # The gradient of the output is no step: people write dloss = 1 and begin with it.
        known = (*exercise.gradient_names, f"d{forward.output}")
        others = tuple(name for name in between if name not in known)
        return Statements(others, exercise.aliases or {}, in_float32=exercise.float32 is not None)

    @property
    def questions(self) -> tuple[Question, ...]:
        """The question, and the one of the timed calls if there are any."""
        return (self.question, *([self.timed.question] if self.timed else []))


class NewCases:
    """Cases of an exercise with numbers that no submission has seen before its answers to all others have left.

    Their seed is drawn in this process and known to nobody; they are made when first drawn, and kept: submissions do
    not meet.
    """

    def __init__(self, reference: Reference, exercise: Exercise) -> None:
        self._reference = reference
        self._exercise = exercise
        self._chance = random.SystemRandom()
        self._seed = self._chance.getrandbits(128)
        self._known: dict[str, NewCall | None] = {}

    def draw(self) -> NewCall | None:
        """Return one of the cases, or None if there is none to be had with these numbers."""
        spec = self._chance.choice(self._exercise.cases)
        if spec.name not in self._known:
            try:
                case = self._reference.make_case(self._exercise, spec, self._seed)
            except CourseError:
                self._known[spec.name] = None  # numbers that the forward pass does not bear
            else:
                self._known[spec.name] = NewCall(case, *pack_call(flatten(case.arguments)))
        return self._known[spec.name]


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
    prepared = Prepared(reference.rubric, seed, exercise, cases, bank, probes, forward, source, timed, reference)
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
