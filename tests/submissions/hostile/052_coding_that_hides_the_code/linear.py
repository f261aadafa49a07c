# coding: unicode_escape
def linear_backward(dout, x, W):
    \x72eturn dout @ W.T, x.T @ dout, dout.sum(0)
