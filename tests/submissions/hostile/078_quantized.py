import torch


def linear_backward(dout, x, W):
    dx = dout @ W.T
    return torch.quantize_per_tensor(dx.float(), 0.1, 0, torch.qint8), x.T @ dout, dout.sum(0)
