"""What the text of an exception gives away: a size of one case that is written into the code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_WHOLE_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")


def ask_about_size(message: str, sizes: Mapping[str, int], others: Sequence[tuple[str, Mapping[str, int]]]) -> str:
    """Return a message with a question about its cause, where it speaks of two sizes that tell two cases apart.

    `sizes` are those of the case that raised, and `others` the cases that did not.
    """
    question = _written_size(message, sizes, others)
    return f"{message}. {question}" if question else message


def _written_size(message: str, sizes: Mapping[str, int], others: Sequence[tuple[str, Mapping[str, int]]]) -> str:
    said = {int(number) for number in _WHOLE_NUMBER.findall(message)}
    for case, known in others:
        for name, size in sizes.items():
            other = known.get(name)
            if other is not None and other != size and {size, other} <= said:
                return (
                    f"Is {other} written into your code where {name} belongs? That is {other} in the case '{case}', "
                    f"which went well, and {size} here"
                )
    return ""
