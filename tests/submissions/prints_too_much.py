def linear_backward(dout, x, W):
    while True:
        print('x' * 1000)
