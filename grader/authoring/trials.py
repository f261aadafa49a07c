"""Wrong gradients that every rubric must reject: the bank's, and those that are wrong everywhere."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from grader.authoring.check import Subject
from grader.authoring.margins import Nearest, indistinct, measure_margins, needed_cases
from grader.course import DEFAULT_TOLERANCE, Exercise, Gradient, Tolerance
from grader.course.cases import Case, Reference
from grader.course.mistakes import Mistake, load_bank
from grader.course.trace import Value
from grader.results import ExerciseFeedback, GradientFeedback
from grader.sandbox.answer import Outcome
from grader.submission import Submission, read_submission
from grader.verdict.compare import Comparison, Verdict, compare

# A gradient whose norm is below this part of the upstream's is zero but for rounding.
ZERO = 1e-12
STEP = 1e-5
NEARBY = 1e-3
PROBED = 12


@dataclass(frozen=True)
class Tried:
    """One wrong gradient on every case of one seed: how far beyond the tolerance it was, 0 where it passed.

    `mistake` is the entry of the bank that it comes from; `is_right` says that autograd finds no fault with it.
    """

    gradient: str
    name: str
    excess: Mapping[str, float]
    values: Mapping[str, Tensor]
    mistake: Mistake | None = None
    is_right: bool = False

    @property
    def worst(self) -> float:
        """Its excess on the case that sees it best."""
        return max(self.excess.values(), default=0.0)


def try_wrong_gradients(
    exercise: Exercise, cases: Sequence[Case], bank: Sequence[Mistake], forward: Callable[..., object] | None
) -> list[Tried]:
    """Compare every wrong gradient there is with autograd's; central differences only if a `forward` is given.

    What autograd finds right on all cases is no trial, and a gradient that is zero in truth has only its mistakes.
    """
    found: list[Tried] = []
    for gradient in exercise.gradients:
        expected = {case.name: case.expected[gradient.value] for case in cases}
        if not is_zero_in_truth(gradient, cases):
            wrong: dict[str, dict[str, Tensor | None]] = {}
            for case in cases:
                for name, tensor in _everywhere_wrong(gradient, case):
                    wrong.setdefault(name, {})[case.name] = tensor
            for name, tensors in wrong.items():
                if any(tensor is not None and not _is_same(tensor, expected[at]) for at, tensor in tensors.items()):
                    found.append(_tried(gradient, name, tensors, expected))
            if forward is not None:
                excess = _central_differences(gradient, cases, forward)
                found.append(Tried(gradient.name, "central difference", excess, {}))
        for mistake in bank:
            if (mistake.function, mistake.gradient) == (exercise.function, gradient.name):
                values = {case.name: mistake.evaluate(case, {}) for case in cases}
                found.append(_tried(gradient, mistake.name, values, expected, mistake))
    return [one for one in found if one.excess]


def is_zero_in_truth(gradient: Gradient, cases: Sequence[Case]) -> bool:
    """Return whether a gradient is zero, but for rounding, on every case."""
    return all(float(case.expected[gradient.value].norm()) <= ZERO * float(case.dout.norm()) for case in cases)


def _tried(
    gradient: Gradient,
    name: str,
    tensors: Mapping[str, Tensor | None],
    expected: Mapping[str, Tensor],
    mistake: Mistake | None = None,
) -> Tried:
    excess = {case: _excess(gradient.tolerance, expected[case], tensor) for case, tensor in tensors.items()}
    values = {case: tensor for case, tensor in tensors.items() if isinstance(tensor, Tensor)}
    is_right = all(_excess(DEFAULT_TOLERANCE, expected[case], tensor) == 0.0 for case, tensor in tensors.items())
    return Tried(gradient.name, name, excess, values, mistake, is_right)


def _excess(tolerance: Tolerance, expected: Tensor, actual: object) -> float:
    if not isinstance(actual, Tensor):
        return math.inf
    found: Comparison = compare(expected, actual, tolerance)
    if found.verdict is Verdict.CORRECT:
        return 0.0
    return found.excess if found.excess is not None and math.isfinite(found.excess) else math.inf


def _is_same(tensor: Tensor, expected: Tensor) -> bool:
    """Return whether autograd finds a trial right: equal but for the rounding of a sum in another order."""
    rounding = 1e-14 * float(expected.abs().max()) if expected.numel() else 0.0
    return tensor.shape == expected.shape and bool(((tensor - expected).abs() <= rounding).all())


def _everywhere_wrong(gradient: Gradient, case: Case) -> Iterator[tuple[str, Tensor]]:
    true = case.expected[gradient.value]
    yield "zeros", torch.zeros_like(true)
    yield "ones", torch.ones_like(true)
    yield "the sign flipped", -true
    yield "twice", 2 * true
    yield "half", true / 2
    yield "float32", true.float().double()
    if true.dim() >= 2 and true.shape[-1] == true.shape[-2] > 1:
        yield "transposed", true.mT.contiguous()
    for consumer in case.forward.consumers(gradient.value):
        upstream = case.expected[consumer]
        if upstream.shape == true.shape:
            yield f"d{consumer}, its upstream", upstream


def _central_differences(gradient: Gradient, cases: Sequence[Case], forward: Callable[..., object]) -> dict[str, float]:
    """Return how far numerical derivatives lie beyond the tolerance on each case, or nothing if they are exact."""
    found: dict[str, float] = {}
    if not any(_is_curved(gradient, case, forward) for case in cases):
        return found
    for case in cases:
        value = case.forward.leaves[gradient.value].detach()
        places = torch.linspace(0, value.numel() - 1, min(PROBED, value.numel())).long()
        numeric = []
        for place in places.tolist():
            nudge = torch.zeros_like(value).flatten()
            nudge[place] = STEP
            nudge = nudge.reshape(value.shape)
            rise = _output(case, forward, gradient, value + nudge) - _output(case, forward, gradient, value - nudge)
            numeric.append(rise / (2 * STEP))
        expected = case.expected[gradient.value].flatten()[places]
        found[case.name] = _excess(gradient.tolerance, expected, torch.tensor(numeric, dtype=expected.dtype))
    return found


def _is_curved(gradient: Gradient, case: Case, forward: Callable[..., object]) -> bool:
    """Return whether a central difference has an error of its own: where it is exact, no tolerance can tell.

    It is exact for a line, and for a parabola, too: its error is of third order. The step is small, so
    that a kink nearby (a relu, a max) is not taken for a curve.
    """
    value = case.forward.leaves[gradient.value].detach()
    # Any direction in which neighbours move quite differently: a softmax does not feel a common shift.
    direction = NEARBY * torch.arange(1, value.numel() + 1, dtype=value.dtype).sin().reshape(value.shape)
    at = {k: _output(case, forward, gradient, value + k * direction) for k in (-2, -1, 1, 2)}
    third = at[2] - 2 * at[1] + 2 * at[-1] - at[-2]
    return abs(third) > 1e-12 * (abs(at[1]) + 1)


class _Overridden(SimpleNamespace):
    """A plain namespace for a forward in which one value is not computed but given."""

    def __init__(self, name: str, value: Tensor, inputs: Mapping[str, Value]) -> None:
        super().__init__(**{**inputs, name: value})
        self.__dict__[" given"] = name

    def __setattr__(self, name: str, value: Any) -> None:
        if name != self.__dict__[" given"]:
            super().__setattr__(name, value)


def _output(case: Case, forward: Callable[..., object], gradient: Gradient, value: Tensor) -> float:
    computed = {step.name for step in case.forward.steps}
    inputs = {name: known for name, known in case.forward.values.items() if name not in computed}
    values = _Overridden(gradient.value, value, inputs)
    with torch.no_grad():
        forward(values)
    return float((getattr(values, case.forward.output) * case.dout).sum())


SEEDS = range(10)

# The right answer with the largest error, by function and gradient.
Right = dict[tuple[str, str], Nearest]


def check_answers(subject: Subject) -> Iterator[str]:
    """Yield a line for a right answer that does not pass and for a wrong one that does, and take the margins."""
    right: Right = {}
    yield from _solution(subject, right)
    yield from _honest(subject, right)
    path = subject.rubric.folder / "mistakes.py"
    bank = load_bank(subject.rubric)
    subject.proof.mistakes = len(bank)
    reference = Reference(subject.rubric)
    for exercise in subject.rubric.exercises:
        if not any(mistake.function == exercise.function for mistake in bank):
            yield f"{exercise.place}: {exercise.function} has no mistake in {path}; what do people get wrong in it?"
        tried: list[list[Tried]] = []
        for seed in SEEDS:
            cases = reference.make_cases(exercise, seed)
            # Once is enough for numerical derivatives: they cost as much as all the rest.
            forward = reference.forward(exercise) if seed == SEEDS[0] else None
            tried.append(try_wrong_gradients(exercise, cases, bank, forward))
        yield from _passing(exercise, tried, path)
        own = {gradient: nearest for (function, gradient), nearest in right.items() if function == exercise.function}
        subject.proof.margins.extend(measure_margins(exercise, tried, own))
        subject.proof.notices.extend(_notices(exercise, tried))


def place_of_function(subject: Subject, function: str) -> str:
    """Return where the solution defines a function, or the solution's own path if it does not."""
    line = _definitions(subject.solution).get(function)
    return f"{subject.solution}:{line}" if line else str(subject.solution)


