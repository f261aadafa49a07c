from collections import namedtuple

Gradients = namedtuple('Gradients', 'dx dW db')


def linear_backward(dout, x, W):
    return Gradients(dout @ W.T, x.T @ dout, dout.sum(0))
