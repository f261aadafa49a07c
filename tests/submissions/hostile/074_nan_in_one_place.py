def linear_backward(dout, x, W):
    dx = dout @ W.T
    dx[0, 0] = float('nan')
    return dx, x.T @ dout, dout.sum(0)
