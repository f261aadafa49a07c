"""Signs that an old terminal, or a pipe in another encoding, cannot show, and the words that stand for them there."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

# Beside these a sign is told by the letters that it is made of, as an e with its accent is.
SPELLED: Mapping[str, str] = MappingProxyType(
    {
        "✓": "right:",
        "✗": "wrong:",
        "○": "open:",
        "↳": "follows:",
        "→": "->",
        "←": "<-",
        "·": "-",
        "…": "...",
        "–": "-",  # noqa: RUF001 # a dash is meant
        "−": "-",  # noqa: RUF001 # a minus is meant
        "×": "x",  # noqa: RUF001 # a cross is meant
        "√": "sqrt",
        "µ": "u",
        "│": "|",
        "─": "-",
        "┐": "+",
        "┤": "+",
        "┬": "+",
        "┼": "+",
        "┘": "+",
        "┴": "+",
        "└": "+",
        "├": "+",
    }
)
NAME = "grade.spelled"


def spell(text: str, encoding: str) -> str:
    """Return a text as it can be written in an encoding: signs that it lacks are words."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode(encoding, errors=NAME).decode(encoding)
    return text


def _spell_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(map(_word, lacking)), error.end


def _word(sign: str) -> str:
    letters = unicodedata.normalize("NFKD", sign).encode("ascii", errors="ignore").decode()
    return SPELLED.get(sign) or letters or "?"


codecs.register_error(NAME, _spell_out)
