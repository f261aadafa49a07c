"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import torch


def mlp_backward__dh__h_used(cache, d):
    """W2 meets the wrong thing: the transposed of the weights' gradient."""
    return d.dlogits @ d.dW2.T


def mlp_backward__dh__tanh_slope_early(cache, d):
    """The slope of tanh comes one step too early."""
    return (d.dlogits @ cache.W2.T) * (1 - cache.h**2)


def mlp_backward__dW2__preact(cache, d):
    """The input of tanh where its output belongs."""
    return cache.h_preact.T @ d.dlogits


def mlp_backward__db2__mean(d):
    """A mean."""
    return d.dlogits.mean(0)


def mlp_backward__db2__keepdim(d):
    """An axis is kept."""
    return d.dlogits.sum(0, keepdim=True)


def mlp_backward__dh_preact__logits_used(cache, d):
    """dlogits @ W2.T is written anew, without the slope."""
    return d.dlogits @ cache.W2.T


def mlp_backward__dh_preact__one_minus_h(cache, d):
    """(1 - h) * (1 + h) with a slip: (1 - h) * (1 - h)."""
    return d.dh * (1 - cache.h) * (1 - cache.h)


def mlp_backward__dh_preact__preact_squared(cache, d):
    """1 - h_preact²."""
    return d.dh * (1 - cache.h_preact**2)


def mlp_backward__dbn_gain__diff_used(cache, d):
    """bn_diff in place of bn_raw."""
    return (d.dh_preact * cache.bn_diff).sum(0)


def mlp_backward__dbn_var_inv__gain_missing(cache, d):
    """dh_preact is used where dbn_raw belongs."""
    return (cache.bn_diff * d.dh_preact).sum(0, keepdim=True)


def mlp_backward__dbn_var__without_eps(cache, d):
    """No epsilon."""
    return -0.5 * cache.bn_var**-1.5 * d.dbn_var_inv


def mlp_backward__dbn_diff_sq__bessel(cache, d):
    """n - 1."""
    return torch.ones_like(cache.bn_diff_sq) / (len(cache.Y) - 1) * d.dbn_var


def mlp_backward__dbn_diff__second_path_added_to_raw(cache, d):
    """The second path is multiplied by bn_var_inv as well."""
    return cache.bn_var_inv * (d.dbn_raw + 2 * cache.bn_diff * d.dbn_diff_sq)


def mlp_backward__dbn_mean__from_prebn(cache, d):
    """From dbn_raw * bn_var_inv, one path of dbn_diff only."""
    return -(d.dbn_raw * cache.bn_var_inv * 2).sum(0, keepdim=True)


def mlp_backward__dh_prebn__bias_of_mean(cache, d):
    """1/n is put to the wrong one."""
    return d.dbn_diff / len(cache.Y) + d.dbn_mean


def mlp_backward__demb_cat__before_the_norm(cache, d):
    """dh_preact in place of dh_prebn: batch norm is passed by."""
    return d.dh_preact @ cache.W1.T


def mlp_backward__dW1__before_the_norm(cache, d):
    """bn_diff's gradient in place of dh_prebn."""
    return cache.emb_cat.T @ d.dbn_diff


def mlp_backward__dW1__mean(cache, d):
    """A mean."""
    return cache.emb_cat.T @ d.dh_prebn / len(cache.Y)


def mlp_backward__demb__transposed_view(cache, d):
    """A view with the last two axes exchanged, turned back."""
    n, t, e = cache.emb.shape
    return d.demb_cat.view(n, e, t).mT


def mlp_backward__dC__plain_assignment(cache, d):
    """dC[X] = demb."""
    found = torch.zeros_like(cache.C)
    found[cache.X] = d.demb
    return found


def mlp_backward__dC__fancy_plus(cache, d):
    """dC[X] += demb."""
    found = torch.zeros_like(cache.C)
    found[cache.X] += d.demb
    return found


def mlp_backward__dC__first_word(cache, d):
    """Only the loop over the context's first position."""
    return torch.zeros_like(cache.C).index_add(0, cache.X[:, 0], d.demb[:, 0])


def mlp_backward__dlogits__softmax_of_norm(cache):
    """The shortcut, without 1/n."""
    n = len(cache.Y)
    found = cache.logits.softmax(1)
    found[range(n), cache.Y] -= 1
    return found


def mlp_backward__dcounts_sum__cube(cache, d):
    """A power of -3."""
    return -(cache.counts_sum**-3) * d.dcounts_sum_inv


def mlp_backward__dcounts__ones_forgotten(cache, d):
    """The second path multiplied by probs."""
    return cache.counts_sum_inv * d.dprobs + cache.probs * d.dcounts_sum


def mlp_backward__dnorm_logits__log(cache, d):
    """dcounts / counts."""
    return d.dcounts / cache.counts
