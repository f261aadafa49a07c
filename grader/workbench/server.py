"""The process that grades for a notebook: takes one request a line, and answers each with a page.

It ends with the kernel, which holds the other end of its standard input.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from grader.absent import leave_absent
from grader.errors import GraderError

if TYPE_CHECKING:
    from grader.grading import Grader
    from grader.results import Report
    from grader.sandbox.warm import Warm


class Server:
    """Grades what a notebook has run; what a request has made ready stays so for the next."""

    def __init__(self, warm: Warm) -> None:
        self._warm = warm
        self._graders: dict[tuple[Path, tuple[str, ...]], Grader] = {}

    def serve(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        """Answer requests until there are no more."""
        for line in requests:
            answers.write(json.dumps(self._answer(json.loads(line))).encode() + b"\n")
            answers.flush()

    def _answer(self, request: Mapping[str, Any]) -> dict[str, object]:
        from grader.report.html import render_html
        from grader.report.words import sum_up

        try:
            report = self._grade(request)
        except GraderError as error:
            return {"error": str(error).removeprefix("--only ")}  # nobody has written that here
        return {
            "score": report.score,
            "max_score": report.max_score,
            "line": sum_up(report),
            "page": render_html(report),
        }

    def _grade(self, request: Mapping[str, Any]) -> Report:
        from grader.course import default_course
        from grader.submission import read_session
        from grader.workbench.pointer import find_course

        folder = Path(request["folder"])
        grader = self._grader(find_course(folder) or default_course(), tuple(request["only"]))
        session = read_session(folder, request["notebook"], request["cells"], request["imported"])
        return grader.grade(session, self._warm)

    def _grader(self, course: Path, only: tuple[str, ...]) -> Grader:
        from grader.course import load_course
        from grader.grading import Grader

        if (course, only) not in self._graders:
            self._graders[course, only] = Grader(load_course(course), only=only)
        return self._graders[course, only]


def main() -> None:
    """Serve standard input, and keep standard output for the answers alone."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        from grader.sandbox.warm import start_warm

        # First of all, so that it imports torch while this process does.
        with start_warm() as warm:
            import grader.grading
            import grader.report.html  # noqa: F401 # so that the first request does not wait for it

            Server(warm).serve(sys.stdin.buffer, answers)
    except ModuleNotFoundError as error:
        leave_absent(error)
    except (BrokenPipeError, KeyboardInterrupt):
        pass  # the kernel has ended


if __name__ == "__main__":
    main()
