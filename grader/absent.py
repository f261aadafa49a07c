"""Libraries that are not installed: what to run so that they are. It imports none of them."""

from __future__ import annotations

import sys
from typing import NoReturn

# Libraries that the grader stands on, by the name that they are imported by and the one that they are installed by.
LIBRARIES = {
    name: name for name in ("click", "jinja2", "latex2mathml", "numpy", "pydantic", "rich", "torch", "watchfiles")
} | {"yaml": "pyyaml", "markupsafe": "markupsafe"}


def explain_absent(library: str) -> str:
    """Return what to install where a library is missing."""
    python = sys.executable
    return f"{library} is not installed for this Python, {python}; run: {python} -m pip install {LIBRARIES[library]}"


def leave_absent(error: ModuleNotFoundError) -> NoReturn:
    """End the process with what to install, where a library is missing: without it there is nothing to be done."""
    library = (error.name or "").partition(".")[0]
    if library not in LIBRARIES:
        raise error
    sys.stderr.write(f"grade: {explain_absent(library)}\n")
    sys.exit(2)
