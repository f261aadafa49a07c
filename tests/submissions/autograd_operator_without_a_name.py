# handed in as: linear.py
# linear_backward:
#   outcome: autograd_used
#   score: 0
#   flags: [backward_operator, torch_inside]

import torch


operator, _ = torch._C._jit_get_operation("aten::tanh_backward")


def linear_backward(dout, x, W):
    operator(dout, dout)
    return dout @ W.T, x.T @ dout, dout.sum(0)
