import torch


def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, torch.sum(dout, 0)
