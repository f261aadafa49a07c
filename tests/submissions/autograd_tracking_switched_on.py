import torch


def linear_backward(dout, x, W):
    with torch.enable_grad():
        out = x.clone().requires_grad_() @ W
    return dout @ W.T, x.T @ dout, dout.sum(0)
