"""The box: what a forked child puts itself into before it reads one byte of a submission.

The warm process builds a box once; each child confines itself by it. Only the sandbox's POSIX side imports this.
"""

from __future__ import annotations

import errno
import importlib.machinery
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import grader.sandbox.guest.landlock as landlock
import grader.sandbox.guest.limits as limits
import grader.sandbox.guest.seccomp as seccomp
from grader.sandbox.guest.libc import call
from grader.sandbox.guest.limits import Budget

__all__ = ["Box", "BoxError", "Budget", "build_box"]

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38


class BoxError(Exception):
    """A layer that had held before could not be put in force: the child must end without running a submission."""


@dataclass(frozen=True)
class Box:
    """What holds here, and the means to put it in force.

    layers  of "rlimits", "seccomp" and "landlock" those that were proved
    reasons for each of the others one plain line: what is missing, and what to do about it
    """

    layers: tuple[str, ...]
    reasons: tuple[str, ...]
    ruleset: landlock.Ruleset | None
    filter: seccomp.Filter | None
    builder: int
    builders_parent: int

    def confine(self, budget: Budget, keep: Collection[int]) -> None:
        """Put the calling process into the box, for good; of its descriptors only `keep` stay open.

        Call it once, in a child of the process that built the box or in that process itself. What it may not do
        afterwards raises PermissionError. It dies with the thread that forked it.
        """
        try:
            if sys.platform == "linux":
                self._bind_to_parent()
            _close_all_but({*keep, self.ruleset.descriptor} if self.ruleset else keep)
            self._limit(budget)
            if self.ruleset:
                self.ruleset.restrict_self()
                self.ruleset.close()
            if self.filter:
                self.filter.install()
        except (OSError, ValueError) as error:
            raise BoxError(f"the child could not be confined: {error}") from error

    def _bind_to_parent(self) -> None:
        call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)
        call("prctl", PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        # A parent that ended before the line above sends no signal any more.
        if os.getppid() != (self.builders_parent if os.getpid() == self.builder else self.builder):
            raise BoxError("the parent ended before its child was confined")

    def _limit(self, budget: Budget) -> None:
        try:
            limits.apply_limits(budget)
        except (OSError, ValueError):
            # Where limits were not proved they are set as far as they go; macOS has some.
            if "rlimits" in self.layers:
                raise


def build_box(readable: Sequence[str], library: str = seccomp.LIBRARY) -> Box:
    """Make the box and prove each of its layers. Call it in the warm process, before the first fork.

    Each layer is put in force by itself in a throw-away child, which then attempts what the layer forbids. Only a layer
    that withstood is used; no version number is believed. `library` is the libseccomp to load.
    """
    _remember_modules()
    ruleset, program = None, None
    reasons = {"rlimits": prove(lambda: limits.apply_limits(limits.PROOF_BUDGET), limits.FORBIDDEN)}
    try:
        program = seccomp.compile_filter(library)
        reasons["seccomp"] = prove(_without_new_privileges(program.install), seccomp.FORBIDDEN)
    except seccomp.SeccompError as error:
        reasons["seccomp"] = str(error)
    try:
        ruleset = landlock.make_ruleset(readable)
        reasons["landlock"] = prove(_without_new_privileges(ruleset.restrict_self), landlock.FORBIDDEN)
    except landlock.LandlockError as error:
        reasons["landlock"] = str(error)
    if ruleset and reasons["landlock"]:
        ruleset.close()
    return Box(
        layers=tuple(layer for layer, reason in reasons.items() if reason is None),
        reasons=tuple(f"{layer}: {reason}" for layer, reason in reasons.items() if reason),
        ruleset=None if reasons["landlock"] else ruleset,
        filter=None if reasons["seccomp"] else program,
        builder=os.getpid(),
        builders_parent=os.getppid(),
    )


def _without_new_privileges(apply: Callable[[], object]) -> Callable[[], object]:
    def apply_safely() -> None:
        call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        apply()

    return apply_safely


def _remember_modules() -> None:
    # Landlock lets nobody list site-packages, so each folder's listing must be in the import system's memory: a search
    # for what no folder has goes through them all.
    importlib.machinery.PathFinder.find_spec("no module has this name")


def _close_all_but(keep: Collection[int]) -> None:
    for descriptor in _open_descriptors():
        if descriptor not in keep:
            # The descriptor by which the folder was listed is in the list, and closed by now.
            with suppress(OSError):
                os.close(descriptor)


def _open_descriptors() -> Iterable[int]:
    try:
        return [int(name) for name in os.listdir("/dev/fd")]  # noqa: PTH208 # one call, no generator in between
    except FileNotFoundError:
        return range(os.sysconf("SC_OPEN_MAX"))


DENIED = frozenset({errno.EPERM, errno.EACCES, errno.ENOMEM})
SECONDS = 10


def prove(apply: Callable[[], object], forbidden: Mapping[str, Callable[[], object]]) -> str | None:
    """Apply a layer in a throw-away child and attempt what it forbids: None, or one line on why it does not hold."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        # Whatever happens, the child ends here and returns to no caller.
        try:
            signal.alarm(SECONDS)
            os.write(writing, _attempt_all(apply, forbidden).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        words = answer.read().decode()
    os.waitpid(pid, 0)
    return {"held": None, "": "the process that was to prove it ended without a word"}.get(words, words)


def _attempt_all(apply: Callable[[], object], forbidden: Mapping[str, Callable[[], object]]) -> str:
    try:
        apply()
    except (OSError, ValueError) as error:
        return f"the system refused it: {error}"
    for act, attempt in forbidden.items():
        try:
            attempt()
        except ValueError:  # how Python words a limit that can't be raised
            continue
        except OSError as error:
            if error.errno in DENIED:
                continue
        return f"{act} was still possible"
    return "held"
