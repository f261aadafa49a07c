# handed in as: linear.py
# linear_backward:
#   outcome: autograd_used
#   message: "torch.jit.CompilationUnit was used: write the backward pass by hand"
#   line: 12
#   score: 0

import torch


def linear_backward(dout, x, W):
    compiled = torch.jit.CompilationUnit("def f(x, W):\n    return x @ W\n")
    return dout @ W.T, x.T @ dout, dout.sum(0)
