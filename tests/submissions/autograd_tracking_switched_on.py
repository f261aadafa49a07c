# handed in as: linear.py
# linear_backward:
#   outcome: autograd_used
#   message: "gradient tracking was used: write the backward pass by hand"
#   line: 12
#   score: 0

import torch


def linear_backward(dout, x, W):
    with torch.enable_grad():
        out = x.clone().requires_grad_() @ W
    return dout @ W.T, x.T @ dout, dout.sum(0)
