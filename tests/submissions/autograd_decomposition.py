# handed in as: linear.py
# linear_backward:
#   outcome: autograd_used
#   message: "torch._decomp.decompositions.tanh_backward was used: write the backward pass by hand"
#   line: 13
#   score: 0
#   flags: [torch_inside]

from torch._decomp.decompositions import tanh_backward


def linear_backward(dout, x, W):
    tanh_backward(dout, dout)
    return dout @ W.T, x.T @ dout, dout.sum(0)
