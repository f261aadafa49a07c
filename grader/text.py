"""Text that a student controls, made safe and short enough to show anywhere.

Whatever comes out of a submission (messages, prints, names) passes through `clean` once, where it enters
the grader; each renderer then only escapes for its own medium.
"""

from __future__ import annotations

import re
import unicodedata

# Terminal sequences whole, so that no "[31m" stays behind: CSI, OSC (up to BEL or ST), short escapes. CSI and OSC
# may also begin with one byte of their own.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-Z\\^-~]"
)
_KEPT_CONTROLS = "\n\t"


def clean(text: str, limit: int, *, keep: str = "head") -> str:
    """Return `text` without terminal escapes and control characters, at most about `limit` characters long.

    Characters that would reorder or hide text (bidirectional controls, zero-width ones) are shown as
    their code point. Of a longer text the head or the tail is kept, and what was cut is counted.
    """
    if not text:
        return text
    cut = len(text) - limit
    if cut > 0:
        text = text[:limit] if keep == "head" else text[-limit:]
    text = _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = "".join(map(_visible, text))
    if cut <= 0:
        return text
    return f"{text} ... ({cut} more characters)" if keep == "head" else f"({cut} characters before) ... {text}"


def one_line(text: str, limit: int) -> str:
    """Return `text` cleaned and folded into a single line."""
    return " ".join(clean(text, limit).split())


def decode_name(raw: bytes) -> str:
    """Return the name of a file as text: UTF-8, or else the old encoding that makes letters of it all."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    # What Windows wrote into archives, then what it and older systems wrote on disks.
    guesses = [raw.decode(encoding, errors="replace") for encoding in ("cp437", "cp1252")]
    return next((guess for guess in guesses if all(map(_is_latin, guess))), guesses[0])


def decode(data: bytes) -> str:
    """Return bytes that should be UTF-8 as text, with what is not shown as escapes."""
    return data.decode("utf-8", errors="backslashreplace")


def _is_latin(character: str) -> bool:
    return character.isascii() or unicodedata.name(character, "").startswith("LATIN")


def _visible(character: str) -> str:
    if character in _KEPT_CONTROLS:
        return character
    match unicodedata.category(character):
        case "Cc":
            return ""
        case "Cf" | "Cs" | "Co" | "Zl" | "Zp":
            code = ord(character)
            return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"
        case _:
            return character
