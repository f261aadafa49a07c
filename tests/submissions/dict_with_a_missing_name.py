def linear_backward(dout, x, W):
    return {"db": dout.sum(0), "dx": dout @ W.T}
