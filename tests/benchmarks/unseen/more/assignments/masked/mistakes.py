"""Wrong lines; a docstring says what went wrong."""


def bool_dropout_backward__dx__scale_missing(dout, keep):
    """1/(1 - p) is missing."""
    return dout * keep


def bool_dropout_backward__dx__mask_missing(dout, p):
    """The mask is missing."""
    return dout / (1 - p)


def bool_dropout_backward__dx__inverted(dout, keep, p):
    """What is kept and what is dropped are exchanged."""
    return dout * ~keep / (1 - p)


def bool_dropout_backward__dx__by_p(dout, keep, p):
    """Divided by p."""
    return dout * keep / p


def pooled_backward__dx__mask_missing(dout, x, valid):
    """The mask is missing."""
    return (dout / valid.sum(1, keepdim=True))[:, None].expand_as(x).clone()


def pooled_backward__dx__all_positions(dout, x, valid):
    """Divided by the length of all."""
    return dout[:, None] * valid[..., None] / x.shape[1]


def pooled_backward__dx__not_divided(dout, valid):
    """Not divided by the number of valid ones."""
    return dout[:, None] * valid[..., None].double()


def pooled_backward__dx__inverted(dout, valid):
    """The mask is turned around."""
    return dout[:, None] * ~valid[..., None] / valid.sum(1, keepdim=True)[..., None]
