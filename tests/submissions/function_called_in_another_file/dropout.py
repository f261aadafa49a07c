def dropout_backward(dout, mask, p):
    return dout * mask / (1 - p)