def _passing(exercise: Exercise, tried: Sequence[Sequence[Tried]], path: Path) -> Iterator[str]:
    """Yield a line for every mistake that is none, and one for every tolerance that lets wrong gradients pass."""
    for gradient in exercise.gradients:
        found: dict[tuple[str, bool], dict[int, Tried]] = {}
        for seed, each in zip(SEEDS, tried, strict=True):
            for one in each:
                if one.gradient == gradient.name:
                    found.setdefault((one.name, one.mistake is not None), {})[seed] = one
        loose = []
        for (name, _), tries in found.items():
            mistake = next(iter(tries.values())).mistake
            passed = [seed for seed, one in tries.items() if one.worst == 0.0]
            if mistake and all(one.is_right for one in tries.values()):
                text = f"{exercise.function}__{gradient.name}__{name} is no mistake: it is right in every case and seed"
                yield f"{path}:{mistake.line}: {text}; mend it or take it out"
            elif passed:
                where = f" ({path.name}:{mistake.line})" if mistake else ""
                loose.append(name + where + ("" if len(passed) == len(tries) else f" with {_seeds(passed)}"))
        if loose:
            yield (
                f"{gradient.place}: the tolerance of {gradient.name} ({_tolerance(gradient)}) lets wrong gradients "
                f"pass: {', '.join(loose)}; tighten it or mend the cases"
            )


