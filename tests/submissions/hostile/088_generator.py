# handed in as: linear.py
# linear_backward: {outcome: bad_return, message: generator, score: 0}

def linear_backward(dout, x, W):
    yield dout @ W.T
    yield x.T @ dout
    yield dout.sum(0)
