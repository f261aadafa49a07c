"""The box as a whole: what a boxed child of a warm process can still do, and what it can't."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROCESS = Path(__file__).with_name("boxed_process.py")
ALL_LAYERS = ["rlimits", "seccomp", "landlock"]
NOBODY = 65534
PYTHON = "/usr/bin/python3"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
needs_python = pytest.mark.skipif(not Path(PYTHON).exists(), reason=f"needs a Python that all can read, as {PYTHON}")

OPERATORS = {
    "matmul": "a @ a",
    "einsum": "torch.einsum('ij,kj->ik', a, a)",
    "batch norm": "F.batch_norm(a, None, None, training=True)",
    "layer norm": "F.layer_norm(a, (5,))",
    "embedding": "F.embedding(torch.tensor([1, 2]), a)",
    "sort": "a.sort()",
    "svd": "torch.linalg.svd(a)",
    "fft": "torch.fft.fft(a)",
    "scatter": "torch.zeros(5, 5, dtype=a.dtype).scatter_(0, torch.zeros(1, 5, dtype=torch.int64), a)",
    "index_add": "torch.zeros(5, 5, dtype=a.dtype).index_add_(0, torch.tensor([0, 1]), a[:2])",
    "gelu": "F.gelu(a)",
    "attention": "F.scaled_dot_product_attention(a[None], a[None], a[None])",
    "convolution in float64": "F.conv2d(torch.randn(1, 2, 9, 9).double(), torch.randn(3, 2, 3, 3).double())",
    "convolution in float32": "F.conv2d(torch.randn(1, 2, 9, 9), torch.randn(3, 2, 3, 3))",
    "transposed convolution": "F.conv_transpose2d(torch.randn(1, 2, 9, 9), torch.randn(2, 3, 3, 3))",
    "matmul in bfloat16": "a.bfloat16() @ a.bfloat16()",
    "numpy": "(np.linalg.svd(a.numpy()), np.fft.fft(a.numpy()), np.random.default_rng(0).normal(size=3))",
}
MODULES = {
    "data": ("json", "dataclasses", "decimal", "csv", "sqlite3", "unicodedata", "encodings.utf_16"),
    "numbers": ("statistics", "fractions", "sympy", "networkx", "numpy.testing", "torch.distributions"),
    "the system": ("hashlib", "ssl", "zlib", "bz2", "lzma", "ctypes", "xml.etree.ElementTree"),
    "frameworks": ("unittest", "asyncio", "concurrent.futures", "jinja2", "torch.utils.data"),
}
HONEST = {
    "print": "print('seen')",
    "time.sleep": "import time; time.sleep(0.01)",
    "random": "import random; random.random()",
    "a lock": "import threading\nwith threading.Lock(): pass",
    "a traceback with source lines": "import traceback, torch\n"
    "try: torch.ones(2) @ torch.ones(3)\n"
    "except RuntimeError: traceback.format_exc()\n"
    "import statistics\n"
    "try: statistics.mean([])\n"
    "except statistics.StatisticsError: assert 'raise Statistics' in traceback.format_exc()",
    "the terminal's width": "import shutil; shutil.get_terminal_size()",
    "its own limits, read": "import resource; resource.getrlimit(resource.RLIMIT_CPU)",
}

CTYPES = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
CHECK = "\nif result == -1: raise OSError(ctypes.get_errno(), 'denied')"
# What a hostile submission tries -> the exception that it must meet. None does harm if the box is broken: signals are
# number 0, what is removed does not exist, what is opened for writing is not written.
ESCAPES = {
    "read a password file": ("open('/etc/passwd').read()", "PermissionError"),
    "read its parent's environment": ("import os; open(f'/proc/{os.getppid()}/environ').read()", "PermissionError"),
    "read its own memory map": ("open('/proc/self/maps').read()", "PermissionError"),
    "write its own memory": ("open('/proc/self/mem', 'r+b')", "PermissionError"),
    "read the grader": (f"open({str(ROOT / 'grader' / 'sandbox' / 'guest' / 'box.py')!r}).read()", "PermissionError"),
    "read the tests": (f"open({str(PROCESS)!r}).read()", "PermissionError"),
    "list a home": ("import os; os.listdir(os.path.expanduser('~'))", "PermissionError"),
    "list site-packages": ("import os, torch; os.listdir(os.path.dirname(torch.__path__[0]))", "PermissionError"),
    "read a distribution that torch does not need": (
        "import os, torch; open(os.path.dirname(torch.__path__[0]) + '/pytest/__init__.py')",
        "PermissionError",
    ),
    "write to /tmp": ("open('/tmp/left', 'w')", "PermissionError"),
    "write to shared memory": ("open('/dev/shm/left', 'w')", "PermissionError"),
    "write beside torch": (
        "import os, torch; os.open(torch.__path__[0], os.O_TMPFILE | os.O_WRONLY)",
        "PermissionError",
    ),
    "append to torch": ("import torch; open(torch.__file__, 'a')", "PermissionError"),
    "remove from torch": ("import os, torch; os.remove(torch.__path__[0] + '/no such file')", "PermissionError"),
    "make a folder": ("import os; os.mkdir('/tmp/left')", "PermissionError"),
    "fork": ("import os\nif os.fork() == 0: os._exit(0)", "PermissionError"),
    "spawn": ("import os; os.posix_spawn('/bin/true', ['true'], {})", "PermissionError"),
    "run a program": ("import os; os.execv('/bin/true', ['true'])", "PermissionError"),
    "run a program in a subprocess": ("import subprocess; subprocess.run(['/bin/true'])", "PermissionError"),
    "start a thread": ("import threading; threading.Thread(target=print).start()", "RuntimeError"),
    "connect by TCP": ("import socket; socket.create_connection(('127.0.0.1', 9))", "PermissionError"),
    "open a unix socket": ("import socket; socket.socketpair()", "PermissionError"),
    "look up a name": ("import socket; socket.getaddrinfo('localhost', 80)", "gaierror"),
    "kill its parent": ("import os; os.kill(os.getppid(), 0)", "PermissionError"),
    "kill everybody": ("import os; os.kill(-1, 0)", "PermissionError"),
    "signal its parent through a descriptor": (
        "import fcntl, os; fcntl.fcntl(1, fcntl.F_SETOWN, os.getppid())",
        "PermissionError",
    ),
    "signal its parent's thread": (
        CTYPES + "result = libc.tgkill(os.getppid(), os.getppid(), 0)" + CHECK,
        "PermissionError",
    ),
    "trace its parent": (CTYPES + "result = libc.ptrace(17, os.getppid(), 0, 0)" + CHECK, "PermissionError"),
    "unshare": (CTYPES + "result = libc.unshare(0x10000000)" + CHECK, "PermissionError"),
    "mount": (CTYPES + "result = libc.mount(None, None, None, 0, None)" + CHECK, "PermissionError"),
    "become another user": ("import os; os.setuid(1)", "PermissionError"),
    "raise its limits": ("import resource; resource.setrlimit(resource.RLIMIT_CPU, (99, 99))", "ValueError"),
    "move to another processor": ("import os; os.sched_setaffinity(0, {0})", "PermissionError"),
    "become dumpable": (CTYPES + "result = libc.prctl(4, 1, 0, 0, 0)" + CHECK, "PermissionError"),
    "make memory executable": ("import mmap; mmap.mmap(-1, 4096, prot=7)", "PermissionError"),
    "make a code page writable": (
        CTYPES + "page = ctypes.cast(libc.getpid, ctypes.c_void_p).value & ~4095\n"
        "result = libc.mprotect(ctypes.c_void_p(page), 4096, 7)" + CHECK,
        "PermissionError",
    ),
    "make a file in memory": ("import os; os.memfd_create('left')", "PermissionError"),
    "use shared memory": (
        "from multiprocessing.shared_memory import SharedMemory; SharedMemory('left', True, 9)",
        "PermissionError",
    ),
    "exhaust memory": ("x = []\nwhile True: x.append(bytearray(2**24))", "MemoryError"),
    "allocate a giant tensor": ("import torch; torch.ones(2**33)", "RuntimeError"),
    "copy descriptors": ("import os; os.dup(1)", "PermissionError"),
    "open many files": ("import os\nfiles = [open(os.__file__) for _ in range(1000)]", "OSError"),
}


class Warm:
    """The warm process of boxed_process.py."""

    def __init__(self, *options, python=sys.executable, package=ROOT, process=PROCESS, **how) -> None:
        command = [python, "-B", str(process), str(package), *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **how)
        self.hello = json.loads(self.process.stdout.readline())

    def run(self, source, memory_mb=512, cpu_seconds=10):
        request = {"source": source, "memory_mb": memory_mb, "cpu_seconds": cpu_seconds}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()


@pytest.fixture(scope="module")
def warm():
    if sys.platform != "linux":
        pytest.skip("the box is whole only on Linux")
    with Warm("--torch") as process:
        yield process


@pytest.fixture
def traversable():
    """Make a folder that every user can enter, with a copy of the sandbox."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(ROOT / "grader" / "sandbox", Path(folder) / "grader" / "sandbox")
        shutil.copy(ROOT / "grader" / "errors.py", Path(folder) / "grader")
        shutil.copy(PROCESS, folder)
        yield Path(folder)


