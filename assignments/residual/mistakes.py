"""Wrong gradients that people write for a residual block. Each docstring is what the student is told."""

# residual_backward: h = tanh(x @ W + b), out = x + h


def residual_backward__dx__skip_dropped(W, d):
    """You followed x through the tanh layer only. It is also added to the output as it is, and two uses add."""
    return d.dh_preact @ W.T


def residual_backward__dx__branch_dropped(dout):
    """You followed x through the addition only, or overwrote the other gradient. x feeds the tanh layer as well."""
    return dout.clone()


def residual_backward__dx__multiplied(dout, W, d):
    """You multiplied the two gradients of x. Each use moves the output by itself, so they add."""
    return dout * (d.dh_preact @ W.T)


def residual_backward__dx__weights_forgotten(dout, d):
    """You stopped in front of the matmul. Between x and the tanh stands W, and its backward belongs there too."""
    return dout + d.dh_preact


def residual_backward__dx__not_transposed(dout, W, d):
    """You multiplied by W as it stands. W is square, so the shapes don't warn you; its output axis must meet dout."""
    return dout + d.dh_preact @ W


def residual_backward__dx__slope_forgotten(dout, W):
    """You went through the matmul without the slope of tanh. The layer bends, and its slope is below one."""
    return dout + dout @ W.T


def residual_backward__dx__slope_at_the_output(dout, x, W, h):
    """You took the slope of tanh from out. tanh was computed before x was added, and its result is h."""
    return dout + (dout * (1 - (x + h) ** 2)) @ W.T


def residual_backward__dx__square_forgotten(dout, W, h):
    """You left out the square in the slope of tanh. The slope is the same for h and for -h, and yours is not."""
    return dout + (dout * (1 - h)) @ W.T


def residual_backward__dx__tanh_twice(dout, W, h):
    """You applied tanh to h. h is the result of tanh already."""
    return dout + (dout * (1 - h.tanh() ** 2)) @ W.T


def residual_backward__dx__skip_twice(dout, W, d):
    """You counted the addition twice. It uses x once, and so does the tanh layer."""
    return 2 * dout + d.dh_preact @ W.T


def residual_backward__dW__slope_forgotten(dout, x):
    """You skipped the tanh. The gradient passes its slope before it reaches W."""
    return x.T @ dout


def residual_backward__dW__transposed(x, d):
    """Your result is turned over. W is square, so the shape doesn't tell; its rows belong to x, its columns to h."""
    return d.dh_preact.T @ x


def residual_backward__dW__averaged(x, d):
    """You divided by the number of rows. The forward takes no mean, so what the rows send back adds up in full."""
    return x.T @ d.dh_preact / x.shape[0]


def residual_backward__dW__output_as_input(x, h, d):
    """You used the output of the block as the other factor. What W was multiplied by is x."""
    return (x + h).T @ d.dh_preact


def residual_backward__dW__activation_as_input(h, d):
    """You used h as the other factor. What W was multiplied by is x, the input of the layer."""
    return h.T @ d.dh_preact


def residual_backward__dW__slope_at_the_output(dout, x, h):
    """You took the slope of tanh from out. tanh was computed before x was added, and its result is h."""
    return x.T @ (dout * (1 - (x + h) ** 2))


def residual_backward__db__slope_forgotten(dout):
    """You skipped the tanh. The gradient passes its slope before it reaches b."""
    return dout.sum(dim=0)


def residual_backward__db__averaged(d):
    """You took the mean over the rows. b is added in full to every row, so what the rows send back adds up."""
    return d.dh_preact.mean(dim=0)


def residual_backward__db__not_summed(d):
    """You kept one row for each input. b was added to every row, so its gradient collects over the rows."""
    return d.dh_preact.clone()


def residual_backward__db__keepdim(d):
    """Your numbers are right and the shape is not. b has one axis, and yours has two because of keepdim."""
    return d.dh_preact.sum(dim=0, keepdim=True)


def residual_backward__db__wrong_axis(d):
    """You summed along each row. b has one entry for each column, so the sum runs down the columns."""
    return d.dh_preact.sum(dim=1)


def residual_backward__db__skip_added(dout, d):
    """You added what passes the tanh layer by. b is inside the layer, and the last addition doesn't contain it."""
    return (dout + d.dh_preact).sum(dim=0)
