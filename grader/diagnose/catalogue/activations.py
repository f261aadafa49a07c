"""Slips in the slope of an activation y = f(x), be it one operation or written out in steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from grader.diagnose.catalogue.kind import Kind, Made, slip

ROOT, CUBIC = math.sqrt(2 / math.pi), 0.044715
FEW, CLOSE = 8, 1e-12
# What people type for 0.044715, in the formula and in its derivative.
OTHER_CUBICS = (0.0044715, 0.44715, 0.04715, 0.044175, 0.047715, 0.0447)


def _bell(x: Tensor) -> Tensor:
    return (-x * x / 2).exp() / math.sqrt(2 * math.pi)


def _share(x: Tensor) -> Tensor:
    return 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def _bend(x: Tensor, cubic: float = CUBIC) -> Tensor:
    return (ROOT * (x + cubic * x**3)).tanh()


def slope_of_gelu_tanh(x: Tensor, cubic: float = CUBIC) -> Tensor:
    """Return the slope of the approximation by tanh, with another number in it if one is given."""
    bend = _bend(x, cubic)
    return 0.5 * (1 + bend) + 0.5 * x * (1 - bend * bend) * ROOT * (1 + 3 * cubic * x * x)


def _slope_of_quick_gelu(x: Tensor) -> Tensor:
    s = (1.702 * x).sigmoid()
    return s + 1.702 * x * s * (1 - s)


def _slope_of_silu(x: Tensor) -> Tensor:
    s = x.sigmoid()
    return s + x * s * (1 - s)


@dataclass(frozen=True)
class Function:
    """An activation as a sentence calls it, and its slope; as functions of the input."""

    spoken: str
    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]


FUNCTIONS: Mapping[str, Function] = {
    "relu": Function("the ReLU", torch.relu, lambda x: (x > 0).to(x.dtype)),
    "sigmoid": Function("the sigmoid", torch.sigmoid, lambda x: x.sigmoid() * (1 - x.sigmoid())),
    "tanh": Function("tanh", torch.tanh, lambda x: 1 - x.tanh().square()),
    "silu": Function("the SiLU", lambda x: x * x.sigmoid(), _slope_of_silu),
    "gelu": Function("the exact GELU", lambda x: x * _share(x), lambda x: _share(x) + x * _bell(x)),
    "gelu_tanh": Function("the GELU by tanh", lambda x: 0.5 * x * (1 + _bend(x)), slope_of_gelu_tanh),
    "quick_gelu": Function("the GELU by a sigmoid", lambda x: x * (1.702 * x).sigmoid(), _slope_of_quick_gelu),
    "softplus": Function("softplus", torch.nn.functional.softplus, torch.sigmoid),
    "elu": Function("the ELU", torch.nn.functional.elu, lambda x: torch.where(x > 0, 1.0, x.exp())),
    "leaky_relu": Function("a leaky ReLU", lambda x: torch.where(x > 0, x, 0.01 * x), lambda x: _leaky(x, 0.01)),
}


def _leaky(x: Tensor, slope: float) -> Tensor:
    return torch.where(x > 0, 1.0, slope)


@dataclass(frozen=True)
class Activation:
    """An activation of this name, its input and output, and what came back to the output."""

    name: str
    x: Tensor
    y: Tensor
    g: Tensor


@slip()
def other_activation(at: Activation) -> Made:
    """Your {d} uses the slope of {detail} at {step}. The forward has another activation there."""
    others = [function for name, function in FUNCTIONS.items() if name != at.name]
    return [(function.spoken, at.g * function.slope(at.x)) for function in others]


@slip()
def value_for_slope(at: Activation) -> Made:
    """Your {d} multiplies by the activation at {step} and not by its slope. A slope says how fast it rises."""
    value = FUNCTIONS[at.name].value
    return [("", at.g * value(at.x)), ("", at.g * value(at.y))]


@slip()
def upstream_activated(at: Activation) -> Made:
    """Your {d} puts what came back to {step} through the activation. It is multiplied by the slope, which is taken at
    {read}.
    """
    function = FUNCTIONS[at.name]
    return [("", function.value(at.g)), ("", at.g * function.slope(at.g))]


@slip()
def slope_at_output(at: Activation) -> Made:
    """Your {d} takes the slope of the activation at its output {step}. It belongs to the input {read}."""
    return at.g * FUNCTIONS[at.name].slope(at.y)


@slip()
def slope_squared(at: Activation) -> Made:
    """Your {d} has the slope of the activation at {step} squared. Once is enough."""
    return at.g * FUNCTIONS[at.name].slope(at.x).square()


@slip()
def sign_for_slope(at: Activation) -> Made:
    """Your {d} multiplies by the sign of {read} at {step}. Where it is negative, this activation has the slope 0."""
    return at.g * at.x.sign() if at.name == "relu" else None


@slip()
def mask_by_both_signs(at: Activation) -> Made:
    """Your {d} also looks at the sign of what came back to {step}. The sign of {read} alone decides."""
    return at.g * ((at.x > 0) & (at.g > 0)) if at.name == "relu" else None


@slip()
def one_factor_of_the_slope(at: Activation) -> Made:
    """Your {d} has only one of the two factors of the slope of the sigmoid at {step}."""
    return [("", at.g * at.y), ("", at.g * (1 - at.y))] if at.name == "sigmoid" else None


@slip()
def one_factor_squared(at: Activation) -> Made:
    """Your {d} squares one of the two factors of the slope of the sigmoid at {step}, and the other is missing."""
    return [("", at.g * at.y.square()), ("", at.g * (1 - at.y).square())] if at.name == "sigmoid" else None


@slip()
def square_in_the_bracket(at: Activation) -> Made:
    """Your {d} has a square in the slope of the sigmoid at {step}. One minus a square belongs to tanh."""
    s = at.y
    return [("", at.g * (1 - s.square())), ("", at.g * s * (1 - s.square()))] if at.name == "sigmoid" else None


@slip()
def bracket_of_the_slope_lost(at: Activation) -> Made:
    """Your {d} is what comes out if parentheses are missing in the slope at {step}: a product binds tighter than a
    minus.
    """
    if at.name == "tanh":
        return at.g - at.y.square()
    return [("", at.g * at.y - at.y), ("", at.g * at.y - at.y.square())] if at.name == "sigmoid" else None


@slip()
def gate_slope_alone(at: Activation) -> Made:
    """Your {d} has the slope of the gate at {step} alone. The gate is multiplied by {read}: a product has two uses of
    it, and both add.
    """
    return _with_gate(at, lambda _, slope: slope)


@slip()
def gate_slope_without_input(at: Activation) -> Made:
    """One part of your {d} is not multiplied by {read}, at {step}: the slope of the gate, which scales {read}."""
    return _with_gate(at, lambda gate, slope: gate + slope)


@slip()
def gate_multiplied_in(at: Activation) -> Made:
    """Your {d} has a factor of the gate too many or too few in one of its two parts, at {step}."""

    def wrong(gate: Tensor, slope: Tensor) -> Iterator[Tensor]:
        yield gate * (gate + at.x * slope)
        yield gate * gate + at.x * slope
        yield gate + at.x * gate * slope
        yield gate + at.x * gate
        yield gate + at.x * gate * gate
        yield gate + at.x * (1 - gate)
        yield at.x * gate + slope
        yield at.y + slope

    return _with_gate(at, wrong)


@slip()
def gate_part_negated(at: Activation) -> Made:
    """One of the two parts of your {d} has the wrong sign at {step}. A product of {read} and a gate has two uses of
    {read}, and both add.
    """
    return _with_gate(at, lambda gate, slope: gate - at.x * slope)


_GATES: Mapping[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "silu": (torch.sigmoid, lambda x: x.sigmoid() * (1 - x.sigmoid())),
    "gelu": (_share, _bell),
    "gelu_tanh": (
        lambda x: 0.5 * (1 + _bend(x)),
        lambda x: 0.5 * (1 - _bend(x).square()) * ROOT * (1 + 3 * CUBIC * x * x),
    ),
    "quick_gelu": (lambda x: (1.702 * x).sigmoid(), lambda x: 1.702 * (1.702 * x).sigmoid() * (-1.702 * x).sigmoid()),
}


def _with_gate(at: Activation, make: Callable[[Tensor, Tensor], Tensor | Iterator[Tensor]]) -> Made:
    """Return what an activation that is its input times a gate gives with a wrong slope, made of the gate and its."""
    if at.name not in _GATES:
        return None
    gate, slope = _GATES[at.name]
    found = make(gate(at.x), slope(at.x))
    return [("", at.g * each) for each in ([found] if isinstance(found, Tensor) else found)]


@slip()
def gate_of_another(at: Activation) -> Made:
    """Your {d} mixes the gates of two activations at {step}: one of its two parts is that of another."""
    others = [both for name, both in _GATES.items() if name != at.name]
    return _with_gate(
        at,
        lambda gate, slope: (mixed for g, s in others for mixed in (g(at.x) + at.x * slope, gate + at.x * s(at.x))),
    )


@slip()
def bell_exchanged(at: Activation) -> Made:
    """Your {d} has another bell curve in the slope at {step}. Check the number in its exponent, its sign, and what
    stands in front.
    """
    if at.name != "gelu":
        return None
    x = at.x
    fronts = (1.0, 1 / math.sqrt(2 * math.pi), 2 / math.sqrt(math.pi), 1 / math.sqrt(math.pi), 1 / (2 * math.pi), ROOT)
    found = [front * (power * x * x).exp() for front in (*fronts, 0.5) for power in (-1.0, -0.5, -2.0, 0.5, 1.0)]
    return [("", at.g * (_share(x) + x * bell)) for bell in found]


@slip()
def argument_of_erf(at: Activation) -> Made:
    """Your {d} takes erf of another number at {step}. The forward divides {read} by a root first."""
    if at.name != "gelu":
        return None
    x = at.x
    shares = (0.5 * (1 + torch.erf(x / number)) for number in (1.0, 2.0, math.sqrt(math.pi), 1 / math.sqrt(2)))
    return [("", at.g * (share + x * _bell(x))) for share in shares]


@slip()
def cubic_exchanged(at: Activation) -> Made:
    """Your {d} has {detail} where the GELU at {step} has another number. Compare it digit by digit."""
    if at.name != "gelu_tanh":
        return None
    return [(f"{number:g}", at.g * slope_of_gelu_tanh(at.x, number)) for number in OTHER_CUBICS]


@slip()
def inner_slope_exchanged(at: Activation) -> Made:
    """Your {d} has another slope of what tanh is taken of, at {step}. The chain rule asks for the derivative of all of
    it.
    """
    if at.name != "gelu_tanh":
        return None
    x, bend, c = at.x, _bend(at.x), CUBIC
    inner = (
        1 + 3 * c * x * x,
        ROOT * (1 + c * x * x),
        ROOT * (1 + 2 * c * x * x),
        ROOT * (1 + 3 * c * x),
        ROOT * (x + 3 * c * x * x),
        ROOT * (x + c * x**3),
        ROOT * torch.ones_like(x),
        torch.ones_like(x),
        3 * c * x * x,
    )
    return [("", at.g * (0.5 * (1 + bend) + 0.5 * x * (1 - bend * bend) * each)) for each in inner]


KINDS: tuple[Kind[Activation], ...] = (
    value_for_slope,
    upstream_activated,
    slope_at_output,
    slope_squared,
    sign_for_slope,
    mask_by_both_signs,
    one_factor_of_the_slope,
    one_factor_squared,
    square_in_the_bracket,
    bracket_of_the_slope_lost,
    gate_slope_alone,
    gate_slope_without_input,
    gate_multiplied_in,
    gate_part_negated,
    gate_of_another,
    bell_exchanged,
    argument_of_erf,
    cubic_exchanged,
    inner_slope_exchanged,
    other_activation,
)


def first_values(x: Tensor) -> Tensor:
    """Return what each activation makes of the first few entries, which tell most of them apart: one row for each."""
    few = x.flatten()[:FEW]
    return torch.stack([function.value(few) for function in FUNCTIONS.values()])


def recognise(x: Tensor, y: Tensor, first: Tensor) -> str | None:
    """Return the name of the activation that makes y of x, or None; `first` are x's first values."""
    their = y.flatten()[:FEW]
    fits = ((first - their).abs() <= CLOSE * their.abs().max()).all(dim=1)
    for name, fitting in zip(FUNCTIONS, fits.tolist(), strict=True):
        if fitting and bool((FUNCTIONS[name].value(x) - y).abs().max() <= CLOSE * y.abs().max()):
            return name
    return None
