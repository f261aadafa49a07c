# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   score: 5
#   flags: [built_while_loading]

import torch


def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout.sum(0)


def check():
    x, W = torch.randn(5, 3, requires_grad=True), torch.randn(3, 4, requires_grad=True)
    out = x @ W
    dout = torch.randn(5, 4)
    (out * dout).sum().backward()
    dx, dW, _ = linear_backward(dout, x.detach(), W.detach())
    assert torch.allclose(dx, x.grad)
    assert torch.allclose(dW, W.grad)
    return out


out = check()
if __name__ == "__main__":
    check()
