"""How a process of the sandbox's untrusted side is started."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from grader.errors import SandboxError

PACKAGE = Path(__file__).resolve().parents[2]

# One thread must be said before numpy and torch are imported: a process that forks may have no second one.
# The package is imported from where this process has it, then taken off the path: a submission that
# imports `solutions` or `assignments` finds nothing.
_BOOT = """
import importlib, os, sys
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
program, package, libraries, *arguments = sys.argv[1:]
sys.path[:0] = [package]
if libraries not in sys.path:
    sys.path.append(libraries)
main = importlib.import_module("grader.sandbox.guest." + program).main
if package != libraries:
    sys.path[:] = [folder for folder in sys.path if folder != package]
sys.argv[:] = [""]
main(*arguments)
"""


def child_command(program: str, *arguments: object) -> list[str]:
    """Give the command line that runs `main` of a module of the sandbox, with `arguments` as text.

    Raises SandboxError if torch is not there to be imported.
    """
    torch_spec = importlib.util.find_spec("torch")
    if torch_spec is None or torch_spec.origin is None:
        raise SandboxError("torch is not installed; the README says how to get it")
    libraries = Path(torch_spec.origin).parents[1]
    options = ["-I", "-B", "-X", "utf8"]
    return [sys.executable, *options, "-c", _BOOT, program, str(PACKAGE), str(libraries), *map(str, arguments)]


def own_files() -> list[str]:
    """List what such a process reads of this package."""
    grader = PACKAGE / "grader"
    return [str(grader / "__init__.py"), str(grader / "sandbox" / "__init__.py"), str(grader / "sandbox" / "guest")]
