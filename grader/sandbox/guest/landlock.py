"""Landlock: which files a process may still read, decided by itself and for good.

A ruleset is made once, in the warm process; a forked child applies it to itself. Reading beneath the given folders is
all that is left: nothing can be written, made, removed, run, bound, connected to or signalled.
Needs no privilege. Only the sandbox's POSIX side imports this.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grader.sandbox.guest.libc import call

# The same numbers on every architecture that Linux has gained since 2011, and on x86-64.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446

RULE_PATH_BENEATH = 1
QUERY_ABI = 1
QUIET = 1  # LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF
READ_FILE, READ_DIR = 1 << 2, 1 << 3

# What each version of the kernel's interface lets one forbid: a right that is not handled is not restricted.
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
NETWORK_RIGHTS = {1: 0, 4: 0b11}
SCOPES = {1: 0, 6: 0b11}

DENIALS = {
    errno.ENOSYS: "this kernel has no Landlock; it came with Linux 5.13, and a container may hide it",
    errno.EOPNOTSUPP: "Landlock is switched off in this kernel; add landlock to its boot parameter lsm=",
}


class LandlockError(Exception):
    """Landlock can't be had here; its text is one line that says why."""


@dataclass(frozen=True)
class Ruleset:
    """A ruleset in the kernel, by the descriptor that names it."""

    descriptor: int
    abi: int

    def restrict_self(self) -> None:
        """Put the calling thread under the ruleset; no_new_privs must be set. The descriptor stays open."""
        # A submission that is denied in a loop must not flood the system's audit log.
        call("syscall", RESTRICT_SELF, self.descriptor, QUIET if self.abi >= 7 else 0)

    def close(self) -> None:
        """Let go of the descriptor."""
        os.close(self.descriptor)


def make_ruleset(readable: Sequence[str]) -> Ruleset:
    """Make a ruleset that leaves only reading beneath `readable`, which are folders or single files.

    What can't be opened now is passed over: it could not be read later either.
    """
    if sys.platform != "linux":
        raise LandlockError("Landlock exists only on Linux")
    try:
        abi = call("syscall", CREATE_RULESET, None, 0, QUERY_ABI)
        # An older kernel takes the longer structure too, as long as what it does not know is zero.
        handled = struct.pack("=QQQ", *(_known(rights, abi) for rights in (FILE_RIGHTS, NETWORK_RIGHTS, SCOPES)))
        ruleset = Ruleset(call("syscall", CREATE_RULESET, handled, len(handled), 0), abi)
    except OSError as error:
        raise LandlockError(DENIALS.get(error.errno or 0, f"the kernel refused a Landlock ruleset: {error}")) from error
    for path in readable:
        _allow_reading(ruleset, path)
    return ruleset


def _known(rights: Mapping[int, int], abi: int) -> int:
    return rights[max(version for version in rights if version <= abi)]


def _allow_reading(ruleset: Ruleset, path: str) -> None:
    try:
        # O_PATH needs no right to read the file itself; where there is none, the rule allows nothing.
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        rule = struct.pack("=Qi", READ_FILE | READ_DIR if is_folder else READ_FILE, descriptor)
        call("syscall", ADD_RULE, ruleset.descriptor, RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)


def _open_for_writing() -> None:
    os.close(os.open(os.devnull, os.O_WRONLY))


FORBIDDEN: Mapping[str, Callable[[], object]] = {
    "listing the root folder": lambda: os.listdir("/"),  # noqa: PTH208 # one call, no generator in between
    "reading a file outside the readable folders": lambda: os.open("/proc/self/status", os.O_RDONLY),
    "opening a file for writing": _open_for_writing,
}
