"""Elementary functions of numpy and of Python's math, counted while a call is watched: the log sees torch's only.

Runs in the confined child, and in the rehearsal. They are replaced before a submission is loaded, so that
`from numpy import exp` gets the one that counts, too; it costs a tenth of a microsecond for each use.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from torch.jit._builtins import _find_builtin, _register_builtin

NUMPY = (
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "power", "float_power", "sqrt"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "arctanh", "arcsinh"),
)
MATH = ("exp", "expm1", "log", "log1p", "log2", "log10", "pow", "sqrt", "tanh", "sinh", "cosh", "erf", "sin", "cos")
# Called with how many numbers came out, and whether they are complex.
Count = Callable[[int, bool], object]


class CountedUfunc:
    """A function of numpy that tells how many numbers it made; everything else of it is the original's."""

    def __init__(self, original: Any, count: Count) -> None:
        functools.update_wrapper(self, original, updated=())
        # It would lead past the count.
        del self.__wrapped__
        self._grade = original, count

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the original and count."""
        original, count = self._grade
        found = original(*args, **kwargs)
        count(
            getattr(found, "size", 1) if isinstance(found, _ARRAYS) else 1,
            isinstance(found, _ARRAYS) and found.dtype.kind == "c",
        )
        return found

    def __getattr__(self, name: str) -> Any:
        """Return what the original has by this name: `reduce`, `at`, `outer`."""
        return getattr(self._grade[0], name)

    def __repr__(self) -> str:
        """Return the original's text."""
        return repr(self._grade[0])


_ARRAYS = (np.ndarray, np.generic)


def count_elementary(count: Count) -> None:
    """Replace the functions in numpy and math by such that count."""
    for name in NUMPY:
        setattr(np, name, CountedUfunc(getattr(np, name), count))
    for name in MATH:
        original = getattr(math, name)
        replacement = _counted(original, count)
        setattr(math, name, replacement)
        # A script of torch's knows Python's functions by what they are.
        operator = _find_builtin(original)  # type: ignore[no-untyped-call] # torch leaves it bare
        if operator is not None:
            _register_builtin(replacement, operator)


def _counted(original: Callable[..., Any], count: Count) -> Callable[..., Any]:
    def replacement(*args: Any) -> Any:
        count(1, False)
        return original(*args)

    replacement.__name__ = replacement.__qualname__ = original.__name__
    replacement.__doc__ = original.__doc__
    return replacement
