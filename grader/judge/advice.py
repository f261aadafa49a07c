"""What the text of an exception gives away: a name that is nearly right, a size of one case written into the code."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence

# How Python says that a name is not there: a variable, an attribute, a key.
_ABSENT = re.compile(
    r"name '(\w+)' is not defined|has no attribute '(\w+)'|variable '(\w+)'|KeyError: '(\w+)'|returned? .*?'(\w+)'"
)
_WHOLE_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")


def advise(
    message: str, names: Collection[str], sizes: Mapping[str, int], others: Sequence[tuple[str, Mapping[str, int]]]
) -> str:
    """Return a message with a question about its cause, where its text gives one away.

    `names` are those that the exercise has, `sizes` those of the case that raised, and `others` the cases that did not.
    """
    question = _near_name(message, names) or _written_size(message, sizes, others)
    return f"{message}. {question}" if question else message


def _near_name(message: str, names: Collection[str]) -> str:
    for groups in _ABSENT.findall(message):
        absent = next(filter(None, groups))
        near = difflib.get_close_matches(absent, names, n=1, cutoff=0.75) if absent not in names else []
        if near:
            return f"Did you mean {near[0]}?"
    return ""


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
