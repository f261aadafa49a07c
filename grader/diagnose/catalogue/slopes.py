"""Slips in the slope of an operation that works entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from grader.diagnose.catalogue.kind import Made, Site, slip
from grader.diagnose.graph import is_broadcast

ENTRYWISE = (
    "Tanh",
    "Sigmoid",
    "Relu",
    "Exp",
    "Log",
    "Pow",
    "Mul",
    "Div",
    "Sqrt",
    "Rsqrt",
    "Reciprocal",
    "Erf",
    "Silu",
    "Gelu",
)
EPSILONS = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)
EXPONENTS = (-3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 3.0)
# The slope of an operation as a function of its output, which is how people write it.
FROM_OUTPUT: Mapping[str, Callable[[Tensor], Tensor]] = {
    "Tanh": lambda h: 1 - h.square(),
    "Sigmoid": lambda s: s * (1 - s),
    "Exp": lambda y: y,
}
_FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "Tanh": torch.tanh,
    "Sigmoid": torch.sigmoid,
    "Exp": torch.exp,
    "Log": torch.log,
}


def _fits(at: Site) -> bool:
    return is_broadcast(tuple(at.slope.shape), tuple(at.g.shape))


@slip("any")
def skipped(at: Site) -> Made:
    """Your {d} is what comes out if {op} in {step} is passed by, as if it had slope 1. Look at {step}."""
    return at.g


@slip("any")
def negated(at: Site) -> Made:
    """Your {d} is what comes out if the sign is turned around at {op} in {step}. Look for a minus there."""
    return -at.right


@slip(*ENTRYWISE)
def slope_only(at: Site) -> Made:
    """Your {d} is what comes out if {op} in {step} gives its slope alone. What came back to {step} must be multiplied
    in.
    """
    return at.slope if _fits(at) else None


@slip(*ENTRYWISE)
def divided_by_slope(at: Site) -> Made:
    """Your {d} divides by the slope of {op} in {step}. The chain rule multiplies."""
    return at.g / at.slope if _fits(at) else None


@slip(*ENTRYWISE)
def added_to_slope(at: Site) -> Made:
    """Your {d} adds the slope of {op} in {step} to what came back. The chain rule multiplies."""
    return at.g + at.slope if _fits(at) else None


@slip(*ENTRYWISE)
def slope_twice(at: Site) -> Made:
    """Your {d} has the slope of {op} in {step} in it twice. Each step is gone through once."""
    return at.right * at.slope if _fits(at) else None


@slip(*ENTRYWISE)
def subtracted_slope(at: Site) -> Made:
    """Your {d} subtracts the slope of {op} in {step} from what came back. The chain rule multiplies."""
    return at.g - at.slope if _fits(at) else None


@slip(*ENTRYWISE)
def divided_by_upstream(at: Site) -> Made:
    """Your {d} divides by what came back to {step}. An upstream gradient is always a factor."""
    return at.slope / at.g if _fits(at) else None


@slip(*ENTRYWISE)
def turned_upside_down(at: Site) -> Made:
    """Your {d} is one over the right gradient of {step}: what should be multiplied was divided."""
    return 1 / at.right if _fits(at) else None


@slip("Tanh")
def square_missing(at: Site) -> Made:
    """Your {d} has a slope of {op} in {step} without a square. It must be the same at a point and at its mirror
    image.
    """
    return at.g * (1 - at.result)


@slip("Tanh")
def square_added(at: Site) -> Made:
    """Your {d} has a plus in the slope of {op} in {step}. The slope gets smaller away from zero."""
    return at.g * (1 + at.result.square())


@slip("Tanh")
def other_power(at: Site) -> Made:
    """Your {d} has a slope of {op} in {step} with another power than the square."""
    return [(3, at.g * (1 - at.result**3)), (4, at.g * (1 - at.result**4))]


@slip("Tanh", "Sigmoid")
def slope_of_the_slope(at: Site) -> Made:
    """Your {d} goes on to differentiate the slope of {op} in {step}. Once is enough."""
    h = at.result
    return [("", at.g * (1 - 2 * h)), ("", -2 * at.g * h)]


@slip("Tanh")
def sigmoid_rule(at: Site) -> Made:
    """Your {d} uses the rule of the sigmoid in {step}, and the forward has {op}."""
    return at.g * at.result * (1 - at.result)


@slip("Sigmoid")
def tanh_rule(at: Site) -> Made:
    """Your {d} uses the rule of tanh in {step}, and the forward has {op}."""
    return at.g * (1 - at.result.square())


@slip("Tanh", "Sigmoid")
def relu_rule(at: Site) -> Made:
    """Your {d} uses the rule of the ReLU in {step}, and the forward has {op}."""
    return at.g * (at.result > (0.5 if at.node.kind == "Sigmoid" else 0.0))


@slip("Tanh")
def bracket_squared(at: Site) -> Made:
    """Your {d} squares a whole bracket in the slope of {op} in {step}."""
    return at.g * (1 - at.result).square()


@slip("Tanh", "Sigmoid", "Exp")
def applied_twice(at: Site) -> Made:
    """Your {d} applies {op} once more to {step}. {step} has been through it already."""
    again = _FUNCTIONS[at.node.kind](at.result)
    return at.g * FROM_OUTPUT[at.node.kind](again)


@slip("Tanh", "Sigmoid")
def function_as_slope(at: Site) -> Made:
    """Your {d} multiplies by {op} of {step} itself, which is no slope. A slope says how fast it rises."""
    return at.g * _FUNCTIONS[at.node.kind](at.result)


@slip("Tanh")
def upstream_in_the_slope(at: Site) -> Made:
    """Your {d} has {step} and what came back to it exchanged in the slope of {op}."""
    return (1 - at.g.square()) * at.result


@slip("Tanh", "Sigmoid")
def one_missing(at: Site) -> Made:
    """Your {d} has only one part of the slope of {op} in {step}."""
    h = at.result
    return -at.g * h.square() if at.node.kind == "Tanh" else [("", at.g * h), ("", at.g * (1 - h))]


@slip("Sigmoid")
def bracket_added(at: Site) -> Made:
    """Your {d} has a plus in the slope of {op} in {step}. The slope is never larger than a quarter."""
    return at.g * at.result * (1 + at.result)


@slip("Tanh", "Sigmoid", "Exp", "Log", "Pow")
def slope_at(at: Site) -> Made:
    """Your {d} takes the slope of {op} in {step} at {detail}. That is not what the slope is made of."""
    kind, g = at.node.kind, at.g
    if kind in FROM_OUTPUT:
        return [(name, g * FROM_OUTPUT[kind](value)) for name, value in at.alike(at.result)]
    if kind == "Log":
        return [(name, g / value) for name, value in at.alike(at.x)]
    k = at.exponent
    return [(name, g * k * value ** (k - 1)) for name, value in at.alike(at.x)]


@slip("Tanh", "Sigmoid", "Exp", "Log")
def result_anew(at: Site) -> Made:
    """Your {d} takes {op} in {step} of {detail}, and the forward takes it of something else."""
    kind = at.node.kind
    if kind == "Log":
        return None
    function, slope = _FUNCTIONS[kind], FROM_OUTPUT[kind]
    return [(name, at.g * slope(function(value))) for name, value in at.alike(at.result)]


@slip("Exp")
def power_rule(at: Site) -> Made:
    """Your {d} uses the power rule in {step}. In {op} the variable is the exponent."""
    x = at.result.log()
    return [("", at.g * x * (x - 1).exp()), ("", at.g * x * at.result)]


@slip("Exp")
def input_as_slope(at: Site) -> Made:
    """Your {d} uses the input of {op} in {step} as its slope."""
    return at.g * at.result.log()


@slip("Log", "Pow")
def differentiated_twice(at: Site) -> Made:
    """Your {d} has {op} in {step} differentiated once too often."""
    if at.node.kind == "Log":
        return -at.g / at.x.square()
    k = at.exponent
    return at.g * k * (k - 1) * at.x ** (k - 2)


@slip("Log")
def exp_rule(at: Site) -> Made:
    """Your {d} uses the rule of exp in {step}, and the forward has {op}."""
    return at.g * at.x.exp()


@slip("Log")
def output_as_input(at: Site) -> Made:
    """Your {d} uses the output of {op} in {step} where its input belongs."""
    return at.g / at.x.log()


@slip("Log")
def value_as_slope(at: Site) -> Made:
    """Your {d} uses {op} in {step} itself as the slope. A slope says how fast it rises."""
    return [("", at.g * at.x.log()), ("", at.g * at.x.abs().log())]


@slip("Log")
def number_added(at: Site) -> Made:
    """Your {d} adds {detail} inside {op} in {step}. The forward does not."""
    return [(f"{small:g}", at.g / (at.x + small)) for small in EPSILONS]


@slip("Pow")
def exponent_kept(at: Site) -> Made:
    """Your {d} keeps the exponent in {step} as it was. The derivative of a power has another one."""
    return at.g * at.exponent * at.x**at.exponent


@slip("Pow")
def factor_missing(at: Site) -> Made:
    """Your {d} lowers the exponent in {step}, but a factor that comes with it is missing."""
    return at.g * at.x ** (at.exponent - 1)


@slip("Pow")
def neither_lowered_nor_factor(at: Site) -> Made:
    """Your {d} uses the power in {step} as its own slope."""
    return at.g * at.x**at.exponent


@slip("Pow")
def exponent_raised(at: Site) -> Made:
    """Your {d} raises the exponent in {step}. It goes the other way."""
    k = at.exponent
    return at.g * k * at.x ** (k + 1)


@slip("Pow")
def exponent_turned(at: Site) -> Made:
    """Your {d} has an exponent of the wrong sign in {step}. Check where the slope is large."""
    k = at.exponent
    return [("", at.g * k * at.x ** (-k)), ("", at.g * k * at.x ** (1 - k))]


@slip("Pow")
def power_parentheses_lost(at: Site) -> Made:
    """Your {d} is what comes out at {step} if parentheses are missing: a power binds tighter than a minus."""
    k = at.exponent
    return at.g * k * at.x**k - 1


@slip("Pow")
def square_assumed(at: Site) -> Made:
    """Your {d} uses the rule for a square in {step}. The exponent is another one."""
    return at.g * 2 * at.x


@slip("Pow")
def towards_exponent(at: Site) -> Made:
    """Your {d} differentiates {step} towards its exponent, which brings in a logarithm."""
    return at.g * at.x**at.exponent * at.x.log()


@slip("Pow")
def slope_of_a_line(at: Site) -> Made:
    """Your {d} has the same slope everywhere for {op} in {step}. A power is steeper in some places than in others."""
    return at.g * at.exponent


@slip("Pow")
def integrated(at: Site) -> Made:
    """Your {d} uses the rule for an integral in {step}."""
    k = at.exponent
    return at.g * at.x ** (k + 1) / (k + 1) if k != -1 else None


@slip("Pow")
def reciprocal_rule(at: Site) -> Made:
    """Your {d} uses the rule for one over a number in {step}. The exponent is another one."""
    return -at.g * at.x**-2


@slip("Pow")
def inner_number_missing(at: Site) -> Made:
    """Your {d} leaves out the small number that the forward adds before {op} in {step}."""
    k = at.exponent
    return at.g * k * at.inner ** (k - 1) if at.inner is not None and at.inner.shape == at.x.shape else None


@slip("Pow")
def inner_number_exchanged(at: Site) -> Made:
    """Your {d} adds {detail} before {op} in {step}. The forward adds another number."""
    if at.inner is None or at.inner.shape != at.x.shape or torch.equal(at.inner, at.x):
        return None
    k, inner = at.exponent, at.inner
    return [(f"{small:g}", at.g * k * (inner + small) ** (k - 1)) for small in EPSILONS]


@slip("Pow")
def exponent_exchanged(at: Site) -> Made:
    """Your {d} has the exponent {detail} in {step}. What is left after differentiating is one less than before."""
    k = at.exponent
    return [(f"{e:g}", at.g * k * at.x**e) for e in EXPONENTS if e != k - 1]


@slip("Relu")
def mask_of_the_upstream(at: Site) -> Made:
    """Your {d} looks at the sign of what came back to {step}. It is the sign of the input that decides."""
    return at.g * (at.g > 0)


@slip("Relu")
def relu_inverted(at: Site) -> Made:
    """Your {d} passes on what {op} in {step} stops, and stops what it passes on."""
    return at.g * (at.result <= 0)


@slip("Relu")
def leaky(at: Site) -> Made:
    """Your {d} is that of a leaky ReLU in {step}: {detail} where the input is negative. The forward gives zero."""
    return [(f"{a:g}", torch.where(at.result > 0, at.g, a * at.g)) for a in (0.01, 0.1, 0.2)]
