"""Whether the sandbox is strong enough for a whole class."""

from __future__ import annotations

from collections.abc import Collection

from grader.errors import SandboxError

NEEDED = ("landlock", "rlimits", "seccomp")


def require_isolation(proved: Collection[str], *, allows_weak: bool) -> None:
    """Raise SandboxError unless every needed layer was proved, or the instructor has said that it need not be."""
    missing = [layer for layer in NEEDED if layer not in proved]
    if missing and not allows_weak:
        found = ", ".join(proved) or "time limits only"
        raise SandboxError(
            f"the sandbox is weak here (proved: {found}; missing: {', '.join(missing)}): a submission could read "
            "the others and the course. Run the batch on Linux 5.13 or later, or, if you trust every "
            "submission, with --allow-weak-isolation"
        )
