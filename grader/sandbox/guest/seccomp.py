"""Seccomp: the system calls that are left to a submission.

An allow-list, because a deny-list misses every call that the kernel gains later. What is not on it answers EPERM, so
Python raises a PermissionError and grading goes on; a call by another architecture's numbers (x32, int 0x80) kills.
libseccomp turns the list into a program once, in the warm process; a forked child hands the program to the kernel.

Two things that follow and that the one who forks should know: with `clone` denied, `torch.set_num_threads(4)` makes
libgomp end the process with status 1; and as memory can't be made executable, oneDNN's float32 convolution and
bfloat16 matmul need `torch.backends.mkldnn.enabled = False`.
Only the sandbox's POSIX side imports this.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import itertools
import mmap
import os
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.sandbox.guest.libc import call

LIBRARY = "libseccomp.so.2"

ALLOWED = {
    "memory": ("brk", "munmap", "mremap", "madvise"),
    "reading; opening is conditional": ("read", "readv", "pread64", "lseek", "close", "close_range", "getdents64"),
    "asking about files": ("fstat", "stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2"),
    "asking where": ("readlink", "readlinkat", "getcwd"),
    "answering": ("write", "writev"),
    "time; reading a clock is conditional": ("gettimeofday", "time", "times"),
    "waiting": ("nanosleep", "poll", "ppoll", "select", "pselect6", "futex", "sched_yield"),
    "signals to oneself": ("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall"),
    "the end": ("exit", "exit_group"),
    "oneself": ("getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getrlimit", "getrusage"),
    "the machine": ("sched_getaffinity", "getcpu", "sysinfo", "uname", "getrandom"),
}

WHOLE = 2**64 - 1
# A descriptor by O_PATH reads nothing, but Landlock lets anybody have one.
NOT_READING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_PATH", 0)
WRITE_OR_RUN = mmap.PROT_WRITE | mmap.PROT_EXEC
TCGETS, FIOCLEX, TIOCGWINSZ = 0x5401, 0x5451, 0x5413
PR_SET_NAME, PR_GET_NAME, PR_SET_SECCOMP, MODE_FILTER = 15, 16, 22, 2

# A child's pid is not known when the program is made, so this stands in its place until the program is installed.
OWN_PID = struct.pack("=I", 0x5E1F5E1F)

# Allowed where (argument & mask) == value holds for each (argument, mask, value); one row is enough.
CONDITIONAL = (
    # Nothing is opened but for reading, with or without Landlock. creat, openat2 and the like are not allowed at all.
    ("open", ((1, NOT_READING, 0),)),
    ("openat", ((2, NOT_READING, 0),)),
    # Code comes only from files, none of which a submission can have written: modules not yet imported still load,
    # but a code page can't be patched, nor a system call be made other than by the C library's own instructions.
    ("mmap", ((2, mmap.PROT_EXEC, 0),)),
    ("mmap", ((2, WRITE_OR_RUN, mmap.PROT_EXEC), (3, mmap.MAP_ANONYMOUS, 0))),
    ("mprotect", ((2, mmap.PROT_EXEC, 0),)),
    # isatty, the terminal's width, and close-on-exec.
    *(("ioctl", ((1, WHOLE, request),)) for request in (TCGETS, TIOCGWINSZ, FIOCLEX)),
    # The system's clocks and one's own. A negative id, 32 bits of it, is the clock of another process.
    *((clock, ((0, 0xFFFFFFF0, 0),)) for clock in ("clock_gettime", "clock_getres", "clock_nanosleep")),
    # Not F_SETOWN and F_SETSIG: through them a descriptor signals other processes.
    *(("fcntl", ((1, WHOLE, request),)) for request in (fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL)),
    *(("prctl", ((0, WHOLE, option),)) for option in (PR_SET_NAME, PR_GET_NAME)),
    # Limits may be read, not set.
    ("prlimit64", ((0, WHOLE, 0), (2, WHOLE, 0))),
    # abort() sends SIGABRT by this call.
    ("tgkill", ((0, WHOLE, int.from_bytes(OWN_PID, sys.byteorder)),)),
)

KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000
BAD_ARCHITECTURE, OPTIMIZE, BINARY_TREE, MASKED_EQUAL = 2, 8, 2, 7
INSTRUCTION_BYTES = 8


class SeccompError(Exception):
    """A filter can't be made here; its text is one line that says why."""


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


