"""A child that is started fresh: imports torch, waits to be confined, then answers requests.

Requests come in on its standard input and answers go out on its standard output, as it inherits them; both are put
elsewhere at once, so that nothing that is printed gets among the answers. What is printed goes to standard error.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from grader.sandbox.guest.protocol import pack, read_frame, write_all

if TYPE_CHECKING:
    from grader.sandbox.guest.box import Box


def main(*readable: str) -> None:
    """Serve one submission; of files, it may read `readable` only, where that can be had."""
    requests, answers = _take_over()
    # Before torch is imported: the layers are proved in throw-away children, and with torch a fork is not safe
    # everywhere.
    box = _build_box(readable)
    from grader.sandbox.guest.guard import Guard
    from grader.sandbox.guest.requests import respond, say_mark
    from grader.sandbox.guest.warm_up import rehearse, use_course_settings

    use_course_settings()
    guard = Guard()
    rehearse(guard)

    while (frame := read_frame(requests)) is not None:
        facts: dict[str, object] = {}
        if frame.message["do"] == "hello":
            facts = {"layers": box.layers, "reasons": box.reasons} if box else NOTHING
        elif box:
            from grader.sandbox.guest.limits import Budget

            budget = Budget(frame.message["memory_bytes"], frame.message["cpu_seconds"])
            box.confine(budget, keep=(0, 1, 2, requests, answers))
        say_mark(frame.message["id"], 0)
        write_all(answers, pack({"id": frame.message["id"], "part": 0, **facts}))
        if frame.message["do"] == "confine":
            break
    respond(requests, answers, guard)
    # Not by way of exit handlers: they may be the submission's.
    os._exit(0)


NOTHING: dict[str, object] = {
    "layers": (),
    "reasons": [
        f"{layer}: this system has nothing like it for a single process" for layer in ("rlimits", "seccomp", "landlock")
    ],
}


def _take_over() -> tuple[int, int]:
    """Return descriptors for requests and answers, with the standard ones put elsewhere."""
    requests, answers = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (requests, answers):
            msvcrt.setmode(descriptor, os.O_BINARY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def _build_box(readable: tuple[str, ...]) -> Box | None:
    if os.name != "posix":
        return None
    from grader.sandbox.guest.box import build_box

    return build_box(readable)
