import torch


def linear_backward(dout, x, W):
    dx = dout @ W.T
    return torch.nested.nested_tensor([dx[0], dx[0]]), x.T @ dout, dout.sum(0)
