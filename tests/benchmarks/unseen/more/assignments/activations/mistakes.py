"""Wrong lines; a docstring says what went wrong."""

import math

import torch


def relu_backward__dx__of_dout(dout, x):
    """The sign of dout decides, not that of x."""
    return dout * (dout > 0)


def relu_backward__dx__relu_of_product(dout, x):
    """relu(x) * dout."""
    return x.relu() * dout


def relu_backward__dx__mask_inverted(dout, x):
    """The mask is turned around."""
    return dout * (x <= 0)


def relu_backward__dx__leaky(dout, x):
    """As of a leaky ReLU."""
    return torch.where(x > 0, dout, 0.01 * dout)


def relu_backward__dx__upstream_missing(dout, x):
    """The mask alone."""
    return (x > 0).double()


def relu_backward__dx__mask_missing(dout, x):
    """The upstream alone."""
    return dout.clone()


def sigmoid_backward__dx__tanh(dout, out):
    """1 - out²."""
    return dout * (1 - out**2)


def sigmoid_backward__dx__again(dout, out):
    """The sigmoid of out."""
    s = out.sigmoid()
    return dout * s * (1 - s)


def sigmoid_backward__dx__plus(dout, out):
    """1 + out."""
    return dout * out * (1 + out)


def sigmoid_backward__dx__parenthesis(dout, out):
    """dout * out * 1 - out."""
    return dout * out * 1 - out


def sigmoid_backward__dx__half(dout, out):
    """out alone."""
    return dout * out


def silu_backward__dx__one_path(dout, x):
    """The first factor only."""
    return dout * x.sigmoid()


def silu_backward__dx__other_path(dout, x):
    """The sigmoid's slope only."""
    s = x.sigmoid()
    return dout * x * s * (1 - s)


def silu_backward__dx__x_missing(dout, x):
    """x is missing in the second path."""
    s = x.sigmoid()
    return dout * (s + s * (1 - s))


def silu_backward__dx__square(dout, x):
    """s² in place of s in the second term: s + x * s * (1 - s²)."""
    s = x.sigmoid()
    return dout * (s + x * s * (1 - s**2))


def gelu_backward__dx__cdf_only(dout, x):
    """The density's path is missing."""
    return dout * 0.5 * (1 + torch.erf(x / 2**0.5))


def gelu_backward__dx__density_not_scaled(dout, x):
    """1/√(2π) is missing."""
    return dout * (0.5 * (1 + torch.erf(x / 2**0.5)) + x * torch.exp(-(x**2) / 2))


def gelu_backward__dx__density_without_half(dout, x):
    """exp(-x²) in place of exp(-x²/2)."""
    return dout * (0.5 * (1 + torch.erf(x / 2**0.5)) + x * torch.exp(-(x**2)) / math.sqrt(2 * math.pi))


def gelu_backward__dx__sigmoid(dout, x):
    """The approximation by a sigmoid, without its derivative."""
    return dout * torch.sigmoid(1.702 * x)
