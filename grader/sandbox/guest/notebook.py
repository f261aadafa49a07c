"""A notebook as Python: its code cells, and the files that it writes. Runs in the confined child only.

What a notebook shows (outputs, images, metadata) is never looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

# The rest of a cell under one of these is Python; under any other, it is another language.
_PYTHON_CELLS = frozenset({"time", "timeit", "capture", "prun", "python", "python3"})
_MAGIC_LINE = re.compile(r"^(\s*)(?:[%!?]|[\w., ]+=\s*[%!]|[\w.]+\?{1,2}\s*$).*")


@dataclass(frozen=True)
class Notebook:
    """The code cells by a name that a message can show, and the files written by `%%writefile`."""

    cells: dict[str, str]
    written: dict[str, bytes]


def read_notebook(file: str, source: bytes) -> Notebook:
    """Take a notebook apart. Raises ValueError if it is none; the parser may raise RecursionError or MemoryError."""
    try:
        data = json.loads(source)
    except UnicodeDecodeError as error:
        raise ValueError("not a notebook: its text is not UTF-8") from error
    except ValueError as error:
        raise ValueError(f"not a notebook: {error}") from error
    if not isinstance(data, dict):
        raise ValueError("not a notebook: it holds no cells")
    cells: dict[str, str] = {}
    written: dict[str, bytes] = {}
    for number, text in enumerate(_code_cells(data), start=1):
        magic, _, body = text.lstrip().partition("\n")
        if not magic.startswith("%%"):
            cells[f"{file} cell {number}"] = _without_magics(text)
            continue
        words = magic[2:].split()
        if words[:1] and words[0] in ("writefile", "file"):
            _write(words[1:], body, written)
        elif words[:1] and words[0] in _PYTHON_CELLS:
            cells[f"{file} cell {number}"] = _without_magics(f"\n{body}")
    return Notebook(cells, written)


def _code_cells(data: dict[str, Any]) -> Iterator[str]:
    """Yield the source of every code cell; format 4 has cells, format 3 had them on worksheets."""
    sheets = data.get("worksheets")
    sheets = sheets if isinstance(sheets, list) else [data]
    for sheet in sheets:
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        for cell in cells if isinstance(cells, list) else []:
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                source = cell.get("source", cell.get("input", ""))
                yield "".join(map(str, source)) if isinstance(source, list) else str(source)


def _without_magics(text: str) -> str:
    """Return a cell with `pass` for its magic lines; one that is Python as it stands is left alone: % may be modulo."""
    try:
        compile(text, "cell", "exec", dont_inherit=True)
    except SyntaxError:
        return "\n".join(_MAGIC_LINE.sub(r"\1pass", line) for line in text.split("\n"))
    except (ValueError, RecursionError, MemoryError):
        pass
    return text


def _write(arguments: list[str], body: str, written: dict[str, bytes]) -> None:
    appends = "-a" in arguments
    names = [argument.strip("\"'") for argument in arguments if argument != "-a"]
    path = PurePosixPath(names[0]) if names else PurePosixPath()
    if path.suffix != ".py" or path.is_absolute() or ".." in path.parts:
        return
    before = written.get(str(path), b"") if appends else b""
    written[str(path)] = before + body.encode("utf-8", errors="replace")
