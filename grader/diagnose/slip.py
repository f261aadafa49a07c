"""The name of a slip that was found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Slip:
    """A slip of a `kind` of the catalogue in the step that makes `step`, in its backward towards `read`.

    `kind` may name a further value or axis behind a colon. `operation` is the node's kind: Tanh, Mm, ...
    """

    step: str
    read: str
    operation: str
    kind: str
