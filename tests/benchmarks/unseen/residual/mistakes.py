"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""


def residual_backward__dx__skip_through_tanh(dout, W, h):
    """The skip is passed through tanh as well."""
    g = dout * (1 - h**2)
    return g + g @ W.T


def residual_backward__dx__skip_twice(dout, W, h):
    """The skip is counted twice."""
    return 2 * dout + (dout * (1 - h**2)) @ W.T


def residual_backward__dx__skip_is_x(dout, x, W, h):
    """x is added in place of dout."""
    return x + (dout * (1 - h**2)) @ W.T


def residual_backward__dx__tanh_skipped(dout, W):
    """The slope of tanh is missing in the branch."""
    return dout + dout @ W.T


def residual_backward__dx__minus(dout, W, h):
    """The branch is subtracted."""
    return dout - (dout * (1 - h**2)) @ W.T


def residual_backward__dW__h_as_input(dout, h):
    """h where x belongs."""
    return h.T @ (dout * (1 - h**2))


def residual_backward__dW__of_out(dout, x, h):
    """x + h where x belongs."""
    return (x + h).T @ (dout * (1 - h**2))


def residual_backward__dW__slope_at_out(dout, x, h):
    """The slope at x + h."""
    return x.T @ (dout * (1 - (x + h) ** 2))


def residual_backward__db__slope_of_sum(dout, h):
    """The sum is taken before the slope is multiplied in."""
    return dout.sum(0) * (1 - h**2).sum(0)


def residual_backward__db__slope_only(dout, h):
    """The slope alone."""
    return (1 - h**2).sum(0)


def residual_backward__db__mean(dout, h):
    """A mean."""
    return (dout * (1 - h**2)).mean(0)
