"""What is said of wrong submissions that were written without a look at what the grader can name.

`unseen/lines/open` was mended with; `held` was not looked at while the diagnosis was made, and is what counts. An entry
is a line of a solution with another in its place, or a whole file, graded as any submission. Run it as
`python tests/benchmarks/lines.py SET [ASSIGNMENT …]`; whether what is said is true is for a reader to judge.
"""

# ruff: noqa: T201 # a benchmark prints its table

from __future__ import annotations

import ast
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
import yaml

from grader.course import default_course, load_course
from grader.grading import Grader
from grader.results import ExerciseFeedback
from grader.sandbox.warm import start_warm
from grader.submission import Submission

LINES = Path(__file__).parent / "unseen" / "lines"
# Where a gradient is wrong, and that nobody has looked, is no diagnosis.
NO_NAME = ("support", "not_looked_into")


def main(chosen: str, assignments: list[str]) -> None:
    """Print what is said of every entry of a set, and how many are named in each assignment."""
    torch.set_num_threads(1)
    course = load_course(default_course())
    graders: dict[str, Grader] = {}
    every: Counter[str] = Counter()
    named: Counter[str] = Counter()
    by_change = 0
    seconds: list[float] = []
    with start_warm() as warm:
        for assignment, entry in _entries(chosen, assignments):
            function = entry["function"]
            grader = graders.setdefault(function, Grader(course, seed=0, only=[function]))
            started = time.perf_counter()
            report = grader.grade(Submission("student", _files(assignment, entry), {}), warm)
            seconds.append(time.perf_counter() - started)
            kind, said = _said(report.selected[0].exercises[0], entry["gradient"])
            every[assignment] += 1
            named[assignment] += bool(kind) and kind not in NO_NAME
            by_change += kind == "repair"
            print(f"{function}, {entry['gradient']}: {entry['truth']}\n    {kind or '-'}: {said}")
    for assignment, count in every.items():
        print(f"{assignment}: {named[assignment]} of {count} named")
    share = named.total() / every.total()
    print(f"{named.total()} of {every.total()} named, {share:.1%}; {by_change} of them by a change of the text")
    print(f"{sorted(seconds)[len(seconds) // 2]:.2f} s each in the middle, {max(seconds):.1f} at most")


def _entries(chosen: str, assignments: list[str]) -> Iterator[tuple[str, Mapping[str, str]]]:
    for path in sorted((LINES / chosen).glob("*.yaml")):
        if not assignments or path.stem in assignments:
            yield from ((path.stem, entry) for entry in yaml.safe_load(path.read_text()))


def _files(assignment: str, entry: Mapping[str, str]) -> dict[str, bytes]:
    """Return the solutions with one of them as the entry has it: some import others."""
    solutions = default_course() / "solutions"
    files = {path.name: path.read_bytes() for path in solutions.glob("*.py")}
    text = entry.get("source") or _replaced((solutions / f"{assignment}.py").read_text(), entry)
    return {**files, f"{assignment}.py": text.encode()}


def _replaced(text: str, entry: Mapping[str, str]) -> str:
    definitions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    node = next(each for each in definitions if each.name == entry["function"])
    body = "\n".join(text.split("\n")[node.lineno - 1 : node.end_lineno])
    for depth in (1, 2, 3):
        right, wrong = (textwrap.indent(entry[key].rstrip("\n"), "    " * depth) for key in ("replace", "with"))
        if right in body:
            return text.replace(body, body.replace(right, wrong, 1))
    raise ValueError(f"{entry['function']} has no line {entry['replace']!r}")


def _said(exercise: ExerciseFeedback, name: str) -> tuple[str, str]:
    """Return the kind of a diagnosis and its sentence: of the gradient, or of the one that is charged in its place."""
    own = next(each for each in exercise.gradients if each.name == name)
    charged = [own, *exercise.slips] if not own.is_slip else [own]
    found = next((each.diagnosis for each in charged if each.diagnosis is not None), None)
    return (found.id.partition(":")[0], found.message) if found is not None else ("", "")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
