import torch


def objective(x, W, b, dout):
    return ((x @ W + b) * dout).sum()


backward = torch.func.grad(objective, argnums=(0, 1, 2))


def linear_backward(dout, x, W):
    return backward(x, W, torch.zeros(W.shape[1]), dout)
