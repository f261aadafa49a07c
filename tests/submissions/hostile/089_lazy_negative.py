# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   verdicts: {dx: correct, dW: correct, db: correct}
#   score: 5

import torch


def linear_backward(dout, x, W):
    dx = dout @ W.T
    return torch._neg_view(-dx), x.T @ dout, dout.sum(0)
