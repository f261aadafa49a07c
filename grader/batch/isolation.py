"""Whether the sandbox is strong enough for a whole class."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from grader.errors import SandboxError

NEEDED = ("landlock", "rlimits", "seccomp")


def require_isolation(proved: Collection[str], reasons: Sequence[str], *, allows_weak: bool) -> None:
    """Raise SandboxError unless every needed layer was proved, or the instructor has said that it need not be.

    `reasons` has a line for each layer that was not proved, which begins with its name.
    """
    missing = [layer for layer in NEEDED if layer not in proved]
    if missing and not allows_weak:
        found = ", ".join(proved) or "time limits only"
        why = [f"  {reason}" for reason in reasons if reason.partition(":")[0] in missing]
        raise SandboxError(
            "\n".join(
                [
                    "the sandbox is weak here: a submission could read the others and the course "
                    f"(proved: {found}; missing: {', '.join(missing)})",
                    *why,
                    "Install what is missing, or grade on Linux 5.13 or later: in a container, or on Windows in WSL "
                    "(docs/security.md). If you trust every submission, add --allow-weak-isolation",
                ]
            )
        )
