def linear_backward(dout, x, W):
    dx = dout @ W.T
