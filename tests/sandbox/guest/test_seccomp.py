"""The system calls that are left: what is not on the list is refused, by every way in."""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import itertools
import mmap
import os
import platform
import signal
import sys

import pytest

from grader.sandbox.guest import libc, seccomp
from grader.sandbox.guest.box import prove

# With pytest-xdist a worker has threads, and newer Pythons warn of every fork then; these children only make calls.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 and int 0x80 are ways to call on x86-64")

# No submission needs these; each has been a way out, or up, or into another process, or to leave something behind.
DENIED_CALLS = {
    "processes": ("fork", "vfork", "clone", "execve", "execveat"),
    "other worlds": ("unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "chdir"),
    "sockets": ("socket", "socketpair", "connect", "bind", "sendto", "sendmsg", "recvmsg"),
    "signals": (
        "kill",
        "tkill",
        "rt_sigqueueinfo",
        "rt_tgsigqueueinfo",
        "pidfd_open",
        "pidfd_send_signal",
        "pidfd_getfd",
    ),
    "other processes": ("ptrace", "process_vm_readv", "process_vm_writev", "kcmp"),
    "the kernel's newer doors": (
        "io_uring_setup",
        "io_uring_enter",
        "io_uring_register",
        "io_setup",
        "bpf",
        "perf_event_open",
        "userfaultfd",
    ),
    "keys": ("keyctl", "add_key", "request_key"),
    "files without a name": ("memfd_create", "memfd_secret", "name_to_handle_at", "open_by_handle_at"),
    "shared memory and queues": ("shmget", "shmat", "mq_open", "msgget", "msgsnd", "semget", "semop"),
    "being somebody else": ("setuid", "setgid", "setgroups", "setresuid", "capset", "personality"),
    "limits and priorities": ("setrlimit", "setpriority", "sched_setaffinity", "sched_setscheduler"),
    "other ways to open": ("creat", "openat2"),
    "changing files": (
        "truncate",
        "ftruncate",
        "rename",
        "renameat2",
        "unlink",
        "unlinkat",
        "mkdir",
        "rmdir",
        "link",
        "symlink",
        "mknod",
    ),
    "changing what is said of files": ("chmod", "fchmod", "chown", "utimensat", "setxattr"),
    "descriptors": (
        "dup",
        "dup2",
        "dup3",
        "pipe2",
        "eventfd2",
        "inotify_init1",
        "fanotify_init",
        "splice",
        "vmsplice",
        "sendfile",
    ),
    "the machine": (
        "init_module",
        "delete_module",
        "kexec_load",
        "reboot",
        "swapon",
        "acct",
        "quotactl",
        "syslog",
        "settimeofday",
        "sethostname",
    ),
    "the processor": ("modify_ldt", "iopl", "ioperm", "arch_prctl", "pkey_mprotect", "remap_file_pages"),
    "the box itself": ("seccomp", "landlock_restrict_self"),
    "timers": ("timer_create", "alarm"),
}


def number(name):
    return ctypes.CDLL(seccomp.LIBRARY).seccomp_syscall_resolve_name(name.encode())


def map_python(protection):
    # Python's own mmap copies the descriptor first, which is denied as well.
    file = os.open(os.path.realpath(sys.executable), os.O_RDONLY)
    libc.call("mmap", None, 4096, protection, mmap.MAP_PRIVATE, file, 0)


ALLOWED_ACTS = {
    "mapping memory": lambda: mmap.mmap(-1, 4096),
    "opening for reading": lambda: os.open("/", os.O_RDONLY),
    "asking for its own limit": lambda: libc.call("prlimit", 0, 7, None, ctypes.create_string_buffer(16)),
    "naming itself": lambda: libc.call("prctl", 15, b"name", 0, 0, 0),
    "loading code from a file": lambda: map_python(mmap.PROT_READ | mmap.PROT_EXEC),
    "a signal to itself by its thread": lambda: libc.call("syscall", number("tgkill"), os.getpid(), os.getpid(), 0),
}
DENIED_ACTS = {
    "opening for writing": lambda: os.open(os.devnull, os.O_WRONLY),
    "opening for reading and writing": lambda: os.open(os.devnull, os.O_RDWR),
    "making a file": lambda: os.open(os.devnull, os.O_RDONLY | os.O_CREAT),
    "truncating a file": lambda: os.open(os.devnull, os.O_RDONLY | os.O_TRUNC),
    "setting a limit": lambda: libc.call("prlimit", 0, 4, bytes(16), None),
    "asking for the parent's limit": lambda: libc.call(
        "prlimit", os.getppid(), 7, None, ctypes.create_string_buffer(16)
    ),
    "a signal to the parent by its thread": lambda: libc.call(
        "syscall", number("tgkill"), os.getppid(), os.getppid(), 0
    ),
    "mapping writable code": lambda: map_python(mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "mapping code that is no file": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
    "making memory executable": lambda: libc.call("mprotect", None, 0, mmap.PROT_EXEC),
    "directing a descriptor's signals": lambda: libc.call("fcntl", 0, 8, 0),
    "choosing a descriptor's signal": lambda: libc.call("fcntl", 0, 10, 0),
    "becoming dumpable": lambda: libc.call("prctl", 4, 1, 0, 0, 0),
    "outliving the parent": lambda: libc.call("prctl", 1, 0, 0, 0, 0),
}


@pytest.fixture(scope="module")
def install():
    """Give what a child calls to come under the filter."""
    if sys.platform != "linux":
        pytest.skip("seccomp exists only on Linux")
    try:
        filter = seccomp.compile_filter()
    except seccomp.SeccompError as error:
        pytest.skip(str(error))

    def with_no_new_privileges():
        libc.call("prctl", 38, 1, 0, 0, 0)
        filter.install()

    return with_no_new_privileges


def errno_of(install, act):
    """Run an act under the filter in a child; what errno it met."""
    pid = os.fork()
    if pid == 0:
        code = 255
        try:
            install()
            act()
            code = 0
        except OSError as error:
            code = error.errno
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("name", [*itertools.chain.from_iterable(DENIED_CALLS.values())])
def test_a_call_that_is_not_on_the_list_is_refused(install, name):
    call = number(name)
    if call < 0:
        pytest.skip(f"libseccomp or this architecture knows no {name}")
    # With such arguments the kernel would refuse most of them anyway, by another name, and do no harm by the rest.
    assert errno_of(install, lambda: libc.call("syscall", call, -1, -1, -1, -1, -1, -1)) == errno.EPERM


@pytest.mark.parametrize("act", DENIED_ACTS)
def test_a_call_is_refused_for_its_arguments(install, act):
    assert errno_of(install, DENIED_ACTS[act]) == errno.EPERM


@pytest.mark.parametrize("act", DENIED_ACTS)
def test_without_the_filter_the_same_arguments_pass(act):
    assert errno_of(lambda: None, DENIED_ACTS[act]) == 0


@pytest.mark.parametrize("act", ALLOWED_ACTS)
def test_an_honest_call_passes(install, act):
    assert errno_of(install, ALLOWED_ACTS[act]) == 0


def test_every_act_that_proves_the_filter_is_refused_under_it(install):
    assert prove(install, seccomp.FORBIDDEN) is None


@pytest.mark.parametrize("act", seccomp.FORBIDDEN)
def test_every_act_that_proves_the_filter_is_possible_without_it(act):
    assert prove(lambda: None, {act: seccomp.FORBIDDEN[act]}) == f"{act} was still possible"


def test_clone3_answers_that_it_does_not_exist(install):
    assert errno_of(install, lambda: libc.call("syscall", number("clone3"), None, 0)) == errno.ENOSYS


@on_x86
def test_a_call_by_x32_numbers_kills(install):
    assert errno_of(install, lambda: libc.call("syscall", 0x40000000 + 39)) == -signal.SIGSYS


@on_x86
def test_a_call_by_32_bit_numbers_kills(install):
    code = mmap.mmap(-1, 4096, prot=7)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20 (getpid); int 0x80; ret
    call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    assert errno_of(install, call) == -signal.SIGSYS


def test_abort_ends_the_process_by_its_signal(install):
    def abort():
        faulthandler.disable()  # pytest's, which would print where this happened
        os.abort()

    assert errno_of(install, abort) == -signal.SIGABRT


def test_a_missing_library_is_said_in_one_line():
    with pytest.raises(seccomp.SeccompError, match=r"^libnowhere\.so\.9 is not installed; the package is libseccomp2"):
        seccomp.compile_filter("libnowhere.so.9")
