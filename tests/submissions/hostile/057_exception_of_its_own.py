class Own(BaseException):
    pass


def linear_backward(dout, x, W):
    raise Own("mine")
