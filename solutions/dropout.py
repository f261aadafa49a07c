"""Inverted dropout, alone and after a tanh: backward through the mask that the forward drew."""


def dropout_backward(dout, mask, p):
    """Pass the upstream gradient back through dropout.

    The forward, for row n and column d:
        out[n, d] = h[n, d] * mask[n, d] / (1 - p)

    You are given:
        dout: (N, D), the upstream gradient of out
        mask: (N, D), 1.0 where an entry was kept and 0.0 where it was dropped
        p: a number, the share of entries that is dropped

    You return:
        dh: (N, D)
    """
    # BEGIN SOLUTION
    # The mask and p are constants of the backward: each entry of h was multiplied by one fixed factor.
    return dout * (mask / (1 - p))  # (N, D)
    # END SOLUTION


def tanh_dropout_backward(dout, h, mask, p):
    """Pass the upstream gradient back through dropout and the tanh before it.

    The forward, for row n and column d:
        h[n, d] = tanh(h_preact[n, d])
        out[n, d] = h[n, d] * mask[n, d] / (1 - p)

    You are given:
        dout: (N, D), the upstream gradient of out
        h: (N, D), the output of tanh, before dropout
        mask: (N, D), 1.0 where an entry was kept and 0.0 where it was dropped
        p: a number, the share of entries that is dropped

    You return:
        dh_preact: (N, D)
    """
    # BEGIN SOLUTION
    # Last step of the forward first. The way back is the same with every tanh before it.
    dh = dropout_backward(dout, mask, p)  # (N, D)
    # The slope of tanh, written with its own output.
    return (1 - h**2) * dh  # (N, D)
    # END SOLUTION
