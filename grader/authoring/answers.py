"""The proof of a rubric: on every seed right answers pass and wrong ones do not, with the margins between them."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.authoring.margins import Nearest, Subject, indistinct, measure_margins, needed_cases
from grader.authoring.template import read_solution
from grader.authoring.trials import Tried, try_wrong_gradients
from grader.course import Exercise, Gradient, Style
from grader.course.cases import Reference
from grader.course.mistakes import load_bank
from grader.results import ExerciseFeedback, GradientFeedback
from grader.sandbox.answer import Outcome
from grader.submission import Submission
from grader.verdict.compare import Verdict

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
            cases = subject.cases(exercise, seed)
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
                yield f"{mistake.path}:{mistake.line}: {text}; mend it or take it out"
            elif passed:
                where = f" ({_name(mistake.path, path)}:{mistake.line})" if mistake else ""
                loose.append(name + where + ("" if len(passed) == len(tries) else f" with {_seeds(passed)}"))
        if loose:
            yield (
                f"{gradient.place}: the tolerance of {gradient.name} ({_tolerance(gradient)}) lets wrong gradients "
                f"pass: {', '.join(loose)}; tighten it or mend the cases"
            )


def _name(path: Path, own: Path) -> str:
    """Return a mistakes.py as an author knows it: one of another assignment with its folder."""
    return path.name if path == own else f"{path.parent.name}/{path.name}"


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
    submission = subject.hand_in(read_solution(subject.solution), read_solution)
    said: dict[str, str] = {}
    seeds: dict[str, list[int]] = {}
    ratios: dict[str, float] = {}
    unwritten: set[str] = set()
    for seed in SEEDS:
        for exercise in subject.grade(seed, submission):
            shortcoming = _shortcoming(subject, exercise)
            if exercise.outcome is Outcome.NOT_WRITTEN:
                unwritten.add(exercise.function)
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
        if asked.style is Style.FUNCTION and asked.function not in _definitions(subject.solution):
            yield f"{asked.place}: {asked.function} has points, and {subject.solution} does not define it"
        elif asked.function in unwritten:
            where = place_of_function(subject, asked.function)
            text = "is not written yet; put its formulas between BEGIN SOLUTION and END SOLUTION"
            yield f"{where}: the solution's {asked.function} {text}"
        else:
            yield f"{said[asked.function]}; so with {_seeds(seeds[asked.function])}"


def _honest(subject: Subject, right: Right) -> Iterator[str]:
    """Yield the right answers, written otherwise, that a tolerance is too tight for."""
    path = subject.honest
    if not path.is_file():
        return
    functions = [exercise.function for exercise in subject.rubric.exercises]
    for variant, line in _definitions(path).items():
        function = variant.partition("__")[0]
        if function in functions and "__" in variant:
            text = handed_in(path, variant, subject.rubric.exercise(function))
            is_function = subject.rubric.exercise(function).style is Style.FUNCTION
            alone = Submission(path.name, {path.name: text.encode()}, {})
            submission = subject.hand_in(text, read_solution) if is_function else alone
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
    asked = subject.rubric.exercise(exercise.function)
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


def handed_in(path: Path, variant: str, exercise: Exercise) -> str:
    """Return a right answer in a file of them as it would be handed in: of statements, the body of its function."""
    source = path.read_text(encoding="utf-8")
    if exercise.style is Style.FUNCTION:
        return f"{source}\n\n{exercise.function} = {variant}\n"
    kept: list[ast.stmt] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and "__" in node.name:
            kept += node.body if node.name == variant else []
        else:
            kept.append(node)
    return ast.unparse(ast.Module(kept, []))


def _definitions(path: Path) -> dict[str, int]:
    """Return the functions that a file defines, by name, with their lines."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return {}
    return {node.name: node.lineno for node in tree.body if isinstance(node, ast.FunctionDef)}
