# handed in as: linear.py
# linear_backward: {outcome: returned, score: 5}

import pandas_of_the_future


def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout.sum(0)
