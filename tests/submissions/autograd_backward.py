import torch


def linear_backward(dout, x, W):
    x, W, b = x.clone().requires_grad_(), W.clone().requires_grad_(), torch.zeros(W.shape[1], requires_grad=True)
    (x @ W + b).backward(dout)
    return x.grad, W.grad, b.grad