def test_every_layer_is_proved_on_this_kernel(warm):
    assert warm.hello == {"layers": ALL_LAYERS, "reasons": []}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_works_in_the_box(warm, name):
    head = (
        "import torch, numpy as np\nfrom torch.nn import functional as F\na = torch.randn(5, 5, dtype=torch.float64)\n"
    )
    assert warm.run(head + OPERATORS[name]).get("error") is None


@pytest.mark.parametrize("module", [*itertools.chain.from_iterable(MODULES.values())])
def test_a_module_not_yet_imported_loads_in_the_box(warm, module):
    assert "error" not in warm.run(f"import {module}")


@pytest.mark.parametrize("name", HONEST)
def test_honest_code_works_in_the_box(warm, name):
    assert "error" not in warm.run(HONEST[name])


@pytest.mark.parametrize("name", ESCAPES)
def test_an_escape_is_denied(warm, name):
    source, error = ESCAPES[name]
    assert warm.run(source, memory_mb=128).get("error") == error


def test_what_is_printed_reaches_the_pipe(warm):
    assert warm.run("print('seen')")["printed"] == "seen\n"


ENDINGS = {
    "abort": ("import os; os.abort()", signal.SIGABRT),
    "a call by x32 numbers": (CTYPES + "libc.syscall(0x40000000 + 39)", signal.SIGSYS),
    "endless work": ("while True: pass", signal.SIGKILL),
    "endless work that ignores the signal": (
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
        signal.SIGKILL,
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_child_that_goes_too_far_is_ended_by_a_signal(warm, name):
    source, expected = ENDINGS[name]
    assert os.WTERMSIG(warm.run(source, cpu_seconds=1)["status"]) == expected


def test_more_threads_end_the_child_with_status_1_and_words_of_libgomp(warm):
    answer = warm.run("import torch\ntorch.set_num_threads(4)\na = torch.randn(500, 500)\n(a * a).sum()")
    assert os.waitstatus_to_exitcode(answer["status"]) == 1
    assert "libgomp: Thread creation failed" in answer["printed"]


def test_only_the_kept_descriptors_are_open(warm):
    source = (
        "import os\nvalue = []\n"
        "for number in range(256):\n"
        "    try: os.fstat(number)\n"
        "    except OSError: continue\n"
        "    value.append(number)"
    )
    assert len(warm.run(source)["value"]) == 4


def test_nothing_of_a_submission_is_left_for_the_next(warm):
    warm.run("import builtins, json; builtins.left = json.left = 1")
    assert (
        warm.run("import builtins, json; value = hasattr(builtins, 'left') or hasattr(json, 'left')")["value"] is False
    )


def test_a_child_may_use_the_memory_of_its_budget(warm):
    assert "error" not in warm.run("block = bytearray(200 << 20)", memory_mb=256)
    assert warm.run("block = bytearray(300 << 20)", memory_mb=256)["error"] == "MemoryError"


SIMULATED = {
    "libseccomp is missing": (
        ["--library", "libseccomp-not-here.so.2"],
        ["rlimits", "landlock"],
        "seccomp: libseccomp-not-here.so.2 is not installed; the package is libseccomp2 or libseccomp",
    ),
    "the kernel has no Landlock": (
        ["--without", "444", "38"],
        ["rlimits", "seccomp"],
        "landlock: this kernel has no Landlock; it came with Linux 5.13, and a container may hide it",
    ),
    "Landlock is switched off": (
        ["--without", "444", "95"],
        ["rlimits", "seccomp"],
        "landlock: Landlock is switched off in this kernel; add landlock to its boot parameter lsm=",
    ),
    "Landlock can be prepared but not put in force": (
        ["--without", "446", "1"],
        ["rlimits", "seccomp"],
        "landlock: the system refused it: [Errno 1] syscall: Operation not permitted",
    ),
    "a limit is not enforced": (
        ["--without", "302", "0"],
        ["seccomp", "landlock"],
        "rlimits: using more memory than the budget was still possible",
    ),
}


@pytest.mark.parametrize("case", SIMULATED)
def test_a_layer_that_does_not_hold_is_left_out_with_one_reason(case):
    options, layers, reason = SIMULATED[case]
    with Warm(*options) as process:
        assert process.hello == {"layers": layers, "reasons": [reason]}


@pytest.mark.parametrize("case", SIMULATED)
def test_the_remaining_layers_still_confine(case):
    with Warm(*SIMULATED[case][0]) as process:
        assert process.run("open('/tmp/left', 'w')")["error"] == "PermissionError"
        assert "error" not in process.run("import decimal")


@needs_root
@needs_python
def test_an_ordinary_user_has_every_layer(traversable):
    how = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}
    with Warm(python=PYTHON, package=traversable, process=traversable / PROCESS.name, **how) as process:
        assert process.hello == {"layers": ALL_LAYERS, "reasons": []}
        assert process.run("import os; value = os.getuid()")["value"] == NOBODY
        # Root owns this of a process that other processes of its user may not look into.
        assert process.run("import os; value = os.stat('/proc/self/environ').st_uid")["value"] == 0
        assert process.run("open('/etc/passwd')")["error"] == "PermissionError"
        assert "error" not in process.run("import decimal, sqlite3")


@pytest.mark.slow
@needs_root
def test_a_warm_process_that_gave_up_root_has_every_layer_and_torch():
    with Warm("--torch", "--become", str(NOBODY)) as process:
        assert process.hello == {"layers": ALL_LAYERS, "reasons": []}
        assert "error" not in process.run("import torch; torch.ones(3, 3) @ torch.ones(3, 3)")
        assert process.run("import os; os.fork()")["error"] == "PermissionError"


LONE_CHILD = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from grader.sandbox.guest.box import BoxError, Budget, build_box
box = build_box(["/usr/lib"])
"""


def lone(source):
    command = [sys.executable, "-B", "-c", LONE_CHILD + source, str(ROOT)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_child_dies_with_the_warm_process():
    sleeper = (
        "if os.fork() == 0:\n"
        "    box.confine(Budget(2**28, 5), [1])\n"
        "    os.write(1, b'confined\\n')\n"
        "    time.sleep(5)\n"
        "    os.write(1, b'survived')\n"
        "    os._exit(0)\n"
        "time.sleep(60)"
    )
    with lone(sleeper) as process:
        assert process.stdout.readline() == "confined\n"
        process.kill()
        # The child holds the other end of the pipe, which ends only when the child is gone.
        assert process.stdout.read() == ""


def test_a_child_whose_parent_is_gone_is_not_run():
    orphan = (
        "parent = os.getpid()\n"
        "if os.fork() == 0:\n"
        "    while os.getppid() == parent: time.sleep(0.01)\n"
        "    try: box.confine(Budget(2**28, 5), [1])\n"
        "    except BoxError as error: os.write(1, str(error).encode())\n"
        "    os._exit(0)\n"
        "os._exit(0)"
    )
    process = lone(orphan)
    assert process.communicate()[0] == "the parent ended before its child was confined"


def test_a_proved_layer_that_fails_in_the_child_is_an_error():
    broken = (
        "box.ruleset.close()\n"
        "try: box.confine(Budget(2**28, 5), [1])\n"
        "except BoxError as error: os.write(1, str(error).encode())"
    )
    process = lone(broken)
    assert process.communicate()[0] == "the child could not be confined: [Errno 9] syscall: Bad file descriptor"


def test_a_process_can_confine_itself_without_a_fork():
    itself = "box.confine(Budget(2**28, 5), [1])\ntry: os.fork()\nexcept PermissionError: os.write(1, b'denied')"
    assert lone(itself).communicate()[0] == "denied"


def test_a_folder_of_modules_that_was_never_searched_can_be_imported_from():
    first = (
        "from grader.sandbox.isolation import readable_folders\n"
        "sys.path_importer_cache.clear()\n"
        "box = build_box(readable_folders())\n"
        "box.confine(Budget(2**28, 5), [1])\n"
        "import typing_extensions\n"
        "os.write(1, b'imported')"
    )
    assert lone(first).communicate()[0] == "imported"
