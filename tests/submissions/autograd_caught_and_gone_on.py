import torch


def linear_backward(dout, x, W):
    try:
        return torch.autograd.grad(x, x)
    except Exception:
        return dout @ W.T, x.T @ dout, dout.sum(0)
