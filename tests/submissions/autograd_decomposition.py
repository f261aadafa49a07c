from torch._decomp.decompositions import tanh_backward


def linear_backward(dout, x, W):
    tanh_backward(dout, dout)
    return dout @ W.T, x.T @ dout, dout.sum(0)
