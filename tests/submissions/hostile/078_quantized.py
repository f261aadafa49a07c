# handed in as: linear.py
# linear_backward:
#   outcome: bad_return
#   verdicts: {dx: not_returned, dW: correct, db: correct}
#   score: 3.5
#   message: quantized

import torch


def linear_backward(dout, x, W):
    dx = dout @ W.T
    return torch.quantize_per_tensor(dx.float(), 0.1, 0, torch.qint8), x.T @ dout, dout.sum(0)
