def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout.sum(0)


print(undefined)
