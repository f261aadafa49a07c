import time


def linear_backward(dout, x, W):
    time.sleep(1e9)
