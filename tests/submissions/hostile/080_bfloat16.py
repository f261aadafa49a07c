def linear_backward(dout, x, W):
    dx = dout @ W.T
    return dx.bfloat16(), x.T @ dout, dout.sum(0)
