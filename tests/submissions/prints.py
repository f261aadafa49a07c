def linear_backward(dout, x, W):
    print('dout is', tuple(dout.shape))
    return dout @ W.T, x.T @ dout, dout.sum(0)