def _notices(exercise: Exercise, tried: Sequence[Sequence[Tried]]) -> Iterator[str]:
    for gradient, first, second in indistinct(tried[0]):
        yield f"{exercise.function}: no case tells the mistakes {first} and {second} of {gradient} apart"
    needed = needed_cases(exercise, [one for each in tried for one in each])
    idle = [case.name for case in exercise.cases if case.name not in needed]
    if idle and needed:
        yield (
            f"{exercise.function}: rejecting all wrong gradients takes only {_quoted(needed)}; "
            f"nothing more is rejected by {_quoted(idle)}"
        )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)


def _solution(subject: Subject, right: Right) -> Iterator[str]:
    """Yield what is wrong with the solution on any seed, one line for each function."""
    if not subject.solution.is_file():
        return  # said where the template is made from it
    submission = read_submission(subject.solution)
    said: dict[str, str] = {}
    seeds: dict[str, list[int]] = {}
    ratios: dict[str, float] = {}
    for seed in SEEDS:
        for exercise in subject.grade(seed, submission):
            shortcoming = _shortcoming(subject, exercise)
            if shortcoming:
                line = f"{subject.solution}:{exercise.line}" if exercise.line else None
                where = line or place_of_function(subject, exercise.function)
                said.setdefault(exercise.function, f"{where}: the solution's {exercise.function} {shortcoming}")
                seeds.setdefault(exercise.function, []).append(seed)
            _note(right, exercise, "solution")
            if exercise.timing:
                ratios[exercise.function] = min(exercise.timing.ratio, ratios.get(exercise.function, math.inf))
    for function, ratio in ratios.items():
        subject.proof.notices.append(f"{function}: the solution takes {ratio:.2g} times autograd's time")
    for asked in subject.rubric.exercises:
        if asked.function not in said:
            continue
        if asked.function not in _definitions(subject.solution):
            yield f"{asked.place}: {asked.function} has points, and {subject.solution} does not define it"
        else:
            yield f"{said[asked.function]}; so with {_seeds(seeds[asked.function])}"


