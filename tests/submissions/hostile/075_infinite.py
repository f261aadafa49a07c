def linear_backward(dout, x, W):
    dx = dout @ W.T
    return dx / 0.0, x.T @ dout, dout.sum(0)
