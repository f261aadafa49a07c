"""Wrong gradients of layer normalisation. Each docstring is what the student is told."""

import torch

# layernorm_steps_backward


def layernorm_steps_backward__dln_gain__not_summed(dout, cache):
    """You kept one gradient for each position. All used the same gain, and a broadcast in the forward adds them up."""
    return dout * cache.ln_raw


def layernorm_steps_backward__dln_gain__batch_only(dout, cache):
    """You summed over the batch only. All positions of a sequence share the gain as well, so two axes are summed."""
    return (dout * cache.ln_raw).sum(0)


def layernorm_steps_backward__dln_gain__averaged(dout, cache):
    """You took the mean. A value used at every position collects all of what comes back, not a share."""
    return (dout * cache.ln_raw).mean((0, 1))


def layernorm_steps_backward__dln_gain__over_features(dout, cache):
    """You summed over the features. Each of them has its own gain; it is the positions that share it."""
    return (dout * cache.ln_raw).sum(2)


def layernorm_steps_backward__dln_gain__times_x(dout, cache):
    """You multiplied by the input of the layer. The gain is multiplied by values that are normalised already."""
    return (dout * cache.x).sum((0, 1))


def layernorm_steps_backward__dln_gain__times_ln_diff(dout, cache):
    """You multiplied by the differences. They are divided by the spread before the gain comes in."""
    return (dout * cache.ln_diff).sum((0, 1))


def layernorm_steps_backward__dln_bias__not_summed(dout):
    """You returned the upstream gradient. The bias was added at every position, so its gradient collects over them."""
    return dout.clone()


def layernorm_steps_backward__dln_bias__batch_only(dout):
    """You summed over the batch only. All positions of a sequence share the bias as well, so two axes are summed."""
    return dout.sum(0)


def layernorm_steps_backward__dln_bias__averaged(dout):
    """You took the mean. A value used at every position collects all of what comes back, not a share."""
    return dout.mean((0, 1))


def layernorm_steps_backward__dln_bias__times_gain(dout, cache):
    """You multiplied by the gain. The bias is added after the gain has been applied."""
    return (dout * cache.ln_gain).sum((0, 1))


def layernorm_steps_backward__dln_raw__gain_missing(dout):
    """You returned the upstream gradient. ln_raw is scaled by the gain before it reaches the output."""
    return dout.clone()


def layernorm_steps_backward__dln_raw__divided_by_gain(dout, cache):
    """You divided by the gain. A larger gain makes the output more sensitive to ln_raw, not less."""
    return dout / cache.ln_gain


def layernorm_steps_backward__dln_raw__times_ln_raw(dout, cache):
    """This is the gradient of the gain before the sum. In a product, each factor's partner is the other one."""
    return dout * cache.ln_raw


def layernorm_steps_backward__dln_rstd__not_summed(cache, d):
    """You kept one gradient for each feature. One number per position served them all, and a broadcast adds them up."""
    return d.dln_raw * cache.ln_diff


def layernorm_steps_backward__dln_rstd__axis_lost(cache, d):
    """The sum is right and its shape is not. ln_rstd keeps a feature axis of size 1."""
    return (d.dln_raw * cache.ln_diff).sum(2)


def layernorm_steps_backward__dln_rstd__averaged(cache, d):
    """You took the mean over the features. A value used for all collects all of what comes back, not a share."""
    return (d.dln_raw * cache.ln_diff).mean(2, keepdim=True)


def layernorm_steps_backward__dln_rstd__times_ln_raw(cache, d):
    """You multiplied by ln_raw, the result of the product. The partner of ln_rstd is its other factor."""
    return (d.dln_raw * cache.ln_raw).sum(2, keepdim=True)


def layernorm_steps_backward__dln_rstd__over_the_batch(cache, d):
    """You summed over the batch, as in batch norm. Here each position has its own spread, and its features share it."""
    return (d.dln_raw * cache.ln_diff).sum(0, keepdim=True)


def layernorm_steps_backward__dln_var__small_number_missing(cache, d):
    """You left out the 1e-5. The forward takes the power of the variance plus that number."""
    return -0.5 * d.dln_rstd * cache.ln_var**-1.5


def layernorm_steps_backward__dln_var__exponent_kept(cache, d):
    """You left the exponent as it was. Taking the derivative of a power lowers its exponent by one."""
    return -0.5 * d.dln_rstd * cache.ln_rstd


def layernorm_steps_backward__dln_var__minus_lost(cache, d):
    """Your sign is flipped. When the variance grows, ln_rstd shrinks."""
    return 0.5 * d.dln_rstd * cache.ln_rstd**3


