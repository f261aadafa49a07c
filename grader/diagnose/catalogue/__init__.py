"""The slips that people make, as data: a slip is a function that makes it, and its docstring is what a student is told.

`{d}` in a sentence is the gradient, `{step}` the value at whose step the slip is, `{read}` what that step reads, `{op}`
the operation and `{detail}` what a slip names besides. A sentence never shows the right formula.
"""

from grader.diagnose.catalogue import (
    activations,
    layouts,
    loops,
    norms,
    products,
    slopes,
    softmaxes,
    whole_steps,
    windows,
)
from grader.diagnose.catalogue.kind import OPERATIONS, Kind, Site, made
from grader.diagnose.catalogue.slopes import FROM_OUTPUT

_MODULES = (slopes, products, layouts)
SENTENCES = {
    kind.name: kind
    for module in (*_MODULES, whole_steps, loops, windows, activations, softmaxes, norms)
    for kind in vars(module).values()
    if isinstance(kind, Kind)
}

__all__ = [
    "FROM_OUTPUT",
    "OPERATIONS",
    "SENTENCES",
    "Kind",
    "Site",
    "activations",
    "loops",
    "made",
    "norms",
    "slips_of",
    "softmaxes",
    "whole_steps",
    "windows",
]


def slips_of(operation: str) -> list[Kind[Site]]:
    """Return the slips that one operation knows, those of its own before those of any."""
    kinds = [kind for module in _MODULES for kind in vars(module).values() if isinstance(kind, Kind)]
    own = [kind for kind in kinds if operation in kind.operations]
    return [*(kind for kind in kinds if kind.operations == ("any",)), *own]
