def linear_backward(dout, x, W):
    dx = dout @ W.T
    return dx * 1e300 * 1e300, x.T @ dout, dout.sum(0)