def layernorm_steps_backward__dln_var__half_lost(cache, d):
    """The half is missing. The exponent comes down as a factor."""
    return -d.dln_rstd * cache.ln_rstd**3


def layernorm_steps_backward__dln_var__of_a_root(cache, d):
    """This is the slope of a root. ln_rstd is one over the root."""
    return 0.5 * d.dln_rstd * cache.ln_rstd


def layernorm_steps_backward__dln_diff_sq__not_divided(cache, d):
    """You handed the whole gradient to every feature. The variance is a mean, so each has only its share in it."""
    return d.dln_var.expand_as(cache.ln_diff_sq).clone()


def layernorm_steps_backward__dln_diff_sq__bessel(cache, d):
    """You divided by one less than the number of features. The variance here is the plain mean of the squares."""
    D = cache.x.shape[2]
    return d.dln_var.expand_as(cache.ln_diff_sq) / (D - 1)


def layernorm_steps_backward__dln_diff_sq__divided_by_positions(cache, d):
    """You divided by the number of positions. The mean of the squares runs over the features."""
    B, T, _ = cache.x.shape
    return d.dln_var.expand_as(cache.ln_diff_sq) / (B * T)


def layernorm_steps_backward__dln_diff_sq__not_spread(cache, d):
    """The numbers are right and the shape is not. ln_diff_sq has an entry for every feature."""
    return d.dln_var / cache.x.shape[2]


def layernorm_steps_backward__dln_diff__only_direct(cache, d):
    """This is what comes back through ln_raw. ln_diff is also squared, for the variance, and two uses add."""
    return d.dln_raw * cache.ln_rstd


def layernorm_steps_backward__dln_diff__only_through_the_square(cache, d):
    """This is what comes back through the square. It has replaced what came through ln_raw; two uses add."""
    return 2 * cache.ln_diff * d.dln_diff_sq


def layernorm_steps_backward__dln_diff__two_lost(cache, d):
    """On the way through the square the 2 is missing. The exponent comes down as a factor."""
    return d.dln_raw * cache.ln_rstd + cache.ln_diff * d.dln_diff_sq


def layernorm_steps_backward__dln_diff__times_ln_raw(cache, d):
    """On the way through the square you multiplied by ln_raw. It is ln_diff that was squared."""
    return d.dln_raw * cache.ln_rstd + 2 * cache.ln_raw * d.dln_diff_sq


def layernorm_steps_backward__dln_mean__minus_lost(d):
    """Your sign is flipped. When the mean rises, every difference falls."""
    return d.dln_diff.sum(2, keepdim=True)


def layernorm_steps_backward__dln_mean__not_summed(d):
    """You kept one gradient for each feature. The same mean was subtracted from all of them, so they add up."""
    return -d.dln_diff


def layernorm_steps_backward__dln_mean__averaged(d):
    """You took the mean over the features. A value used for all collects all of what comes back, not a share."""
    return -d.dln_diff.mean(2, keepdim=True)


def layernorm_steps_backward__dln_mean__over_the_batch(d):
    """You summed over the batch, as in batch norm. Here each position has its own mean, and its features share it."""
    return -d.dln_diff.sum(0, keepdim=True)


def layernorm_steps_backward__dx__mean_forgotten(d):
    """This is what comes back through the difference. x is also in the mean, and two uses add."""
    return d.dln_diff.clone()


def layernorm_steps_backward__dx__only_the_mean(cache, d):
    """This is what comes back through the mean. It has replaced what came through the difference; two uses add."""
    return d.dln_mean.expand_as(cache.x) / cache.x.shape[2]


def layernorm_steps_backward__dx__mean_not_shared(d):
    """You gave every feature the whole gradient of the mean. Each has only its share in it."""
    return d.dln_diff + d.dln_mean


def layernorm_steps_backward__dx__mean_subtracted(cache, d):
    """You subtracted the part of the mean. Its minus is in dln_mean already, so it is lost when it comes twice."""
    return d.dln_diff - d.dln_mean / cache.x.shape[2]


def layernorm_steps_backward__dx__shared_among_positions(cache, d):
    """You divided by the number of positions. The mean runs over the features."""
    B, T, _ = cache.x.shape
    return d.dln_diff + d.dln_mean / (B * T)


# layernorm_backward, the one formula


def layernorm_backward__dx__gain_missing(dout, ln_raw, ln_rstd):
    """The gain is missing. What comes back to ln_raw has passed it."""
    return ln_rstd * (dout - dout.mean(2, keepdim=True) - ln_raw * (dout * ln_raw).mean(2, keepdim=True))


