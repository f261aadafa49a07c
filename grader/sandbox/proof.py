"""Whether a layer of the box holds here, found out by attempting what it forbids.

Only the sandbox's POSIX side imports this.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Mapping

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
