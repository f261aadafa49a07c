"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""


def dropout_backward__dh__mask_and_scale_added(dout, mask, p):
    """A plus in place of a product."""
    return dout * (mask + 1 / (1 - p))


def dropout_backward__dh__scale_negative(dout, mask, p):
    """Divided by p - 1."""
    return dout * mask / (p - 1)


def dropout_backward__dh__mask_divided(dout, mask, p):
    """Precedence: dout * mask / 1 - p."""
    return dout * mask / 1 - p


def dropout_backward__dh__one_plus_p(dout, mask, p):
    """1 + p."""
    return dout * mask / (1 + p)


def tanh_dropout_backward__dh_preact__mask_after_square(dout, h, mask, p):
    """The mask goes into the square: 1 - (h * mask)**2, and not outside."""
    return dout * (1 - (h * mask) ** 2) / (1 - p)


def tanh_dropout_backward__dh_preact__scaled_h(dout, h, mask, p):
    """The output of dropout is used in the slope of tanh, mask outside."""
    return dout * mask / (1 - p) * (1 - (h * mask / (1 - p)) ** 2)


def tanh_dropout_backward__dh_preact__order(dout, h, mask, p):
    """dout minus h squared, then dropout."""
    return (dout - h**2) * mask / (1 - p)


def tanh_dropout_backward__dh_preact__cube(dout, h, mask, p):
    """A cube."""
    return dout * mask / (1 - p) * (1 - h**3)


def tanh_dropout_backward__dh_preact__mask_squared_scale(dout, h, mask, p):
    """Scaled by (1 - p) in place of its inverse."""
    return dout * mask * (1 - p) * (1 - h**2)