def layernorm_backward__dx__gain_too_late(dout, ln_raw, ln_gain, ln_rstd):
    """You put the gain in front of everything, as in batch norm. Here it differs along the axis that is averaged."""
    inner = dout - dout.mean(2, keepdim=True) - ln_raw * (dout * ln_raw).mean(2, keepdim=True)
    return ln_gain * ln_rstd * inner


def layernorm_backward__dx__over_the_batch(dout, ln_raw, ln_gain, ln_rstd):
    """You averaged over the batch and the positions, as in batch norm. Layer norm looks at one position by itself."""
    draw = dout * ln_gain
    return ln_rstd * (draw - draw.mean((0, 1)) - ln_raw * (draw * ln_raw).mean((0, 1)))


def layernorm_backward__dx__only_direct(dout, ln_gain, ln_rstd):
    """You took the mean and the variance for constants. They move with every feature of the position."""
    return dout * ln_gain * ln_rstd


def layernorm_backward__dx__variance_constant(dout, ln_gain, ln_rstd):
    """The path through the variance is missing. It follows ln_raw: a feature that lies farther out moves it more."""
    draw = dout * ln_gain
    return ln_rstd * (draw - draw.mean(2, keepdim=True))


def layernorm_backward__dx__mean_constant(dout, ln_raw, ln_gain, ln_rstd):
    """The path through the mean is missing. Each row of dx must sum to zero, and yours doesn't."""
    draw = dout * ln_gain
    return ln_rstd * (draw - ln_raw * (draw * ln_raw).mean(2, keepdim=True))


def layernorm_backward__dx__sums_for_means(dout, ln_raw, ln_gain, ln_rstd):
    """You took sums where means belong. The mean and the variance give each feature a share of 1/D."""
    draw = dout * ln_gain
    inner = draw - draw.sum(2, keepdim=True) - ln_raw * (draw * ln_raw).sum(2, keepdim=True)
    return ln_rstd * inner


def layernorm_backward__dx__spread_missing(dout, ln_raw, ln_gain):
    """You left out ln_rstd. Everything that comes back passes the division by the spread."""
    draw = dout * ln_gain
    return draw - draw.mean(2, keepdim=True) - ln_raw * (draw * ln_raw).mean(2, keepdim=True)


def layernorm_backward__dx__spread_on_the_first_part(dout, ln_raw, ln_gain, ln_rstd):
    """Parentheses are missing: ln_rstd reaches the first part only. It stands in front of all three."""
    draw = dout * ln_gain
    return ln_rstd * draw - draw.mean(2, keepdim=True) - ln_raw * (draw * ln_raw).mean(2, keepdim=True)


def layernorm_backward__dx__bessel(dout, ln_raw, ln_gain, ln_rstd):
    """In the path of the variance you divided by D - 1. This variance is the plain mean of the squares."""
    D = ln_raw.shape[2]
    draw = dout * ln_gain
    along = (draw * ln_raw).sum(2, keepdim=True) / (D - 1)
    return ln_rstd * (draw - draw.mean(2, keepdim=True) - ln_raw * along)


def layernorm_backward__dx__ln_raw_forgotten(dout, ln_raw, ln_gain, ln_rstd):
    """In the path of the variance you left out the ln_raw in front. Each feature moves it by its own distance."""
    draw = dout * ln_gain
    return ln_rstd * (draw - draw.mean(2, keepdim=True) - (draw * ln_raw).mean(2, keepdim=True))


def layernorm_backward__dln_gain__not_summed(dout, ln_raw):
    """You kept one gradient for each position. All used the same gain, and a broadcast in the forward adds them up."""
    return dout * ln_raw


def layernorm_backward__dln_gain__batch_only(dout, ln_raw):
    """You summed over the batch only. All positions of a sequence share the gain as well, so two axes are summed."""
    return (dout * ln_raw).sum(0)


def layernorm_backward__dln_gain__averaged(dout, ln_raw):
    """You took the mean. A value used at every position collects all of what comes back, not a share."""
    return (dout * ln_raw).mean((0, 1))


def layernorm_backward__dln_gain__spread_removed(dout, ln_raw, ln_rstd):
    """You multiplied by the differences. They are divided by the spread before the gain comes in."""
    return (dout * ln_raw / ln_rstd).sum((0, 1))


def layernorm_backward__dln_gain__times_gain(dout, ln_raw, ln_gain):
    """You multiplied by the gain itself. In a product, each factor's partner is the other one."""
    return (dout * ln_raw * ln_gain).sum((0, 1))


