"""Inverted dropout, alone and after a tanh: backward through the mask that the forward drew."""

# ruff: noqa: F401, F841, RUF059, RUF100


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
    raise NotImplementedError("dropout_backward is not written yet")


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
    raise NotImplementedError("tanh_dropout_backward is not written yet")
