# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   score: 5
#   flags: []

import torch


def linear_backward(dout, x, W):
    db = torch.zeros(W.shape[1])
    for _ in range(400):
        for row in dout:
            db += row / 400 * 0
    return dout @ W.T, x.T @ dout, db + dout.sum(0)
