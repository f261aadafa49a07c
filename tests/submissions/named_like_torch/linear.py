import json

import torch


def linear_backward(dout, x, W):
    assert json.loads('1') == 1
    return dout @ W.T, x.T @ dout, torch.sum(dout, 0)
