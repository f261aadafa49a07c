def linear_backward(dout, x, W):
    while True:
        pass
