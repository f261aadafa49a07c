# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   verdicts: {dx: correct, dW: wrong_dtype, db: correct}
#   says: "torch.complex128, expected torch.float64"

import torch


def linear_backward(dout, x, W):
    return dout @ W.T, torch.complex(x.T @ dout, x.T @ dout), dout.sum(0)
