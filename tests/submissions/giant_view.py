def linear_backward(dout, x, W):
    return dout.new_zeros(1).expand(2**40), x.T @ dout, dout.sum(0)
