def linear_backward(dout, x, W):
    return dout @ W.T, (x.T @ dout).to_sparse(), dout.sum(0)
