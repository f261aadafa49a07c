def linear_backward(dout, x, weights):
    return None
