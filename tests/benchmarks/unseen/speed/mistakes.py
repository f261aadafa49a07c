"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import torch


def _norm(cache, dh_preact, gain=True, terms=(1.0, 1.0)):
    n = len(cache.Y)
    scale = (cache.bn_gain if gain else 1.0) * cache.bn_var_inv / n
    a, b = terms
    sums = dh_preact.sum(0), (dh_preact * cache.bn_raw).sum(0)
    return scale * (n * dh_preact - a * sums[0] - b * cache.bn_raw * sums[1])


def fast_mlp_backward__dW1__tanh_forgotten(cache, d):
    """The slope of tanh is missing behind the norm."""
    return cache.emb_cat.T @ _norm(cache, d.dh)


def fast_mlp_backward__dW1__gain_outside_one(cache, d):
    """The gain reaches one term only."""
    n, g = len(cache.Y), d.dh_preact
    rest = g.sum(0) + cache.bn_raw * (g * cache.bn_raw).sum(0)
    return cache.emb_cat.T @ (cache.bn_var_inv / n * (cache.bn_gain * n * g - rest))


def fast_mlp_backward__dW1__not_divided_by_n(cache, d):
    """1/n of the bracket is missing."""
    return cache.emb_cat.T @ _norm(cache, d.dh_preact) * len(cache.Y)


def fast_mlp_backward__dW1__logits_not_averaged(cache, d):
    """1/n of the loss is missing, carried on to here."""
    return cache.emb_cat.T @ d.dh_prebn * len(cache.Y)


def fast_mlp_backward__dC__from_preact(cache, d):
    """Batch norm is passed by but for its gain and spread."""
    demb = (d.dh_preact * cache.bn_gain * cache.bn_var_inv) @ cache.W1.T
    found = torch.zeros_like(cache.C)
    return found.index_put((cache.X,), demb.view(cache.emb.shape), accumulate=True)


def fast_mlp_backward__dC__overwritten_rows(cache, d):
    """Every position of the context overwrites the one before."""
    found = torch.zeros_like(cache.C)
    for position in range(cache.X.shape[1]):
        found[cache.X[:, position]] = d.demb[:, position]
    return found


def fast_mlp_backward__dbn_gain__tanh_slope_wrong(cache, d):
    """1 - h in place of 1 - h²."""
    return (d.dh * (1 - cache.h) * cache.bn_raw).sum(0)


def fast_mlp_backward__dbn_bias__of_dh(d):
    """The slope of tanh is missing."""
    return d.dh.sum(0)


def fast_mlp_backward__dW2__emb_used(cache, d):
    """bn_raw where h belongs."""
    return cache.bn_raw.T @ d.dlogits


def fast_mlp_backward__db2__onehot_forgotten(cache):
    """The target is not taken off."""
    return cache.probs.mean(0)
