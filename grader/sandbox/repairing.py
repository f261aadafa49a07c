"""A formula that is to be tried with small changes: what is asked, and what came of it, read with bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from grader.sandbox.answer import read_line
from grader.sandbox.guest.protocol import Frame, FrameError
from grader.sandbox.guest.repair import MOST_CHANGES, Pair
from grader.sandbox.guest.tensors import pack_tensors
from grader.sandbox.question import Question
from grader.text import one_line

MAX_TEXT = 100
MOST_EDITS = 2


@dataclass(frozen=True)
class Setting:
    """A call in which a formula is tried: its number, what is given in place of its arguments, the other gradients."""

    number: int
    arguments: Mapping[str, Tensor]
    gradients: Mapping[str, Tensor]
    shapes: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Repairing:
    """Gradients whose formula is to be tried with small changes, and the seed of the products that are told."""

    question: Question
    gradients: tuple[str, ...]
    settings: tuple[Setting, ...]
    seed: int

    def pack(self, index: int) -> tuple[dict[str, Any], bytes]:
        """Return what a request says of it, and the tensors."""
        described, data = [], []
        for each in self.settings:
            entry: dict[str, Any] = {"number": each.number, "shapes": dict(each.shapes)}
            for part, tensors in (("arguments", each.arguments), ("gradients", each.gradients)):
                entries, packed = pack_tensors(tensors)
                entry[part] = {"tensors": entries, "length": len(packed)}
                data.append(packed)
            described.append(entry)
        about = {"index": index, "gradients": self.gradients, "seed": self.seed, "settings": described}
        return about, b"".join(data)


@dataclass(frozen=True)
class Edit:
    """A change of a student's text: of which kind, what was there, what belongs there, and the line."""

    kind: str
    before: str
    after: str
    line: int | None


@dataclass(frozen=True)
class TriedChange:
    """Edits made at once, or none, and what the text then makes of each gradient in every setting.

    `products` lacks the gradients of which it makes nothing.
    """

    edits: tuple[Edit, ...]
    products: Mapping[str, Sequence[Pair]]


def read_tried(frame: Frame, asked: Repairing) -> tuple[TriedChange, ...]:
    """Turn a child's frame into the changes that it tried, the first of which is none.

    Raises FrameError if it is anything but a well-formed one.
    """
    described = frame.message.get("tried")
    if not isinstance(described, list) or len(described) > MOST_CHANGES + 1:
        raise FrameError("the answer does not say what came of the changes")
    return tuple(_read(each, asked) for each in described)


def _read(entry: object, asked: Repairing) -> TriedChange:
    match entry:
        case [list(edits), list(made)] if len(made) == len(asked.gradients) and len(edits) <= MOST_EDITS:
            pairs = zip(asked.gradients, made, strict=True)
            products = {name: _pairs(own, len(asked.settings)) for name, own in pairs if own is not None}
            return TriedChange(tuple(map(_read_edit, edits)), products)
    raise FrameError("the answer does not say what came of a change")


def _read_edit(entry: object) -> Edit:
    match entry:
        case [str(kind), str(before), str(after), line]:
            texts = [one_line(text, MAX_TEXT) for text in (kind, before, after)]
            return Edit(texts[0], texts[1], texts[2], read_line({"line": line}))
    raise FrameError("the answer does not say what was changed")


def _pairs(entry: object, count: int) -> tuple[Pair, ...]:
    if not isinstance(entry, list) or len(entry) != count:
        raise FrameError("the answer does not say what a change has made in every case")
    return tuple(_pair(each) for each in entry)


def _pair(entry: object) -> Pair:
    match entry:
        case [float(first), float(second)]:
            return first, second
    raise FrameError("the answer does not say what a change has made")
