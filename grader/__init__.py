"""Grades hand-written backward passes against autograd, and says what went wrong."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.errors import GraderError
    from grader.results import Report
    from grader.workbench.entrance import grade
    from grader.workbench.magic import check

if sys.version_info < (3, 11):  # noqa: UP036 # who runs it from a checkout has nobody else to say so
    version = ".".join(str(part) for part in sys.version_info[:2])
    sys.stderr.write(
        f"grade: Python 3.11 or newer is needed, and this is {version}; install one from python.org, then run: "
        "python3.11 -m pip install backprop-grader\n"
    )
    sys.exit(2)

__all__ = ["GraderError", "Report", "check", "grade"]


def __getattr__(name: str) -> Any:
    # Late, so that `import grader` and `grade --help` load neither torch nor numpy.
    if name == "GraderError":
        from grader.errors import GraderError

        return GraderError
    try:
        if name == "Report":
            from grader.results import Report

            return Report
        if name == "grade":
            from grader.workbench.entrance import grade

            return grade
        if name in ("check", "load_ipython_extension", "unload_ipython_extension"):
            from grader.workbench import magic

            return getattr(magic, name)
    except ModuleNotFoundError as error:
        from grader.absent import leave_absent

        leave_absent(error)
    raise AttributeError(f"module 'grader' has no attribute {name!r}")
