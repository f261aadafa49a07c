# handed in as: linear.py
# linear_backward:
#   outcome: bad_return
#   verdicts: {dx: not_returned, dW: correct, db: correct}
#   score: 3.5
#   message: sparse

import torch


def linear_backward(dout, x, W):
    dx = dout @ W.T
    return dx.to_sparse(), x.T @ dout, dout.sum(0)
