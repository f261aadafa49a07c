"""A residual block: the backward pass where the input is used twice."""


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
    # BEGIN SOLUTION
    # out = x + h: the addition passes dout on whole, to both.
    dx = dout.clone()  # (N, D)
    dh = dout.clone()  # (N, D)
    # h = tanh(h_preact)
    dh_preact = (1.0 - h**2) * dh  # (N, D)
    # h_preact = x @ W + b
    dx += dh_preact @ W.T  # the second use of x adds to the first
    dW = x.T @ dh_preact  # (D, D)
    db = dh_preact.sum(dim=0)  # (D,)
    # END SOLUTION
    return dx, dW, db
