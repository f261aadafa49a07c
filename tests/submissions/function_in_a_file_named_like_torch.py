# handed in as: torch.py
# linear_backward: {outcome: returned, score: 5}

import torch


def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, torch.sum(dout, 0)
