"""What a confined child may use up."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import struct
import sys

import pytest

from grader.sandbox.guest import libc
from grader.sandbox.guest.box import prove
from grader.sandbox.guest.limits import FORBIDDEN, PROOF_BUDGET, Budget, apply_limits

# With pytest-xdist a worker has threads, and newer Pythons warn of every fork then; these children only make calls.
pytestmark = [
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
    pytest.mark.skipif(sys.platform != "linux", reason="memory limits hold only on Linux"),
]

BUDGET = Budget(memory_bytes=256 << 20, cpu_seconds=1)


def ending(act, budget=BUDGET):
    """Run an act in a limited child: 0, the errno that it met, or minus the signal that ended it."""
    pid = os.fork()
    if pid == 0:
        code = 255
        try:
            apply_limits(budget)
            act()
            code = 0
        except MemoryError:
            code = errno.ENOMEM
        except OSError as error:
            code = error.errno
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_memory_within_the_budget_can_be_used():
    assert ending(lambda: bytearray(200 << 20)) == 0


def test_memory_beyond_the_budget_is_an_error():
    assert ending(lambda: bytearray(300 << 20)) == errno.ENOMEM


def test_processor_time_beyond_the_budget_ends_the_child():
    def work():
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        while True:
            pass

    assert ending(work) == -signal.SIGKILL


def test_nothing_can_be_written_to_a_file(tmp_path):
    assert ending(lambda: os.write(os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT), b"x")) == errno.EFBIG


def test_few_files_can_be_open_at_once():
    assert ending(lambda: [os.open("/", os.O_RDONLY) for _ in range(100)]) == errno.EMFILE


def test_a_crash_leaves_no_core_file():
    assert ending(lambda: os._exit(resource.getrlimit(resource.RLIMIT_CORE)[1])) == 0


def test_a_limit_that_was_lower_already_stays():
    def act():
        os._exit(resource.getrlimit(resource.RLIMIT_CPU)[1])

    def lowered():
        resource.setrlimit(resource.RLIMIT_CPU, (7, 7))
        apply_limits(Budget(256 << 20, 100))
        act()

    assert ending(lowered, Budget(256 << 20, 200)) == 7


def test_root_keeps_no_capability_but_reading():
    def held():
        header, words = struct.pack("=Ii", 0x20080522, 0), ctypes.create_string_buffer(24)
        libc.call("capget", header, words)
        effective, permitted, inheritable, *higher = struct.unpack("=6I", words)
        os._exit(int(any([(effective | permitted) & ~4, inheritable, *higher])))

    assert ending(held) == 0


def test_every_act_that_proves_the_limits_is_denied_under_them():
    assert prove(lambda: apply_limits(PROOF_BUDGET), FORBIDDEN) is None


@pytest.mark.parametrize("act", FORBIDDEN)
def test_every_act_that_proves_the_limits_is_possible_without_them(act):
    assert prove(lambda: None, {act: FORBIDDEN[act]}) == f"{act} was still possible"
