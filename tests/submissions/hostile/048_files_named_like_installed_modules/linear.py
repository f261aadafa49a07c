import json

import numpy
import torch

print(torch.__file__, numpy.__file__, json.__file__)


def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout.sum(0)
