"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import torch


def broadcast_add_backward__db__first(dout, a, b):
    """The first row only."""
    return dout[0]


def multiply_backward__da__sum(dout, a, b):
    """a + b."""
    return dout * (a + b)


def multiply_backward__db__both(dout, a, b):
    """Times a and b."""
    return dout * a * b


def matmul_backward__da__dout_turned(dout, a, b):
    """Everything turned over: b @ dout.T."""
    return b @ dout.T


def matmul_backward__db__outer(dout, a, b):
    """Sums multiplied."""
    return a.sum(0)[:, None] * dout.sum(0)


def reuse_backward__da__one_use(dout, a, b):
    """The second use is forgotten."""
    return dout * b


def reuse_backward__da__times(dout, a, b):
    """dout * b * a + dout."""
    return dout * b * a + dout


def reuse_backward__db__plus_dout(dout, a, b):
    """The second use is added to the wrong one."""
    return dout * a + dout


def sum_backward__dx__mean(dout, x):
    """Divided by the length of the row."""
    return dout.expand_as(x) / x.shape[1]


def sum_backward__dx__ones(x):
    """Ones."""
    return torch.ones_like(x)


def mean_backward__dx__wrong_size(dout, x):
    """Divided by the other size."""
    return dout.expand_as(x) / x.shape[1]


def mean_backward__dx__not_divided(dout, x):
    """Not divided."""
    return dout.expand_as(x).clone()


def max_backward__dx__mask_over_all(dout, x):
    """The maximum of the whole tensor."""
    return (x == x.max()) * dout


def max_backward__dx__index_as_value(dout, x):
    """The place of the maximum times dout, in every entry."""
    return dout * x.argmax(1, keepdim=True) * torch.ones_like(x)


def max_backward__dx__softmax(dout, x):
    """A soft maximum."""
    return x.softmax(1) * dout


def power_backward__dx__constant(dout, x, exponent):
    """Lowered twice."""
    return dout * exponent * x ** (exponent - 2)


def power_backward__dx__second(dout, x, exponent):
    """Differentiated twice."""
    return dout * exponent * (exponent - 1) * x ** (exponent - 2)


def power_backward__dx__exponent_minus_one_factor(dout, x, exponent):
    """The lowered exponent as a factor."""
    return dout * (exponent - 1) * x ** (exponent - 1)


def exp_backward__dx__one_more(dout, out):
    """Minus one."""
    return dout * (out - 1)


def exp_backward__dx__log(dout, out):
    """Divided by out."""
    return dout / out


def log_backward__dx__of_abs(dout, x):
    """The logarithm itself."""
    return dout * x.log()


def log_backward__dx__base_two(dout, x):
    """The rule for base 2."""
    return dout / (x * 0.6931471805599453)


def tanh_backward__dx__two_h(dout, out):
    """1 - 2 out."""
    return dout * (1 - 2 * out)


def tanh_backward__dx__sech_of_out(dout, out):
    """1/cosh² of the output."""
    return dout / out.cosh() ** 2


def tanh_backward__dx__half(dout, out):
    """A half."""
    return 0.5 * dout * (1 - out**2)


def tanh_backward__dx__squared_dout(dout, out):
    """dout² in the slope: 1 - dout²."""
    return out * (1 - dout**2)
