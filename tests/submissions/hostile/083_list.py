def linear_backward(dout, x, W):
    dx = dout @ W.T
    return dx.tolist(), x.T @ dout, dout.sum(0)
