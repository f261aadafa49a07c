import torch


def linear_backward(dout, x, W):
    out = torch.tanh(x)
    torch.ops.aten.tanh_backward(dout @ W.T, out)
    return dout @ W.T, x.T @ dout, dout.sum(0)
