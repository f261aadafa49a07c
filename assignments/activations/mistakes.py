"""Wrong gradients that people write for activations. Each docstring is what the student is told."""

import math

import torch

ROOT = math.sqrt(2 / math.pi)
CUBIC = 0.044715


def _normal(x):
    """Return the bell curve."""
    return (-(x**2) / 2).exp() / math.sqrt(2 * math.pi)


def _below(x):
    """Return the share of a normal distribution below x."""
    return 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def _bend(x):
    return (ROOT * (x + CUBIC * x**3)).tanh()


# relu_backward: out = max(x, 0)


def relu_backward__dx__passed_on(dout):
    """You passed everything on. Where x is negative, the output is 0 whatever x is, so nothing comes back."""
    return dout.clone()


def relu_backward__dx__relu_of_the_gradient(dout):
    """You applied the relu to the upstream gradient. A gradient may be negative: it is x whose sign decides."""
    return dout.relu()


def relu_backward__dx__both_signs(dout, x):
    """You also cut off negative gradients. Only x decides: where it is positive, all of dout comes back."""
    return dout.relu() * (x > 0)


def relu_backward__dx__turned_around(dout, x):
    """You kept the other half. An entry passes its gradient on where x is positive."""
    return dout * (x < 0)


def relu_backward__dx__times_the_output(dout, x):
    """You multiplied by the output. The slope of a relu is 1 where x is positive, however large x is."""
    return dout * x.relu()


def relu_backward__dx__upstream_missing(x):
    """This is the slope alone. What comes back from the output has to be multiplied by it."""
    return (x > 0).double()


def relu_backward__dx__leaky(dout, x):
    """You let a hundredth through where x is negative. That is the leaky relu; this one is flat there."""
    return torch.where(x > 0, dout, 0.01 * dout)


# sigmoid_backward: out = 1 / (1 + exp(-x))


def sigmoid_backward__dx__upstream_missing(out):
    """This is the slope alone. What comes back from the output has to be multiplied by it."""
    return out * (1 - out)


def sigmoid_backward__dx__applied_again(dout, out):
    """You applied the sigmoid to out. It has been applied already: out is its result."""
    again = out.sigmoid()
    return dout * again * (1 - again)


def sigmoid_backward__dx__slope_of_tanh(dout, out):
    """This is the slope of tanh. The sigmoid goes from 0 to 1, and its slope is highest at one half, not at 0."""
    return dout * (1 - out**2)


def sigmoid_backward__dx__one_factor(dout, out):
    """You multiplied by out alone. A sigmoid is also flat where out is near 1: a second factor must be 0 there."""
    return out * dout


def sigmoid_backward__dx__other_factor(dout, out):
    """You multiplied by 1 - out alone. A sigmoid is also flat where out is near 0: a second factor must be 0 there."""
    return dout * (1 - out)


def sigmoid_backward__dx__parentheses(dout, out):
    """Parentheses are missing: what came first was multiplied, and out was subtracted from that."""
    return dout * out * 1 - out


def sigmoid_backward__dx__squared(dout, out):
    """You squared the bracket. The slope has out once and 1 - out once."""
    return dout * (out * (1 - out)) ** 2


# silu_backward: gate = sigmoid(x), out = x * gate


def silu_backward__dx__gate_constant(dout, x):
    """You took the gate for a constant. It moves with x as well, and two uses add."""
    return dout * x.sigmoid()


def silu_backward__dx__gate_only(dout, x):
    """This is what comes back through the gate. x is also the factor beside it, and two uses add."""
    gate = x.sigmoid()
    return dout * x * gate * (1 - gate)


def silu_backward__dx__slope_of_the_sigmoid(dout, x):
    """This is the slope of the sigmoid. The output is x times it, so there are two parts."""
    gate = x.sigmoid()
    return dout * gate * (1 - gate)


def silu_backward__dx__factor_forgotten(dout, x):
    """On the way through the gate you left out the x that it is multiplied by."""
    gate = x.sigmoid()
    return dout * (gate + gate * (1 - gate))


def silu_backward__dx__slope_unfinished(dout, x):
    """On the way through the gate you left out the factor 1 - gate: the slope of a sigmoid has two."""
    gate = x.sigmoid()
    return dout * (gate + x * gate)


def silu_backward__dx__gate_once_too_often(dout, x):
    """You counted the gate in the direct part and its square in the other: the slope of the gate is gate (1 - gate)."""
    gate = x.sigmoid()
    return dout * (gate + x * gate * gate)


def silu_backward__dx__subtracted(dout, x):
    """You subtracted the part through the gate. More x opens the gate, and both parts add."""
    gate = x.sigmoid()
    return dout * (gate - x * gate * (1 - gate))


def silu_backward__dx__upstream_missing(x):
    """This is the slope alone. What comes back from the output has to be multiplied by it."""
    gate = x.sigmoid()
    return gate + x * gate * (1 - gate)


# gelu_backward: gate = share of a normal distribution below x, out = x * gate


def gelu_backward__dx__gate_constant(dout, x):
    """You took the gate for a constant. It moves with x as well, and two uses add."""
    return dout * _below(x)


def gelu_backward__dx__gate_only(dout, x):
    """This is what comes back through the gate. x is also the factor beside it, and two uses add."""
    return dout * x * _normal(x)


