def linear_backward(dout, x, W):
    yield dout @ W.T
    yield x.T @ dout
    yield dout.sum(0)
