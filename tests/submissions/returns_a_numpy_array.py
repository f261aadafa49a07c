def linear_backward(dout, x, W):
    return (dout @ W.T).numpy(), x.T @ dout, dout.sum(0)
