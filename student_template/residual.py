"""A residual block: the backward pass where the input is used twice."""

# ruff: noqa: F401, F841, RUF059, RUF100


def residual_backward(dout, x, W, h):
    """Backward of out = x + h, where h = tanh(x @ W + b).

    Forward, entry by entry: h_preact[n, j] = (sum over i of x[n, i] * W[i, j]) + b[j],
    h[n, j] = tanh(h_preact[n, j]), out[n, j] = x[n, j] + h[n, j].

    Given:
    - dout: gradient of out, of shape (N, D)
    - x: the input of the block, of shape (N, D)
    - W: the weights, square, of shape (D, D)
    - h: what tanh returned in the forward, of shape (N, D)

    Return, in this order:
    - dx: gradient of x, of shape (N, D)
    - dW: gradient of W, of shape (D, D)
    - db: gradient of b, of shape (D,)
    """
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (N, D)
    dW = None  # (D, D)
    db = None  # (D,)
    return dx, dW, db
