def linear_backward(dout, x, W):
    numbers = [0.0] * 10**9
    return numbers
