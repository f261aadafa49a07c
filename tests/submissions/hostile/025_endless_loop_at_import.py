# handed in as: linear.py
# linear_backward: {outcome: timed_out, message: loading linear.py did not finish, score: 0}

while True:
    pass


def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout.sum(0)
