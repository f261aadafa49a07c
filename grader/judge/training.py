"""Training a network with a student's gradients, and beside it with autograd's: from the same place, on the same data.

Forward pass, loss and parameters are the grader's. The student's function is given the values of each forward pass and
answers with gradients, which are compared with autograd's until one differs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grader.course import Course, Tolerance
from grader.course.cases import Case
from grader.course.model import Model, Parameters, Values
from grader.course.trace import Value
from grader.sandbox.answer import Answer, Outcome
from grader.sandbox.question import Question, flatten, room_for
from grader.sandbox.trainee import Trainee
from grader.text import one_line
from grader.verdict.compare import Comparison, Verdict, compare

MINUTE = 60.0
# Right gradients differ by rounding, which training makes larger: a loss that differs by this share has another cause.
ROUNDING = 1e-6
# Of a gradient's largest entry: far above the rounding of any right answer, far below any slip.
SHARE, DUST = 1e-8, 1e-11
TEXTS = 10
# The mean loss of so many steps tells how far training is.
RECENT = 50
BATCHES = "batches"

# Hears of a step, the student's loss of late if it goes on, and autograd's.
Progress = Callable[[int, float | None, float], None]


@dataclass(frozen=True)
class Difference:
    """The first gradient, in backward order, that was not autograd's.

    `factor` is the number that autograd's was multiplied by, if it was by one; `others` differed in the same step.
    """

    step: int
    gradient: str
    comparison: Comparison
    factor: float | None
    others: tuple[str, ...]


@dataclass(frozen=True)
class Curve:
    """The loss of each step, and texts that the network wrote in the end."""

    losses: tuple[float, ...]
    texts: tuple[str, ...]

    @property
    def late(self) -> float:
        """The mean loss of the last steps."""
        return recent(self.losses)


@dataclass(frozen=True)
class Training:
    """What came of training a function for up to `planned` steps; `problem` says what ended it earlier, if it did.

    `uniform_loss` is that of a network to which all characters are equally likely.
    """

    course: str
    language: str
    submission: str
    function: str
    seed: int
    planned: int
    student: Curve
    autograd: Curve
    difference: Difference | None
    problem: str
    seconds: float
    uniform_loss: float

    @property
    def parted(self) -> int | None:
        """The first step, counted from 1, in which the losses differ by more than rounding."""
        for step, (loss, other) in enumerate(zip(self.student.losses, self.autograd.losses, strict=False), start=1):
            if not abs(loss - other) <= ROUNDING * max(1.0, abs(other)):
                return step
        return None

    @property
    def agrees(self) -> bool:
        """Whether training went to its end, and both losses were the same all the way."""
        return not self.problem and self.parted is None


class _StoppedError(Exception):
    """Training goes no further, for a reason in words."""


def first_question(model: Model) -> Question:
    """Return the question that is the first batch of a training."""
    case = model.case(model.trace(model.batch(model.random(BATCHES)), model.parameters))
    return Question(
        function=model.exercise.function,
        home=f"{model.rubric.name}.py",
        given=model.exercise.given,
        gradients=model.exercise.gradient_names,
        calls=(flatten(case.arguments),),
        order=(0,),
        room=room_for(model.exercise, [case]),
    )


class Trainer:
    """Trains a model side by side, and keeps how far it has come."""

    def __init__(self, model: Model, steps: int) -> None:
        self.model = model
        self.steps = steps
        self.student: Parameters = model.parameters
        self.autograd: Parameters = model.parameters
        self.losses: list[float] = []
        self.true_losses: list[float] = []
        self.difference: Difference | None = None
        self.problem = ""

    def run(self, trainee: Trainee, progress: Progress) -> None:
        """Train until all steps are done, a minute is over, or Ctrl-C; `progress` hears how it goes.

        Where the student's gradients end, autograd's go on, unless they ended in the first step.
        """
        started = time.monotonic()
        batches = self.model.random(BATCHES)
        try:
            for step in range(1, self.steps + 1):
                if time.monotonic() - started > MINUTE:
                    raise _StoppedError(f"A minute was over after step {step - 1} of {self.steps}")
                data, rate = self.model.batch(batches), self.model.rate(step, self.steps)
                if not self.problem:
                    try:
                        self._step(step, data, rate, trainee)
                    except _StoppedError as stopped:
                        if step == 1:
                            raise
                        self.problem = str(stopped)
                self._step_with_autograd(data, rate)
                progress(step, None if self.problem else recent(self.losses), recent(self.true_losses))
        except KeyboardInterrupt:
            self.problem = self.problem or f"You stopped it after step {len(self.true_losses)} of {self.steps}"
        except _StoppedError as stopped:
            self.problem = self.problem or str(stopped)

    def _step(self, step: int, data: Values, rate: float, trainee: Trainee) -> None:
        """Take a step with the student's gradients, and compare them if all were right until now."""
        case: Case | None = None
        if self.difference is None:
            case = self.model.case(self.model.trace(data, self.student))
            values = case.forward.values
        else:
            with torch.no_grad():
                values = self.model.values(data, self.student)
        loss = _loss(values)
        if not math.isfinite(loss):
            raise _StoppedError(f"Your gradients drove the loss to {loss} in step {step}")
        answer = trainee.begin() if step == 1 else trainee.answer(values)
        gradients = _usable(answer, self.model.exercise.function, self.student, step)
        if case is not None:
            self.difference = find_difference(step, case, answer.gradients)
        self.losses.append(loss)
        self.student = _descend(self.student, gradients, rate)

    def _step_with_autograd(self, data: Values, rate: float) -> None:
        leaves = {name: value.clone().requires_grad_() for name, value in self.autograd.items()}
        with torch.enable_grad():
            values = self.model.values(data, leaves)
            loss = next(reversed(values.values()))
            found = torch.autograd.grad(loss, list(leaves.values()))
        self.true_losses.append(_loss(values))
        self.autograd = _descend(self.autograd, dict(zip(leaves, found, strict=True)), rate)

    def result(self, course: Course, submission: str, seconds: float) -> Training:
        """Return what came of it, with texts of both networks if there was any step."""
        both = [(self.losses, self.student), (self.true_losses, self.autograd)]
        curves = [Curve(tuple(losses), invent(self.model, trained) if losses else ()) for losses, trained in both]
        return Training(
            course=course.title,
            language=course.language,
            submission=submission,
            function=self.model.exercise.function,
            seed=self.model.seed,
            planned=self.steps,
            student=curves[0],
            autograd=curves[1],
            difference=self.difference,
            problem=self.problem,
            seconds=seconds,
            uniform_loss=math.log(len(self.model.characters)),
        )


