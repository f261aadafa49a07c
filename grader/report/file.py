"""A file that is written whole or not at all: on a full disk what was there before stays."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path


def write_file(path: Path, content: str) -> None:
    """Write a text in UTF-8 beside `path`, then put it in its place. Raises OSError if that can't be done.

    What is no ordinary file, such as a terminal, and a file in a folder that takes no other, is written itself.
    """
    place = path.resolve()
    beside = place.with_name(f".{place.name[:200]}.{os.getpid()}.part")
    try:
        if place.exists() and not place.is_file():
            raise PermissionError
        file = beside.open("x", encoding="utf-8")
    except PermissionError:
        place.write_text(content, encoding="utf-8")
        return
    try:
        with file:
            file.write(content)
        if place.exists():
            shutil.copymode(place, beside)
        beside.replace(place)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
