"""What is said of torch, said to a student whose exercise is in numpy."""

from __future__ import annotations

import re

_WORDS = (
    (re.compile(r"\bkeepdim\b"), "keepdims"),
    (re.compile(r"\ba tensor"), "an array"),
    (re.compile(r"\btensor"), "array"),
    (re.compile(r"\bdim="), "axis="),
    (re.compile(r"\btorch\."), ""),
    (re.compile(r" \.float\(\)"), " float32"),
)


def in_numpy(sentence: str) -> str:
    """Return a sentence with numpy's words in the place of torch's."""
    for word, other in _WORDS:
        sentence = word.sub(other, sentence)
    return sentence