def layernorm_backward__dln_bias__not_summed(dout):
    """You returned the upstream gradient. The bias was added at every position, so its gradient collects over them."""
    return dout.clone()


def layernorm_backward__dln_bias__batch_only(dout):
    """You summed over the batch only. All positions of a sequence share the bias as well, so two axes are summed."""
    return dout.sum(0)


def layernorm_backward__dln_bias__averaged(dout):
    """You took the mean. A value used at every position collects all of what comes back, not a share."""
    return dout.mean((0, 1))


def layernorm_backward__dln_bias__times_gain(dout, ln_gain):
    """You multiplied by the gain. The bias is added after the gain has been applied."""
    return (dout * ln_gain).sum((0, 1))


# rmsnorm_backward: out = x * rms_inv * rms_gain


def _rms_inv(x):
    return ((x**2).mean(2, keepdim=True) + 1e-5) ** -0.5


def rmsnorm_backward__dx__only_direct(dout, x, rms_gain):
    """You took the size of the position for a constant. It moves with every feature of it."""
    return dout * rms_gain * _rms_inv(x)


def rmsnorm_backward__dx__gain_missing(dout, x):
    """The gain is missing. What comes back to the normalised values has passed it."""
    raw = x * _rms_inv(x)
    return _rms_inv(x) * (dout - raw * (dout * raw).mean(2, keepdim=True))


def rmsnorm_backward__dx__gain_too_late(dout, x, rms_gain):
    """You put the gain in front of everything. It differs along the axis of the mean, so it comes before that."""
    raw = x * _rms_inv(x)
    return rms_gain * _rms_inv(x) * (dout - raw * (dout * raw).mean(2, keepdim=True))


def rmsnorm_backward__dx__of_layer_norm(dout, x, rms_gain):
    """You took a mean away, as in layer norm. The forward here subtracts none, so that path is not there."""
    raw, draw = x * _rms_inv(x), dout * rms_gain
    return _rms_inv(x) * (draw - draw.mean(2, keepdim=True) - raw * (draw * raw).mean(2, keepdim=True))


def rmsnorm_backward__dx__sum_for_mean(dout, x, rms_gain):
    """You took a sum where a mean belongs. Each square has a share of 1/D in the size of its position."""
    raw, draw = x * _rms_inv(x), dout * rms_gain
    return _rms_inv(x) * (draw - raw * (draw * raw).sum(2, keepdim=True))


def rmsnorm_backward__dx__not_normalised(dout, x, rms_gain):
    """You multiplied the mean by x and not by what is normalised. Count the powers of rms_inv: there are three."""
    draw, inv = dout * rms_gain, _rms_inv(x)
    return inv * (draw - x * (draw * x * inv).mean(2, keepdim=True))


def rmsnorm_backward__dx__added(dout, x, rms_gain):
    """You added the path through the size. A larger position has a smaller rms_inv, so its sign is a minus."""
    raw, draw = x * _rms_inv(x), dout * rms_gain
    return _rms_inv(x) * (draw + raw * (draw * raw).mean(2, keepdim=True))


def rmsnorm_backward__dx__two_forgotten(dout, x, rms_gain):
    """On the way through the square the 2 is missing. It and the half of the root cancel."""
    raw, draw = x * _rms_inv(x), dout * rms_gain
    return _rms_inv(x) * (draw - 0.5 * raw * (draw * raw).mean(2, keepdim=True))


def rmsnorm_backward__dx__small_number_missing(dout, x, rms_gain):
    """You left out the 1e-5. For a position close to zero it is most of what is under the root."""
    inv = (x**2).mean(2, keepdim=True) ** -0.5
    raw, draw = x * inv, dout * rms_gain
    return inv * (draw - raw * (draw * raw).mean(2, keepdim=True))


def rmsnorm_backward__drms_gain__times_x(dout, x):
    """You multiplied by x. The gain comes in after x has been normalised."""
    return (dout * x).sum((0, 1))


def rmsnorm_backward__drms_gain__not_summed(dout, x):
    """You kept one gradient for each position. All used the same gain, and a broadcast in the forward adds them up."""
    return dout * x * _rms_inv(x)


def rmsnorm_backward__drms_gain__batch_only(dout, x):
    """You summed over the batch only. All positions of a sequence share the gain as well, so two axes are summed."""
    return torch.einsum("btd->td", dout * x * _rms_inv(x))


def rmsnorm_backward__drms_gain__averaged(dout, x):
    """You took the mean. A value used at every position collects all of what comes back, not a share."""
    return (dout * x * _rms_inv(x)).mean((0, 1))
