"""Numbers as people read them: points, indices, shapes, factors, times, amounts."""

from __future__ import annotations

import math


def points(value: float | None) -> str:
    """Return a score or its maximum as people write it: 2.5, 3, or ? where it is not known."""
    return "?" if value is None else f"{round(value, 2):g}"


def number(value: float | None, digits: int = 6) -> str:
    """Return a number with as many digits as tell two gradients apart."""
    if value is None:
        return "-"
    return f"{value:.{digits}g}" if math.isfinite(value) else str(value)


def index(place: tuple[int, ...] | None) -> str:
    """Return an index as one would type it: [2, 0]."""
    return f"[{', '.join(map(str, place))}]" if place else ""


def shape(sizes: tuple[int, ...] | None) -> str:
    """Return a shape as torch prints it: (3, 4), (3,), ()."""
    return "?" if sizes is None else str(tuple(sizes)) if len(sizes) != 1 else f"({sizes[0]},)"


def times(excess: float | None) -> str:
    """Return a factor: 3.5 times, 2.5e+12 times."""
    return "-" if excess is None else f"{excess:.1e} times" if excess >= 1e4 else f"{excess:.3g} times"


def seconds(value: float) -> str:
    """Return a short time in the unit that suits it: 2.3 ms."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-6:.3g} µs"


def count(amount: int, thing: str) -> str:
    """Return an amount with its noun: 1 gradient, 3 gradients."""
    return f"{amount} {thing}{'' if amount == 1 else 's'}"
