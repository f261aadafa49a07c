# handed in as: linear.py
# linear_backward:
#   outcome: autograd_used
#   message: "torch.compile was used: write the backward pass by hand"
#   line: 12
#   score: 0

import torch


def linear_backward(dout, x, W):
    dx = torch.compile(lambda: dout @ W.T)()
    return dx, x.T @ dout, dout.sum(0)
