# handed in as: linear.py
# linear_backward: {outcome: returned, score: 5}

import torch


def linear_backward(dout, x, W):
    dx, dW, db = torch.zeros(x.shape), torch.zeros(W.shape), torch.zeros(W.shape[1])
    for row, upstream in enumerate(dout):
        dx[row] += upstream @ W.T
        dW += x[row].outer(upstream)
        db += upstream
    return dx, dW, db
