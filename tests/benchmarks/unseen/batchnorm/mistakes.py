"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import torch


def batchnorm_steps_backward__dbn_gain__h_preact_used(dout, cache):
    """The gain times the normalised values, not the values."""
    return (dout * cache.bn_gain * cache.bn_raw).sum(0)


def batchnorm_steps_backward__dbn_gain__var_inv_used(dout, cache):
    """h_prebn divided by the spread, without the mean taken off."""
    return (dout * cache.h_prebn * cache.bn_var_inv).sum(0)


def batchnorm_steps_backward__dbn_raw__squared_gain(dout, cache):
    """The gain twice."""
    return dout * cache.bn_gain**2


def batchnorm_steps_backward__dbn_raw__plus_gain(dout, cache):
    """A plus for a product."""
    return dout + cache.bn_gain


def batchnorm_steps_backward__dbn_var_inv__sum_of_each(cache, d):
    """The sums are multiplied, not the products summed."""
    return d.dbn_raw.sum(0, keepdim=True) * cache.bn_diff.sum(0, keepdim=True)


def batchnorm_steps_backward__dbn_var_inv__sums_times(cache, d):
    """counts-like: the sum is taken of one factor only."""
    return cache.bn_diff.abs().sum(0, keepdim=True) * d.dbn_raw.sum(0, keepdim=True)


def batchnorm_steps_backward__dbn_var_inv__h_prebn(cache, d):
    """The values before their mean was taken off."""
    return (d.dbn_raw * cache.h_prebn).sum(0, keepdim=True)


def batchnorm_steps_backward__dbn_var__power_of_var_inv(cache, d):
    """-0.5 * var_inv**2: a power too low."""
    return -0.5 * cache.bn_var_inv**2 * d.dbn_var_inv


def batchnorm_steps_backward__dbn_var__minus_three(cache, d):
    """An exponent of -3 in place of -1.5."""
    return -0.5 * (cache.bn_var + 1e-5) ** -3 * d.dbn_var_inv


def batchnorm_steps_backward__dbn_var__minus_one_half(cache, d):
    """0.5 in the exponent: (var + eps)**0.5."""
    return -0.5 * (cache.bn_var + 1e-5) ** 0.5 * d.dbn_var_inv


def batchnorm_steps_backward__dbn_var__reciprocal_rule(cache, d):
    """-1/var² as if it were a reciprocal."""
    return -((cache.bn_var + 1e-5) ** -2) * d.dbn_var_inv


def batchnorm_steps_backward__dbn_var__epsilon_squared(cache, d):
    """A wrong epsilon, 1e-8."""
    return -0.5 * (cache.bn_var + 1e-8) ** -1.5 * d.dbn_var_inv


def batchnorm_steps_backward__dbn_diff_sq__times_n(cache, d):
    """Multiplied by n."""
    return d.dbn_var.expand_as(cache.bn_diff) * len(cache.bn_diff)


def batchnorm_steps_backward__dbn_diff_sq__two_bn_diff(cache, d):
    """The slope of the square one step too early."""
    return 2 * cache.bn_diff * d.dbn_var / len(cache.bn_diff)


def batchnorm_steps_backward__dbn_diff__no_square_slope(cache, d):
    """The second path without bn_diff: 2 * dbn_diff_sq."""
    return d.dbn_raw * cache.bn_var_inv + 2 * d.dbn_diff_sq


def batchnorm_steps_backward__dbn_diff__four(cache, d):
    """2 * 2."""
    return d.dbn_raw * cache.bn_var_inv + 4 * cache.bn_diff * d.dbn_diff_sq


def batchnorm_steps_backward__dbn_diff__summed(cache, d):
    """Another path summed over the rows."""
    return d.dbn_raw * cache.bn_var_inv + (2 * cache.bn_diff * d.dbn_diff_sq).sum(0, keepdim=True)


def batchnorm_steps_backward__dbn_diff__raw_used(cache, d):
    """bn_raw in place of bn_diff."""
    return d.dbn_raw * cache.bn_var_inv + 2 * cache.bn_raw * d.dbn_diff_sq


def batchnorm_steps_backward__dbn_diff__bias_of_raw(cache, d):
    """bn_raw * bn_var_inv in place of dbn_raw * bn_var_inv."""
    return cache.bn_raw * cache.bn_var_inv + 2 * cache.bn_diff * d.dbn_diff_sq


def batchnorm_steps_backward__dbn_mean__clone(d):
    """Not summed, a minus: -dbn_diff.clone()."""
    return -d.dbn_diff.clone()


