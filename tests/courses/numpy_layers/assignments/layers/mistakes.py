def affine_backward__db__mean_of_the_rows(dout):
    """You averaged over the rows. b was added to each of them, so its gradient is their sum."""
    return dout.mean(0)


def relu_backward__dx__mask_of_dout(dout):
    """You kept what is positive in dout. It is the sign of x that decides."""
    return dout * (dout > 0)


def batchnorm_backward__dx__only_the_direct_way(dout, cache):
    """You went back through x_hat as if mean and var were constants. Both were computed from x."""
    return dout * cache.gamma / (cache.var + cache.eps).sqrt()


def batchnorm_backward__dgamma__with_x(dout, cache):
    """You multiplied by x. gamma was multiplied by x_hat."""
    return (dout * cache.x).sum(0)


def batchnorm_steps_backward__dvar__without_the_half(cache, d):
    """You lost the 1/2 that the square root brings."""
    return -(d.dx_hat * (cache.x - cache.mean)).sum(0) * (cache.var + cache.eps) ** -1.5


def dropout_backward__dx__not_scaled(dout, cache):
    """You left out what was scaled: what stays is divided by 1 - p."""
    return dout * cache.mask


def dropout_backward__dx__divided_by_p(dout, cache):
    """You divided by p, the share that is dropped. The forward divides by 1 - p."""
    return dout * cache.mask / cache.dropout_param["p"]
