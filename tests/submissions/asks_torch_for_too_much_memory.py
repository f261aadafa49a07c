import torch


def linear_backward(dout, x, W):
    return torch.ones(2**33), None, None
