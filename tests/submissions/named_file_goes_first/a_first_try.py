def linear_backward(dout, x, W):
    raise ValueError('the wrong one')
