"""What calls with probes are good for, and what they cost.

Points charged beside a slip, by replay alone and with probes, over the generated table of slips
(tests/verdict/slip_table.py); what such a call costs there; and which share of the gradients of honest functions, of
which others are computed, can be probed at all. Run it as `python tests/benchmarks/slips.py [EVERY]`; with a number
it takes one slip in so many.
"""

# ruff: noqa: T201 # a benchmark prints its table

from __future__ import annotations

import ast
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from verdict.slip_table import FUNCTIONS, ROOT, all_slips  # after the path above

from grader.course import Course, load_course  # after the path above
from grader.course.trace import Forward  # after the path above
from grader.grading import Grader  # after the path above
from grader.judge.judge import Judge, Judgement, Patience  # after the path above
from grader.sandbox.probing import ProbedRun  # after the path above
from grader.sandbox.session import Session  # after the path above
from grader.sandbox.warm import Warm, start_warm  # after the path above
from grader.submission import Submission  # after the path above
from grader.verdict.intervene import replaced  # after the path above


def main(every: int = 1) -> None:
    """Print the three tables."""
    course = load_course(ROOT)
    with start_warm() as warm:
        compare_ways(course, warm, every)
        count_probed(course, warm)


def compare_ways(course: Course, warm: Warm, every: int) -> None:
    """Print what slips cost beside their own points by replay alone and with probes, and the time of both."""
    graders = {function: Grader(course, seed=3, only=[function]) for function in FUNCTIONS}
    slips = list(all_slips())[::every]
    beside, charged, most = [0.0, 0.0], [0, 0], 0.0
    plain: list[float] = []
    with_probes: list[float] = []
    judging: list[float] = []
    for slip in slips:
        submission = Submission("student", {slip.file: slip.source().encode()}, {})
        grader = graders[slip.function]
        judge = grader.judge(slip.function)
        question = judge.prepared.question
        with Session(warm, submission, grader.questionnaires[0], course.limits) as session:
            session.ask()
            plain.append(_time(partial(session.finish, [])))
        with Session(warm, submission, grader.questionnaires[0], course.limits) as session:
            session.ask()
            found = [judge.judge(session.answers(question), Patience())]
            probing = judge.probing(session.answers(question))
            with_probes.append(_time(partial(session.finish, [], [probing])))
            started = time.perf_counter()
            answers, probed = session.answers(question), session.tries.probed(question)
            found.append(judge.judge_again(answers, Patience(), probing, probed) if found[0].is_open else found[0])
            judging.append(time.perf_counter() - started)
        for place, judgement in enumerate(found):
            lost = _lost_beside(judgement, slip.gradient)
            beside[place] += lost
            charged[place] += lost > 0
        if lost:
            print(f"{slip}: {lost:g} points beside it")
        most += sum(each.max_score for each in found[0].gradients if each.name != slip.gradient)
    print(f"{len(slips)} slips, {most:g} points beside them")
    for way, points, count in zip(("replay alone", "with probes"), beside, charged, strict=True):
        print(f"  {way}: {points:g} points charged beside {count} of them")
    print(
        f"  the second exchange, in the middle: {_middle(plain):.1f} ms without probes, {_middle(with_probes):.1f} with"
    )
    print(f"  judging again, diagnoses included: {_middle(judging):.1f} ms in the middle")


def _lost_beside(judgement: Judgement, slip: str) -> float:
    others = [each for each in judgement.gradients if each.name != slip]
    return sum(each.max_score - (each.score or 0.0) for each in others)


def _time(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _middle(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) // 2] * 1000


def count_probed(course: Course, warm: Warm) -> None:
    """Print which share of gradients that others are computed from has its probe, by the folder of the functions."""
    graders: dict[str, Grader] = {}
    for folder in ("solutions", "tests/honest"):
        got, of, missing = 0, 0, []
        for assignment, function, name, source in _functions(course, folder):
            grader = graders.setdefault(function, Grader(course, seed=3, only=[function]))
            files = {path.name: path.read_bytes() for path in (ROOT / "solutions").glob("*.py")}
            submission = Submission("student", {**files, f"{assignment}.py": source.encode()}, {})
            wanted, has_probe = _probe(course, warm, grader, grader.judge(function), submission)
            got, of = got + len(has_probe), of + len(wanted)
            if wanted - has_probe:
                missing.append(f"{name}: {', '.join(sorted(wanted - has_probe))}")
        print(f"{folder}: {got} of {of} gradients can be probed")
        for line in missing:
            print(f"  not {line}")


def _functions(course: Course, folder: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield assignment, function, name and source of every function in a folder that gives several gradients."""
    for rubric in course.rubrics:
        path = ROOT / folder / f"{rubric.name}.py"
        if not path.is_file():
            continue
        text = path.read_text()
        names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
        for exercise in rubric.exercises:
            for name in names:
                if name.partition("__")[0] == exercise.function and len(exercise.gradients) > 1:
                    own = "" if name == exercise.function else f"\n\n{exercise.function} = {name}\n"
                    yield rubric.name, exercise.function, name, text + own


def _probe(
    course: Course, warm: Warm, grader: Grader, judge: Judge, submission: Submission
) -> tuple[set[str], set[str]]:
    """Return the gradients that others are computed from, and those of them that have their probe in every case."""
    prepared = judge.prepared
    forward = prepared.cases[0].forward
    behind = {consumer for each in prepared.exercise.gradients for consumer in _all_consumers(forward, each.value)}
    wanted = {name for name in replaced(prepared.exercise, forward) if name[1:] in behind}
    with Session(warm, submission, grader.questionnaires[0], course.limits) as session:
        session.ask()
        session.finish([], [judge.probing(session.answers(prepared.question))])
        runs = session.tries.probed(prepared.question)
    return wanted, {name for name in wanted if runs and all(_has(name, tried) for tried in runs)}


def _has(name: str, tried: tuple[ProbedRun, ...]) -> bool:
    return len(tried) > 1 and name in tried[1].placed and name in tried[1].values


def _all_consumers(forward: Forward, value: str) -> set[str]:
    found: set[str] = set()
    pending = [value]
    while pending:
        for consumer in forward.consumers(pending.pop()):
            if consumer not in found:
                found.add(consumer)
                pending.append(consumer)
    return found


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
