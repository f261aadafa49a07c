# handed in as: linear.py
# linear_backward: {outcome: raised, message: "NotImplementedError", line: 8}

import torch


def linear_backward(dout, x, W):
    return torch.sparse_coo_tensor([[0], [0]], [1.0], (2, 2)).sort(), x, W
