import torch


def linear_backward(dout, x, W):
    _, (dx, dW) = torch.autograd.functional.vjp(lambda x, W: x @ W, (x, W), dout)
    return dx, dW, dout.sum(0)
