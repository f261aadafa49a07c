# handed in as: linear.py
# linear_backward: {outcome: returned, score: 5, flags: [requires_grad]}

import torch


def linear_backward(dout, x, W):
    return torch.nn.Parameter(dout @ W.T), x.T @ dout, dout.sum(0)
