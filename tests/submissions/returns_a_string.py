def linear_backward(dout, x, W):
    return "done"