@dataclass(frozen=True)
class Filter:
    """A filter as the kernel's own instructions, ready to be installed."""

    instructions: bytes

    def install(self) -> None:
        """Put the calling process under the filter for good; no_new_privs must be set."""
        own_pid = struct.pack("=I", os.getpid())
        instructions = self.instructions.replace(OWN_PID, own_pid)
        program = _Program(len(instructions) // INSTRUCTION_BYTES, instructions)
        call("prctl", PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0)


def compile_filter(library: str = LIBRARY) -> Filter:
    """Turn the allow-list into a program, by the libseccomp of this name."""
    if sys.platform != "linux":
        raise SeccompError("seccomp exists only on Linux")
    try:
        seccomp = ctypes.CDLL(library)
    except OSError as error:
        raise SeccompError(f"{library} is not installed; the package is libseccomp2 or libseccomp") from error
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(_errno(errno.EPERM)))
    if not context:
        raise SeccompError(f"{library} knows no filter for this machine")
    try:
        _check(seccomp.seccomp_attr_set(context, BAD_ARCHITECTURE, ctypes.c_uint32(KILL_PROCESS)))
        # Only an older library says no, and then the program is a little slower.
        seccomp.seccomp_attr_set(context, OPTIMIZE, ctypes.c_uint32(BINARY_TREE))
        for name in itertools.chain.from_iterable(ALLOWED.values()):
            _add(seccomp, context, ALLOW, name)
        for name, conditions in CONDITIONAL:
            _add(seccomp, context, ALLOW, name, conditions)
        # Its flags are out of a filter's sight; on ENOSYS the C library goes on to clone, which is denied.
        _add(seccomp, context, _errno(errno.ENOSYS), "clone3")
        return Filter(_export(seccomp, context))
    finally:
        seccomp.seccomp_release(context)


def _errno(code: int) -> int:
    return 0x00050000 | code


def _check(result: int) -> None:
    if result < 0:
        raise SeccompError(f"libseccomp refused the filter: {os.strerror(-result)}")


def _add(
    seccomp: ctypes.CDLL,
    context: ctypes.c_void_p,
    action: int,
    name: str,
    conditions: tuple[tuple[int, int, int], ...] = (),
) -> None:
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        return  # not a call of this architecture, or unknown to an older library: it stays denied
    rows = [_Comparison(argument, MASKED_EQUAL, mask, value) for argument, mask, value in conditions]
    array = (_Comparison * len(rows))(*rows)
    _check(seccomp.seccomp_rule_add_array(context, ctypes.c_uint32(action), number, len(rows), array))


def _export(seccomp: ctypes.CDLL, context: ctypes.c_void_p) -> bytes:
    with os.fdopen(os.memfd_create("filter"), "rb") as file:
        _check(seccomp.seccomp_export_bpf(context, file.fileno()))
        file.seek(0)
        instructions = file.read()
    if instructions.count(OWN_PID) != 1:
        raise SeccompError("libseccomp made a filter without the one place for the process's own number")
    return instructions


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


# Each would fail differently, or not at all, without the filter; none does harm if it gets through.
FORBIDDEN: Mapping[str, Callable[[], object]] = {
    "starting a process": _fork,
    "running a program": lambda: call("execve", b"/no such program", None, None),
    "opening a socket": lambda: call("socket", 2, 1, 0),
    "signalling the parent": lambda: os.kill(os.getppid(), 0),
    "tracing a process": lambda: call("ptrace", 17, os.getppid(), None, None),
    "setting up io_uring": lambda: call("syscall", 425, 0, None),
}
