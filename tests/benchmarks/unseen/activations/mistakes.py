"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import math

import torch

ROOT = math.sqrt(2 / math.pi)


def relu_backward__dx__scaled_by_x(dout, x):
    """Max(x, 0) is multiplied in, not the sign."""
    return dout * torch.clamp(x, min=0)


def relu_backward__dx__sign(dout, x):
    """The sign of x: minus one where it is negative."""
    return dout * torch.sign(x)


def relu_backward__dx__clamped_upstream(dout, x):
    """The upstream went through the ReLU."""
    return torch.clamp(dout, min=0)


def sigmoid_backward__dx__of_the_output_again(dout, out):
    """Takes the sigmoid of what is one already, and no derivative of it."""
    return torch.sigmoid(out) * dout


def sigmoid_backward__dx__squared_only(dout, out):
    """(1 - out)² in place of out (1 - out)."""
    return dout * (1 - out) ** 2


def sigmoid_backward__dx__upstream_forgotten(dout, out):
    """The slope alone."""
    return out * (1 - out)


def sigmoid_backward__dx__minus_one(dout, out):
    """out (out - 1): the sign."""
    return dout * out * (out - 1)


def sigmoid_backward__dx__exp_of_out(dout, out):
    """Takes out for x: exp(-out) / (1 + exp(-out))²."""
    return dout * torch.exp(-out) / (1 + torch.exp(-out)) ** 2


def silu_backward__dx__sigmoid_rule(dout, x):
    """s(1 - s), as of a sigmoid."""
    s = torch.sigmoid(x)
    return dout * s * (1 - s)


def silu_backward__dx__minus_in_the_bracket(dout, x):
    """s (1 - x (1 - s))."""
    s = torch.sigmoid(x)
    return dout * s * (1 - x * (1 - s))


def silu_backward__dx__output_for_x(dout, x):
    """Swish' = out + s (1 - out) with out for s * x, but (1 - s) in place of (1 - out)."""
    s = torch.sigmoid(x)
    return dout * (x * s + s * (1 - s))


def silu_backward__dx__square_missing(dout, x):
    """s + x (1 - s): the slope of the sigmoid without s."""
    s = torch.sigmoid(x)
    return dout * (s + x * (1 - s))


def gelu_backward__dx__density_only(dout, x):
    """x times the density: the first term of the product rule is forgotten."""
    return dout * x * torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def gelu_backward__dx__x_missing(dout, x):
    """The density without x."""
    cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
    return dout * (cdf + torch.exp(-x * x / 2) / math.sqrt(2 * math.pi))


def gelu_backward__dx__pi_for_root(dout, x):
    """The density is divided by 2π and not by its root."""
    cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
    return dout * (cdf + x * torch.exp(-x * x / 2) / (2 * math.pi))


def gelu_backward__dx__exponent_positive(dout, x):
    """The minus in the exponent is lost."""
    cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
    return dout * (cdf + x * torch.exp(x * x / 2) / math.sqrt(2 * math.pi))


def gelu_backward__dx__tanh_version(dout, x):
    """The derivative of the approximation by tanh."""
    t = torch.tanh(ROOT * (x + 0.044715 * x**3))
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT * (1 + 3 * 0.044715 * x * x))


def gelu_tanh_backward__dx__constant_typed_wrong(dout, x):
    """0.0044715 in place of 0.044715."""
    t = torch.tanh(ROOT * (x + 0.0044715 * x**3))
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT * (1 + 3 * 0.0044715 * x * x))


def gelu_tanh_backward__dx__three_missing(dout, x):
    """The 3 of the derivative of x³ is missing."""
    t = torch.tanh(ROOT * (x + 0.044715 * x**3))
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT * (1 + 0.044715 * x * x))


def gelu_tanh_backward__dx__inner_slope_missing(dout, x):
    """The slope of what tanh is taken of is forgotten."""
    t = torch.tanh(ROOT * (x + 0.044715 * x**3))
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t * t))


def gelu_tanh_backward__dx__root_missing(dout, x):
    """√(2/π) is missing in the inner slope."""
    t = torch.tanh(ROOT * (x + 0.044715 * x**3))
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (1 + 3 * 0.044715 * x * x))


def gelu_tanh_backward__dx__square_missing(dout, x):
    """1 - t in place of 1 - t²."""
    t = torch.tanh(ROOT * (x + 0.044715 * x**3))
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t) * ROOT * (1 + 3 * 0.044715 * x * x))


def gelu_tanh_backward__dx__half_missing(dout, x):
    """0.5 is missing in the second term."""
    t = torch.tanh(ROOT * (x + 0.044715 * x**3))
    return dout * (0.5 * (1 + t) + x * (1 - t * t) * ROOT * (1 + 3 * 0.044715 * x * x))


def gelu_tanh_backward__dx__x_squared_missing(dout, x):
    """The derivative of x³ is written 3x."""
    t = torch.tanh(ROOT * (x + 0.044715 * x**3))
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT * (1 + 3 * 0.044715 * x))


def gelu_tanh_backward__dx__first_term_only(dout, x):
    """The slope of tanh is forgotten."""
    return dout * 0.5 * (1 + torch.tanh(ROOT * (x + 0.044715 * x**3)))


# A second list, written when the first had been used to mend with.


def silu_backward__dx__later_output_times_x(dout, x):
    """The output in place of the gate in the last factor."""
    s = torch.sigmoid(x)
    return dout * (s + x * s * (1 - x * s))


def gelu_backward__dx__later_quick(dout, x):
    """The gate is sigmoid(1.702 x), the bell is right."""
    return dout * (torch.sigmoid(1.702 * x) + x * torch.exp(-x * x / 2) / math.sqrt(2 * math.pi))


def gelu_tanh_backward__dx__later_bracket(dout, x):
    """(1 - t)² in place of 1 - t²."""
    t = torch.tanh(ROOT * (x + 0.044715 * x**3))
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t) ** 2 * ROOT * (1 + 3 * 0.044715 * x * x))


def relu_backward__dx__later_at_least_one(dout, x):
    """x > 1."""
    return dout * (x > 1)


def sigmoid_backward__dx__later_exp(dout, out):
    """The slope of exp: out alone, and a minus."""
    return -dout * out
