"""Points that are charged beside a slip, over every slip of the generated table (see tests/verdict/slip_table.py).

Run it as `python tests/benchmarks/slips.py [EVERY]`; with a number it takes one in so many.
"""

# ruff: noqa: T201 # a benchmark prints its table

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from verdict.slip_table import FUNCTIONS, ROOT, all_slips  # after the path above

from grader.course import load_course  # after the path above
from grader.grading import Grader  # after the path above
from grader.sandbox.warm import start_warm  # after the path above
from grader.submission import Submission  # after the path above


def main(every: int = 1) -> None:
    """Grade each slip by itself and print what it cost beside its own points."""
    course = load_course(ROOT)
    graders = {function: Grader(course, seed=3, only=[function]) for function in FUNCTIONS}
    tried, unfair, points, of = 0, 0, 0.0, 0.0
    with start_warm() as warm:
        for slip in list(all_slips())[::every]:
            submission = Submission("student", {slip.file: slip.source().encode()}, {})
            (exercise,) = graders[slip.function].grade(submission, warm).selected[0].exercises
            others = [each for each in exercise.gradients if each.name != slip.gradient]
            beside = sum(each.max_score - (each.score or 0.0) for each in others)
            tried, unfair, points = tried + 1, unfair + bool(beside), points + beside
            of += sum(each.max_score for each in others)
            if beside:
                print(f"{slip}: {beside:g} points beside it")
    print(f"{tried} slips, {unfair} of them charged beside; {points:g} of {of:g} points")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
