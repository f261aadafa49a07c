"""The few functions of the C library that Python does not offer, with errors as OSError.

Only the sandbox's POSIX side imports this.
"""

from __future__ import annotations

import ctypes
import functools
import os
from typing import Any


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "syscall"):
        library.syscall.restype = ctypes.c_long
    return library


def call(function: str, *arguments: Any) -> int:
    """Call a function of the C library; a result of -1 is raised as the OSError that errno names."""
    # Every argument of prctl and syscall is a long, but ctypes would pass a Python int as an int.
    longs = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = getattr(_library(), function)(*longs)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{function}: {os.strerror(code)}")
    return result
