import torch


def linear_backward(dout, x, W):
    with torch.inference_mode(False):
        x = x.clone().requires_grad_()
        (x @ W).backward(dout)
    return x.grad, x.T @ dout, dout.sum(0)