def gelu_backward__dx__factor_forgotten(dout, x):
    """On the way through the gate you left out the x that it is multiplied by."""
    return dout * (_below(x) + _normal(x))


def gelu_backward__dx__not_normalised(dout, x):
    """The bell curve lacks the factor in front of it, one over the root of two pi."""
    return dout * (_below(x) + x * (-(x**2) / 2).exp())


def gelu_backward__dx__bell_of_erf(dout, x):
    """This is almost the slope of erf at x. The forward divides x by the root of 2 first, so use the chain rule."""
    return dout * (_below(x) + x * (-(x**2)).exp() / math.sqrt(math.pi))


def gelu_backward__dx__inner_slope_forgotten(dout, x):
    """You left out the slope of what is inside erf. x is divided by the root of 2 there."""
    return dout * (_below(x) + x * (-(x**2) / 2).exp() / math.sqrt(math.pi))


def gelu_backward__dx__root_lost_in_the_gate(dout, x):
    """The gate is not that of the forward: x is divided by the root of 2 before erf is taken."""
    return dout * (0.5 * (1 + torch.erf(x)) + x * _normal(x))


def gelu_backward__dx__subtracted(dout, x):
    """You subtracted the part through the gate. More x opens the gate, and both parts add."""
    return dout * (_below(x) - x * _normal(x))


def gelu_backward__dx__of_the_approximation(dout, x):
    """This is the gradient of the approximation with tanh. It is near, and not the one that was asked for."""
    bend = _bend(x)
    inner = ROOT * (1 + 3 * CUBIC * x**2)
    return dout * (0.5 * (1 + bend) + 0.5 * x * (1 - bend**2) * inner)


def gelu_backward__dx__upstream_missing(x):
    """This is the slope alone. What comes back from the output has to be multiplied by it."""
    return _below(x) + x * _normal(x)


# gelu_tanh_backward: inner = root * (x + 0.044715 x^3), gate = (1 + tanh(inner)) / 2, out = x * gate


def gelu_tanh_backward__dx__gate_constant(dout, x):
    """You took the gate for a constant. It moves with x as well, and two uses add."""
    return dout * 0.5 * (1 + _bend(x))


def gelu_tanh_backward__dx__gate_only(dout, x):
    """This is what comes back through the gate. x is also the factor beside it, and two uses add."""
    return dout * 0.5 * x * (1 - _bend(x) ** 2) * ROOT * (1 + 3 * CUBIC * x**2)


def gelu_tanh_backward__dx__inner_slope_forgotten(dout, x):
    """You left out the slope of what is inside tanh: the root, and the polynomial."""
    bend = _bend(x)
    return dout * (0.5 * (1 + bend) + 0.5 * x * (1 - bend**2))


def gelu_tanh_backward__dx__polynomial_forgotten(dout, x):
    """Inside tanh you kept the root and left out the slope of the polynomial."""
    bend = _bend(x)
    return dout * (0.5 * (1 + bend) + 0.5 * x * (1 - bend**2) * ROOT)


def gelu_tanh_backward__dx__root_forgotten(dout, x):
    """Inside tanh you left out the root of 2 over pi. It stands in front of the whole polynomial."""
    bend = _bend(x)
    return dout * (0.5 * (1 + bend) + 0.5 * x * (1 - bend**2) * (1 + 3 * CUBIC * x**2))


def gelu_tanh_backward__dx__three_forgotten(dout, x):
    """The cube lost its 3. The power comes down as a factor."""
    bend = _bend(x)
    return dout * (0.5 * (1 + bend) + 0.5 * x * (1 - bend**2) * ROOT * (1 + CUBIC * x**2))


def gelu_tanh_backward__dx__cube_kept(dout, x):
    """The cube kept its power. Its slope is three times a square."""
    bend = _bend(x)
    return dout * (0.5 * (1 + bend) + 0.5 * x * (1 - bend**2) * ROOT * (1 + 3 * CUBIC * x**3))


def gelu_tanh_backward__dx__square_of_tanh_forgotten(dout, x):
    """In the slope of tanh the square is missing."""
    bend = _bend(x)
    return dout * (0.5 * (1 + bend) + 0.5 * x * (1 - bend) * ROOT * (1 + 3 * CUBIC * x**2))


def gelu_tanh_backward__dx__half_forgotten(dout, x):
    """In the part through the gate the half is missing. The gate is half of 1 + tanh."""
    bend = _bend(x)
    return dout * (0.5 * (1 + bend) + x * (1 - bend**2) * ROOT * (1 + 3 * CUBIC * x**2))


def gelu_tanh_backward__dx__factor_forgotten(dout, x):
    """On the way through the gate you left out the x that it is multiplied by."""
    bend = _bend(x)
    return dout * (0.5 * (1 + bend) + 0.5 * (1 - bend**2) * ROOT * (1 + 3 * CUBIC * x**2))


def gelu_tanh_backward__dx__of_the_exact_one(dout, x):
    """This is the gradient of the exact gelu. It is near, and the forward here goes by tanh."""
    return dout * (_below(x) + x * _normal(x))


def gelu_tanh_backward__dx__upstream_missing(x):
    """This is the slope alone. What comes back from the output has to be multiplied by it."""
    bend = _bend(x)
    return 0.5 * (1 + bend) + 0.5 * x * (1 - bend**2) * ROOT * (1 + 3 * CUBIC * x**2)