def _honest(subject: Subject, right: Right) -> Iterator[str]:
    """Yield the right answers, written otherwise, that a tolerance is too tight for."""
    path = subject.honest
    if not path.is_file():
        return
    source = path.read_text(encoding="utf-8")
    functions = [exercise.function for exercise in subject.rubric.exercises]
    for variant, line in _definitions(path).items():
        function = variant.partition("__")[0]
        if function in functions and "__" in variant:
            content = f"{source}\n\n{function} = {variant}\n".encode()
            submission = Submission(path.name, {path.name: content}, {})
            for exercise in subject.grade(0, submission, only=function):
                shortcoming = _shortcoming(subject, exercise)
                if shortcoming:
                    yield f"{path}:{line}: {variant} is right and does not pass: it {shortcoming}; too tight?"
                _note(right, exercise, variant)


def _note(right: Right, exercise: ExerciseFeedback, name: str) -> None:
    """Keep the largest error of right answers."""
    for gradient in exercise.gradients:
        excess = gradient.comparison.excess if gradient.comparison else None
        known = right.get((exercise.function, gradient.name))
        if excess is not None and (known is None or excess > known.excess):
            right[exercise.function, gradient.name] = Nearest(name, excess)


def _shortcoming(subject: Subject, exercise: ExerciseFeedback) -> str:
    """Say why an exercise is not all right, or nothing if it is."""
    asked = next(each for each in subject.rubric.exercises if each.function == exercise.function)
    said = [] if exercise.outcome is Outcome.RETURNED else [f"{exercise.outcome}: {exercise.message}"]
    if not said:
        pairs = zip(asked.gradients, exercise.gradients, strict=True)
        said = [_fault(one, each) for one, each in pairs if each.verdict is not Verdict.CORRECT]
        said += [f"does not hold: {each.name}" for each in exercise.invariants if each.held is False]
    return ", ".join(said)


def _fault(gradient: Gradient, feedback: GradientFeedback) -> str:
    found = feedback.comparison
    if feedback.verdict in (Verdict.WRONG_VALUES, Verdict.FOLLOWS) and found and found.max_abs_error is not None:
        excess = f"{found.excess:.3g} times the tolerance ({_tolerance(gradient)})"
        return f"has {gradient.name} off by {found.max_abs_error:.2g}, {excess}"
    return f"has {gradient.name} as {feedback.verdict}"


def _seeds(seeds: Sequence[int]) -> str:
    return "every seed" if len(seeds) == len(SEEDS) else f"seed {', '.join(map(str, seeds))}"


def _tolerance(gradient: Gradient) -> str:
    return f"rtol {gradient.tolerance.rtol:g}, atol {gradient.tolerance.atol:g}"


def _definitions(path: Path) -> dict[str, int]:
    """Return the functions that a file defines, by name, with their lines."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return {}
    return {node.name: node.lineno for node in tree.body if isinstance(node, ast.FunctionDef)}