def batchnorm_steps_backward__dbn_mean__divided(cache, d):
    """Divided by n here already, and plus."""
    return d.dbn_diff.sum(0, keepdim=True) / len(d.dbn_diff)


def batchnorm_steps_backward__dbn_mean__wrong_path(cache, d):
    """dbn_raw in place of dbn_diff."""
    return -d.dbn_raw.sum(0, keepdim=True)


def batchnorm_steps_backward__dh_prebn__mean_of_mean(cache, d):
    """dbn_mean.mean() over everything."""
    return d.dbn_diff + d.dbn_mean.mean()


def batchnorm_steps_backward__dh_prebn__times_h(cache, d):
    """The mean's path multiplied by h_prebn."""
    return d.dbn_diff + cache.h_prebn * d.dbn_mean / len(cache.h_prebn)


def batchnorm_steps_backward__dh_prebn__without_diff(cache, d):
    """The mean's path only, spread by ones."""
    return torch.ones_like(cache.h_prebn) * d.dbn_mean / len(cache.h_prebn)


def _formula(dout, bn_raw, bn_gain, bn_var_inv, a=1.0, b=1.0):
    n = len(dout)
    return bn_gain * bn_var_inv / n * (n * dout - a * dout.sum(0) - b * bn_raw * (dout * bn_raw).sum(0))


def batchnorm_backward__dh_prebn__gain_outside(dout, bn_raw, bn_gain, bn_var_inv):
    """The gain reaches the first term only."""
    n = len(dout)
    return bn_var_inv / n * (n * bn_gain * dout - dout.sum(0) - bn_raw * (dout * bn_raw).sum(0))


def batchnorm_backward__dh_prebn__gain_in_two(dout, bn_raw, bn_gain, bn_var_inv):
    """The gain is forgotten in the variance's term."""
    n = len(dout)
    g = bn_gain * dout
    return bn_var_inv / n * (n * g - g.sum(0) - bn_raw * (dout * bn_raw).sum(0))


def batchnorm_backward__dh_prebn__n_outside(dout, bn_raw, bn_gain, bn_var_inv):
    """The n inside the bracket is missing: 1/n of everything, and dout alone."""
    n = len(dout)
    return bn_gain * bn_var_inv / n * (dout - dout.sum(0) - bn_raw * (dout * bn_raw).sum(0))


def batchnorm_backward__dh_prebn__bessel(dout, bn_raw, bn_gain, bn_var_inv):
    """n/(n-1) as in the lesson."""
    n = len(dout)
    return _formula(dout, bn_raw, bn_gain, bn_var_inv, b=n / (n - 1))


def batchnorm_backward__dh_prebn__raw_not_summed(dout, bn_raw, bn_gain, bn_var_inv):
    """The product with bn_raw is not summed."""
    n = len(dout)
    return bn_gain * bn_var_inv / n * (n * dout - dout.sum(0) - bn_raw * dout * bn_raw)


def batchnorm_backward__dh_prebn__sum_over_features(dout, bn_raw, bn_gain, bn_var_inv):
    """One of the sums goes over axis 1."""
    n = len(dout)
    sums = (dout * bn_raw).sum(1, keepdim=True)
    return bn_gain * bn_var_inv / n * (n * dout - dout.sum(0) - bn_raw * sums)


def batchnorm_backward__dh_prebn__mean_over_features(dout, bn_raw, bn_gain, bn_var_inv):
    """The mean is taken over axis 1, as in layer norm, in both."""
    mean = dout.mean(1, keepdim=True)
    return bn_gain * bn_var_inv * (dout - mean - bn_raw * (dout * bn_raw).mean(1, keepdim=True))


def batchnorm_backward__dh_prebn__var_inv_squared(dout, bn_raw, bn_gain, bn_var_inv):
    """bn_var_inv once more."""
    return _formula(dout, bn_raw, bn_gain, bn_var_inv) * bn_var_inv


def batchnorm_backward__dh_prebn__variance_not_inverted(dout, bn_raw, bn_gain, bn_var_inv):
    """Divided by bn_var_inv."""
    return _formula(dout, bn_raw, bn_gain, 1.0) / bn_var_inv


def batchnorm_backward__dbn_gain__gain_of_sums(dout, bn_raw):
    """The sums are multiplied."""
    return dout.sum(0) * bn_raw.sum(0)


def batchnorm_backward__dbn_gain__one_row(dout, bn_raw):
    """The last row only."""
    return dout[-1] * bn_raw[-1]


def batchnorm_backward__dbn_bias__total(dout):
    """One number for all features."""
    return dout.sum() * torch.ones_like(dout[0])
