"""The operations of a forward line: the code of each one's backward, and the slips that are made in it.

In the code `g` is what arrives, `a` the operand, `b` the other one, `z` the result, `k` a number and `o` another size.
A slip has a name, its code, and a sentence to the student.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Rule = tuple[str, Sequence[tuple[str, str, str]]]

_MISSING = (
    "factor_missing",
    "g",
    "You passed on what came back as it was. A factor in {step} is gone.",
)
_ITSELF = "You multiplied by {read} itself. In a product, the other factor says how much it matters."
_TIMES_ITSELF = ("times_itself", "g * a", _ITSELF)
_SLOPE = "You passed on what came back as it was. {step} is curved in {read}, and the slope is missing."
_NO_UPSTREAM = "Your answer has the slope of {step} and not what came back to it."
_SIDE = "Your numbers stand on their side: rows and columns are swapped. A gradient has the shape of its value."
_AVERAGED = "You divided by the number of rows. Nothing in {step} is a mean."
_ONES = "You left out what came back. {read} matters as much as the outputs that it feeds."
_OF_ONES = ("upstream_missing", "b * torch.ones_like(g)", _ONES)
_NOT_EXPANDED = "There is one number where many belong. Every entry that went into {step} gets its own."
RULES: Mapping[str, Sequence[Rule]] = {
    "Add": [("g", ()), ("g", ())],
    "Sub": [
        ("g", [("minus_moved", "-g", "Your sign is flipped. The minus in {step} belongs to the other one.")]),
        ("-g", [("minus_lost", "g", "Your sign is flipped. When {read} rises, {step} falls.")]),
    ],
    "Mult": [
        ("g * b", [_MISSING, _TIMES_ITSELF, _OF_ONES]),
        ("g * b", [_MISSING, _TIMES_ITSELF, _OF_ONES]),
    ],
    "Div": [
        ("g / b", [_MISSING, ("multiplied", "g * b", "You multiplied by what {step} divides by.")]),
        (
            "-g * b / a**2",
            [
                ("minus_lost", "g * b / a**2", "Your sign is flipped. When a divisor rises, the quotient falls."),
                ("not_squared", "-g * b / a", "The slope of a quotient in its divisor falls with the square of it."),
                ("numerator_missing", "-g / a**2", "What {step} divides is missing as a factor."),
            ],
        ),
    ],
    "Pow": [
        (
            "g * k * a**(k - 1)",
            [
                ("exponent_kept", "g * k * a**k", "You left the exponent as it was. In a slope it is lower by one."),
                ("number_missing", "g * a**(k - 1)", "A number in front is missing. The exponent comes down."),
                ("slope_missing", "g", _SLOPE),
            ],
        )
    ],
    "MatMult": [
        (
            "g @ b.mT",
            [
                ("turned", "b @ g.mT", _SIDE),
                ("averaged", "g @ b.mT / len(g)", _AVERAGED),
                ("upstream_missing", "torch.ones_like(g) @ b.mT", _ONES),
            ],
        ),
        (
            "b.mT @ g",
            [
                ("turned", "g.mT @ b", _SIDE),
                ("averaged", "b.mT @ g / len(g)", _AVERAGED),
                ("upstream_missing", "b.mT @ torch.ones_like(g)", _ONES),
            ],
        ),
    ],
    "USub": [("-g", [("minus_lost", "g", "Your sign is flipped. {step} has a minus.")])],
    "mT": [("g.mT", [])],
    "exp": [
        (
            "g * z",
            [
                ("slope_missing", "g", _SLOPE),
                ("times_exponent", "g * a", "You multiplied by what exp was taken of. Its slope is another."),
                ("upstream_missing", "z * torch.ones_like(g)", _NO_UPSTREAM),
            ],
        )
    ],
    "log": [
        (
            "g / a",
            [
                ("slope_missing", "g", _SLOPE),
                ("multiplied", "g * a", "The slope of a logarithm falls where its argument rises. Yours rises."),
                ("upstream_missing", "torch.ones_like(g) / a", _NO_UPSTREAM),
            ],
        )
    ],
    "sqrt": [
        (
            "g / (2 * z)",
            [
                ("slope_missing", "g", _SLOPE),
                ("half_missing", "g / z", "A half is missing: a root is a power, and its exponent comes down."),
            ],
        )
    ],
    "tanh": [
        (
            "g * (1 - z**2)",
            [
                ("slope_missing", "g", _SLOPE),
                ("not_squared", "g * (1 - z)", "A square is missing in the slope of tanh."),
                ("slope_of_input", "g * (1 - a**2)", "You squared what tanh was taken of, and not what it gave."),
                ("upstream_missing", "(1 - z**2) * torch.ones_like(g)", _NO_UPSTREAM),
            ],
        )
    ],
    "sigmoid": [
        (
            "g * z * (1 - z)",
            [
                ("slope_missing", "g", _SLOPE),
                ("half_the_slope", "g * z", "One of the two factors in the slope of a sigmoid is missing."),
                ("slope_of_tanh", "g * (1 - z**2)", "That is the slope of tanh. {step} has a sigmoid."),
            ],
        )
    ],
    "relu": [
        (
            "g * (a > 0)",
            [
                ("mask_missing", "g", "You passed everything on. Where relu gave zero, nothing comes back."),
                ("mask_turned", "g * (a < 0)", "You kept what relu cut off, and cut off what it let through."),
            ],
        )
    ],
    "sum": [("g.expand_as(a)", [("not_expanded", "g", _NOT_EXPANDED)])],
    "mean": [
        (
            "g.expand_as(a) / k",
            [
                ("not_divided", "g.expand_as(a)", "In a mean each entry has only its share. Yours has all of it."),
                ("not_expanded", "g / k", _NOT_EXPANDED),
                ("other_axis", "g.expand_as(a) / o", "You divided by another size. Which axis is averaged in {step}?"),
            ],
        )
    ],
}  # fmt: skip
FUNCTIONS = {"exp", "log", "sqrt", "tanh", "sigmoid", "relu"}
