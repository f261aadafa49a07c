import torch


def linear_backward(dout, x, W):
    image, kernel = x.T[None], W.T[:, :, None]
    dx = torch.nn.grad.conv1d_input(image.shape, kernel, dout.T[None])[0].T
    return dx, x.T @ dout, dout.sum(0)
