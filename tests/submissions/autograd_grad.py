import torch


def linear_backward(dout, x, W):
    x, W, b = x.clone().requires_grad_(), W.clone().requires_grad_(), torch.zeros(W.shape[1], requires_grad=True)
    return torch.autograd.grad(x @ W + b, (x, W, b), dout)
