"""Wrong gradients of a linear layer. Each docstring is what the student is told."""

import torch


def linear_backward__dx__weights_not_transposed(dout, W):
    """You multiplied by W as it stands. W leads from inputs to outputs, and a gradient goes the other way."""
    return dout @ W


def linear_backward__dx__transposed(dout, W):
    """Your numbers are right and stand on their side: rows and columns are swapped. dx has the shape of x."""
    return W @ dout.T


def linear_backward__dx__upstream_missing(dout, W):
    """Your answer does not depend on dout. Every output passes back its own upstream gradient, through its weight."""
    return torch.ones_like(dout) @ W.T


def linear_backward__dx__averaged(dout, W):
    """You divided by the number of rows. Nothing in this forward is a mean; a mean loss has its share in dout."""
    return dout @ W.T / len(dout)


def linear_backward__dx__first_output_only(dout, W):
    """You followed one output. Each input reaches every output of its row, and what comes back is added up."""
    return dout[:, :1] * W[:, 0]


def linear_backward__dx__sums_multiplied(dout, W):
    """You summed before you multiplied. Each output has a weight of its own, so the product comes first."""
    return dout.sum(1, keepdim=True) * W.sum(1)


def linear_backward__dW__transposed(dout, x):
    """Your dW lies on its side: it has the layout of nn.Linear.weight, and W here is (inputs, outputs)."""
    return dout.T @ x


def linear_backward__dW__averaged(dout, x):
    """You divided by the number of rows. Nothing in this forward is a mean; a mean loss has its share in dout."""
    return x.T @ dout / len(x)


def linear_backward__dW__upstream_missing(dout, x):
    """Your answer does not depend on dout. A weight matters as much as the output that it feeds."""
    return x.T @ torch.ones_like(dout)


def linear_backward__dW__inputs_missing(dout, x):
    """Your answer does not depend on x. A weight is multiplied by its input, so the input scales its gradient."""
    return torch.ones_like(x).T @ dout


def linear_backward__dW__first_row_only(dout, x):
    """You used the first row. Every row goes through the same weights, and what comes back is added up."""
    return x[0].outer(dout[0])


def linear_backward__dW__last_row_only(dout, x):
    """You kept the last row: a loop that assigns replaces what came before. The rows must be added up."""
    return x[-1].outer(dout[-1])


def linear_backward__dW__sums_multiplied(dout, x):
    """You summed over the rows before you multiplied. That mixes the inputs of one row with the outputs of another."""
    return x.sum(0).outer(dout.sum(0))


def linear_backward__dW__rows_not_summed(dout, x):
    """You have one matrix for each row. All rows share one W, so their gradients are added up."""
    return x[:, :, None] * dout[:, None, :]


def linear_backward__db__not_summed(dout):
    """You returned the upstream gradient. b was added to every row, so its gradient collects over them."""
    return dout


def linear_backward__db__averaged(dout):
    """You took the mean over the rows. A value used in every row collects all of what comes back, not a share."""
    return dout.mean(0)


def linear_backward__db__wrong_axis(dout):
    """You summed over the outputs. Each output has its own entry of b; it is the rows that share it."""
    return dout.sum(1)


def linear_backward__db__axis_kept(dout):
    """The numbers are right and the shape is not. b has one axis, and yours has a row axis of size 1."""
    return dout.sum(0, keepdim=True)


def linear_backward__db__upstream_missing(dout):
    """You returned ones. Each output passes its upstream gradient on to its bias."""
    return torch.ones(dout.shape[1])


def linear_backward__db__rows_counted(dout):
    """You counted the rows. That is the answer for an upstream gradient of ones, and dout is not ones."""
    return torch.ones_like(dout).sum(0)


def linear_backward__db__all_in_one(dout):
    """You summed everything to one number. Each output has its own entry of b."""
    return dout.sum()
