def linear_backward(dout, x, W):
    return {"dx": dout @ W.T, "dw": x.T @ dout}
