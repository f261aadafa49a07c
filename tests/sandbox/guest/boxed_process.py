"""A warm process for the tests of the sandbox: runs snippets in boxed children.

    boxed_process.py PACKAGE [--torch] [--become UID] [--without CALL ERRNO] [--library NAME]

PACKAGE is the folder that holds `grader`. First it writes the box's layers and reasons. Then it reads one JSON request
per line (source, memory_mb, cpu_seconds) and answers each with one: status as os.waitpid gives it, error and errno of
what was raised, value as the snippet left it, and what was printed.
--without makes the kernel answer ERRNO to a system call, to stand for one that lacks it.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import struct
import sys
from collections.abc import Callable


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("package")
    parser.add_argument("--torch", action="store_true")
    parser.add_argument("--become", type=int)
    parser.add_argument("--without", nargs=2, metavar=("CALL", "ERRNO"))
    parser.add_argument("--library", default="libseccomp.so.2")
    options = parser.parse_args()
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    sys.path[0] = options.package
    if options.torch:
        import torch

        # Its machine code is written while it runs, and memory can't be made executable in the box.
        torch.backends.mkldnn.enabled = False

    from grader.sandbox.guest import libc
    from grader.sandbox.guest.box import Budget, build_box
    from grader.sandbox.guest.seccomp import Filter
    from grader.sandbox.isolation import readable_folders

    sys.path.remove(options.package)
    readable = readable_folders()
    if options.without:
        libc.call("prctl", 38, 1, 0, 0, 0)
        Filter(_refusal(*map(int, options.without))).install()
    if options.become:
        os.setgroups([])
        os.setresgid(*[options.become] * 3)
        os.setresuid(*[options.become] * 3)
    box = build_box(readable, options.library)
    answers = os.fdopen(os.dup(1), "w")
    _say(answers, {"layers": box.layers, "reasons": box.reasons})
    for line in sys.stdin:
        request = json.loads(line)
        budget = Budget(request["memory_mb"] << 20, request["cpu_seconds"])
        _say(answers, _run(request["source"], lambda keep, budget=budget: box.confine(budget, keep)))


def _refusal(call: int, code: int) -> bytes:
    """Write a filter: load the call's number; if it is `call`, answer `code`; allow the rest."""
    rows = (0x20, 0, 0, 0), (0x15, 0, 1, call), (0x06, 0, 0, 0x00050000 | code), (0x06, 0, 0, 0x7FFF0000)
    return b"".join(struct.pack("=HBBI", *row) for row in rows)


def _say(answers, words) -> None:
    answers.write(json.dumps(words) + "\n")
    answers.flush()


def _run(source: str, confine: Callable[[list[int]], None]) -> dict[str, object]:
    result, result_end = os.pipe()
    printed, printed_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(printed_end, 1)
        os.dup2(printed_end, 2)
        try:
            confine([0, 1, 2, result_end])
            os.write(result_end, json.dumps(_outcome(source)).encode())
            sys.stdout.flush()
        finally:
            os._exit(0)
    os.close(result_end)
    os.close(printed_end)
    with os.fdopen(result) as told, os.fdopen(printed) as words:
        outcome = json.loads(told.read() or "{}")
        outcome["printed"] = words.read()
    outcome["status"] = os.waitpid(pid, 0)[1]
    return outcome


def _outcome(source: str) -> dict[str, object]:
    names: dict[str, object] = {}
    try:
        exec(compile(source, "snippet", "exec"), names)
    except BaseException as error:  # noqa: BLE001 # whatever a snippet raises is its outcome
        code = getattr(error, "errno", None)
        return {"error": type(error).__name__, "errno": errno.errorcode.get(code), "message": str(error)}
    return {"value": names.get("value")}


if __name__ == "__main__":
    main()
