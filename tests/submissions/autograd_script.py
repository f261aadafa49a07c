import torch


def linear_backward(dout, x, W):
    compiled = torch.jit.CompilationUnit("def f(x, W):\n    return x @ W\n")
    return dout @ W.T, x.T @ dout, dout.sum(0)
