import torch


def linear_backward(dout, x, W):
    b = torch.zeros(W.shape[1])
    return torch.func.vjp(lambda x, W, b: x @ W + b, x, W, b)[1](dout)
