def linear_backward(dout, x, W):
    raise ValueError("m" * 50_000_000)
