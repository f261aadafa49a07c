# handed in as: linear.py
# linear_backward:
#   outcome: autograd_used
#   message: "the operator tanh_backward was used: write the backward pass by hand"
#   line: 13
#   score: 0

import torch


def linear_backward(dout, x, W):
    out = torch.tanh(x)
    torch.ops.aten.tanh_backward(dout @ W.T, out)
    return dout @ W.T, x.T @ dout, dout.sum(0)
