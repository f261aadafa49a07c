def linear_backward(dout, x, W):
    dx = dout @ W.T
    return None, x.T @ dout, dout.sum(0)