def invent(model: Model, parameters: Parameters) -> tuple[str, ...]:
    """Return texts that a network writes, character by character as it thinks likely; none if it is not finite."""
    random = model.random("texts")
    begun: list[list[int]] = [[] for _ in range(TEXTS)]
    ended: set[int] = set()
    with torch.no_grad():
        for _ in range(model.longest):
            likely = model.logits(parameters, begun).softmax(dim=1).cumsum(dim=1)
            if not likely.isfinite().all():
                return ()
            drawn = (likely < random.uniform(TEXTS, 1)).sum(dim=1).clamp(max=len(model.characters) - 1)
            for number, character in enumerate(drawn.tolist()):
                ended |= {number} if character == 0 else set()
                begun[number] += [] if number in ended else [character]
            if len(ended) == TEXTS:
                break
    return tuple("".join(model.characters[each] for each in text) for text in begun if text)


def find_difference(step: int, case: Case, gradients: Mapping[str, Tensor]) -> Difference | None:
    """Return the first gradient, in backward order, that is not autograd's; None if all are."""
    found = {}
    for name in sorted(gradients, key=lambda name: -_completed(case, name)):
        expected = case.expected[name.removeprefix("d")]
        largest = float(expected.abs().max()) if expected.numel() else 0.0
        comparison = compare(expected, gradients[name], Tolerance(rtol=SHARE, atol=SHARE * largest + DUST))
        if comparison.verdict is not Verdict.CORRECT:
            found[name] = comparison
    if not found:
        return None
    first, *others = found
    factor = None
    if found[first].verdict is Verdict.WRONG_VALUES:
        factor = _factor(case.expected[first.removeprefix("d")], gradients[first])
    return Difference(step, first, found[first], factor, tuple(others))


def _completed(case: Case, gradient: str) -> int:
    """Return the step of the forward pass with which, on the way back, a gradient is complete."""
    value = gradient.removeprefix("d")
    return next((number for number, step in enumerate(case.forward.steps) if value in step.reads), len(case.expected))


def _factor(expected: Tensor, actual: Tensor) -> float | None:
    """Return the number by which autograd's gradient was multiplied, if it was by one."""
    square = float((expected * expected).sum())
    if not square:
        return None
    factor = float((expected * actual).sum()) / square
    rest = float((actual - factor * expected).abs().max())
    return factor if rest <= SHARE * float(actual.abs().max() + expected.abs().max()) else None


def _usable(answer: Answer, function: str, parameters: Parameters, step: int) -> dict[str, Tensor]:
    """Return the gradient of each parameter by its name. Raises _StoppedError if there are not all, or not usable."""
    if answer.outcome is not Outcome.RETURNED:
        raise _StoppedError(_explain(answer, function, step))
    found = {}
    missing = [f"d{name}" for name in parameters if f"d{name}" not in answer.gradients]
    if missing:
        listed = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
        note = next((f": {answer.notes[name].text}" for name in missing if name in answer.notes), "")
        raise _StoppedError(
            f"{function} gives no {listed} yet, and training needs the gradient of every parameter{note}"
        )
    for name, value in parameters.items():
        gradient = answer.gradients[f"d{name}"]
        if gradient.shape != value.shape:
            shapes = f"{tuple(gradient.shape)}, and {name} has {tuple(value.shape)}"
            raise _StoppedError(f"d{name} of {function} has the shape {shapes}")
        if gradient.dtype != value.dtype:
            raise _StoppedError(f"d{name} of {function} is {gradient.dtype}, and the course computes in {value.dtype}")
        if not gradient.isfinite().all():
            raise _StoppedError(f"d{name} of {function} holds nan or infinite numbers in step {step}")
        found[name] = gradient
    return found


def _explain(answer: Answer, function: str, step: int) -> str:
    """Say why there are no gradients to train with."""
    if answer.outcome is Outcome.NOT_WRITTEN:
        return f"{function} is not written yet"
    place = f" ({answer.file} line {answer.line})" if answer.file and answer.line else ""
    when = f" in step {step}" if step > 1 else ""
    verb = {Outcome.RAISED: f"{function} raised ", Outcome.AUTOGRAD_USED: f"{function}: "}.get(answer.outcome, "")
    return f"{verb}{one_line(answer.message, 500)}{place}{when}"


def _descend(parameters: Parameters, gradients: Mapping[str, Tensor], rate: float) -> Parameters:
    return {name: value - rate * gradients[name] for name, value in parameters.items()}


def recent(losses: Sequence[float]) -> float:
    """Return the mean of the last losses: that of one batch jumps."""
    last = losses[-RECENT:]
    return sum(last) / len(last)


def _loss(values: Mapping[str, Value]) -> float:
    loss = list(values.values())[-1]
    assert isinstance(loss, Tensor), "a forward ends in its loss"
    return float(loss.detach())
