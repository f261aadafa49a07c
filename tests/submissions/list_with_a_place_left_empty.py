def linear_backward(dout, x, W):
    return [None, x.T @ dout, None]
