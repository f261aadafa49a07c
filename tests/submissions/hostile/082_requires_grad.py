def linear_backward(dout, x, W):
    dx = dout @ W.T
    return dx.requires_grad_(), x.T @ dout, dout.sum(0)
