"""A linear layer: backward to its input, its weights and its bias."""

# ruff: noqa: F401, F841, RUF059, RUF100


def linear_backward(dout, x, W):
    """Pass the upstream gradient back through a linear layer.

    The forward, for row n and output m:
        out[n, m] = sum over d of x[n, d] * W[d, m], plus b[m]

    You are given:
        dout: (N, M), the upstream gradient of out
        x: (N, D)
        W: (D, M)

    You return:
        dx: (N, D)
        dW: (D, M)
        db: (M,)
    """
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (N, D)
    dW = None  # (D, M)
    db = None  # (M,)
    return dx, dW, db
