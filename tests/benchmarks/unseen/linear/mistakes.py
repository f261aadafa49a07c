"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import torch


def linear_backward__dx__summed_weights(dout, W):
    """dout's row sum times W's row sum."""
    return dout.sum(1, keepdim=True) * W.sum(1)


def linear_backward__dx__averaged_outputs(dout, W):
    """Divided by the number of outputs."""
    return dout @ W.T / W.shape[1]


def linear_backward__dx__plus_bias(dout, x, W):
    """x is added."""
    return dout @ W.T + x


def linear_backward__dW__divided_by_inputs(dout, x):
    """Divided by the number of inputs."""
    return x.T @ dout / x.shape[1]


def linear_backward__dW__outer_of_means(dout, x):
    """Means are multiplied."""
    return x.mean(0)[:, None] * dout.mean(0)[None]


def linear_backward__dW__weights_added(dout, x, W):
    """As with weight decay: W is added."""
    return x.T @ dout + W


def linear_backward__db__of_x(x, dout, W):
    """Multiplied by the weights first."""
    return (dout @ W.T @ W).sum(0)


def linear_backward__db__summed_twice(dout):
    """Everything is added up."""
    return dout.sum() + torch.zeros_like(dout[0])


def linear_backward__db__first_row(dout):
    """The first row."""
    return dout[0]
