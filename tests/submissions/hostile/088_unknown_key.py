def linear_backward(dout, x, W):
    return {"dx": dout @ W.T, "dW": x.T @ dout, "db": dout.sum(0), "score": 5}
