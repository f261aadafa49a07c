def layernorm_backward__dx__only_the_direct_way(dout, cache):
    """You went back through x_hat as if mean and var were constants. Both were computed from x."""
    return dout * cache.gamma / (cache.var + cache.ln_param["eps"]).sqrt()


def layernorm_backward__dgamma__with_x(dout, cache):
    """You multiplied by x. gamma was multiplied by x_hat."""
    return (dout * cache.x).sum(0)


def softmax_loss__dx__not_averaged(x, y):
    """You added up the rows. The loss is their mean."""
    made = x.softmax(1)
    made[range(len(y)), y] -= 1
    return made
