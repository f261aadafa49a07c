def linear_backward(dout, x, W):
    dx = dout @ W.T
    dW = x.T @ dout
    db = dout.sum(0) / 0 + undefined
    return dx, dW, db
