def linear_backward(dout, x, W):
    dx = dout @ W.T
    dx[-1, -1] = -float('inf')
    return dx, x.T @ dout, dout.sum(0)
