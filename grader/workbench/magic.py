"""`%grade` and `grader.check`: grade what a notebook has run, in a process beside its kernel.

The kernel is a student's process, and may hold anything: another default dtype, a patched torch. So only the text of
its cells leaves it, and what comes back is a page to show. Loads neither torch nor numpy.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from grader.errors import GraderError, SandboxError, UsageError
from grader.report.notebook import notebook_bundle
from grader.text import clean, decode

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# A process that grades ends on its own when it is asked nothing more; one that hangs is not waited for.
END_SECONDS = 5.0


@dataclass(frozen=True)
class Panel:
    """What a grading came to: the points, the `line` that says so, and the report as a page that Jupyter shows."""

    score: float | None
    max_score: float
    line: str
    page: str

    def __repr__(self) -> str:
        return self.line

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002 # by IPython's rule
        return notebook_bundle(self.line, self.page)


def check(*names: str) -> Panel:
    """Grade what this notebook has run, as `%grade` does: all of the course, or the assignments or functions named.

    Raises UsageError where there is no notebook, and GraderError if there is nothing to grade.
    """
    shell = _find_shell()
    if shell is None:
        raise UsageError(
            "check grades what a notebook has run, and this is none; from grader import grade, then grade(FOLDER)"
        )
    assert shell.extension_manager is not None
    shell.extension_manager.load_extension("grader")  # does nothing where it is loaded
    return cast(Panel, shell.run_line_magic("grade", " ".join(names)))


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Give a notebook the magic `%grade`, and begin to start what grades."""
    magic = Magic(shell)
    # Written as a decorator, it is typed as one.
    shell.register_magic_function(magic.grade, "line", "grade")  # type: ignore[arg-type]
    atexit.register(magic.close)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magic away and end what grades."""
    magic = shell.magics_manager.magics["line"].pop("grade").__self__
    atexit.unregister(magic.close)
    magic.close()


class Magic:
    """The magic of one kernel, with the process that grades for it."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._process = GradingProcess()

    def grade(self, line: str) -> Panel:
        """Grade what this notebook has run and show the report.

        %grade               all that it has of the course
        %grade NAME ...      only these assignments or functions

        A cell counts as it was when it ran; of a function that was defined again the last one counts. Python files
        beside the notebook go with it.
        """
        history = self._shell.history_manager
        assert history is not None
        try:
            folder = Path.cwd()
        except OSError as error:
            raise UsageError("the folder that this notebook works in is gone; go to another one with %cd") from error
        answer = self._ask(
            {
                "folder": str(folder),
                "notebook": _name(self._shell),
                # By their place, so that a message names a cell by the number that stands beside it.
                "cells": history.input_hist_raw[1:],
                "imported": find_imported(folder),
                "only": line.replace(",", " ").replace('"', " ").replace("'", " ").split(),
            }
        )
        if "error" in answer:
            raise GraderError(answer["error"])
        return Panel(**answer)

    def _ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        if not self._process.is_alive:
            self._process.close()
            self._process = GradingProcess()
        try:
            return self._process.ask(request)
        except KeyboardInterrupt:
            self._process.kill()
            self._process = GradingProcess()
            raise GraderError("stopped; run the cell again to grade") from None

    def close(self) -> None:
        """End what grades."""
        self._process.close()


class GradingProcess:
    """The process that grades, as a kernel sees it: it starts at once, and ends with the kernel, however that ends."""

    def __init__(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 # closed with the process
        self._process = subprocess.Popen(
            # -P: a file of the student's beside the notebook is no module of the grader's.
            [sys.executable, "-P", "-m", "grader.workbench.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Interrupting a cell is for the kernel, which then ends the process.
            start_new_session=True,
        )

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Return the answer to a request. Raises SandboxError if the process has ended."""
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        try:
            requests.write(json.dumps(request).encode() + b"\n")
            requests.flush()
            answer = answers.readline()
        except OSError:
            answer = b""
        if not answer:
            self._end()
            self._errors.seek(0)
            said = clean(decode(self._errors.read()[-4000:]), 4000, keep="tail").strip()
            raise SandboxError(f"the process that grades ended{f': {said}' if said else '; nothing was said why'}")
        return cast(dict[str, Any], json.loads(answer))

    def kill(self) -> None:
        """End the process in the midst of what it does."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """End the process, and with it all that it has started."""
        self._end()
        self._errors.close()

    def _end(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):  # of a process that has ended already
                stream.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def find_imported(folder: Path) -> list[str]:
    """Return the Python files below a folder from which something was imported, by their path inside it."""
    elsewhere = [prefix for prefix in {Path(sys.prefix), Path(sys.base_prefix)} if prefix != folder]
    found = []
    for module in list(sys.modules.values()):
        file = vars(module).get("__file__") if isinstance(module, ModuleType) else None
        if not isinstance(file, str) or not file.endswith(".py"):
            continue
        path = Path(file)
        is_installed = "site-packages" in path.parts or any(path.is_relative_to(prefix) for prefix in elsewhere)
        if path.is_relative_to(folder) and not is_installed:
            found.append(path.relative_to(folder).as_posix())
    return sorted(found)


def _find_shell() -> InteractiveShell | None:
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()


def _name(shell: InteractiveShell) -> str:
    """Return the name of the notebook, where Jupyter or VS Code say it."""
    for told in (shell.user_ns.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(told, str) and told.endswith(".ipynb"):
            return PurePath(told).name
    return "notebook.ipynb"
