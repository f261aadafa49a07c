# handed in as: linear.py
# linear_backward: {outcome: returned, score: 5}

from collections import namedtuple

Gradients = namedtuple('Gradients', 'dx dW db')


def linear_backward(dout, x, W):
    return Gradients(dout @ W.T, x.T @ dout, dout.sum(0))
